//! What is computed on.

use electra_config::DeviceChoice;
use tch::{Cuda, Device};

use crate::Error;

/// Sets libtorch up, once for a process: what is computed on, and with how many threads; 0 for one a core.
///
/// # Errors
/// If CUDA is asked for and there is none.
pub fn device(choice: DeviceChoice, threads: usize) -> Result<Device, Error> {
    let cuda = || -> Result<bool, Error> { Ok(electra_torch::load_cuda()? && Cuda::is_available()) };
    let device = match choice {
        DeviceChoice::Cpu => Device::Cpu,
        DeviceChoice::Cuda if !cuda()? => return Err(Error::NoCuda),
        DeviceChoice::Cuda => Device::Cuda(0),
        DeviceChoice::Auto if cuda()? => Device::Cuda(0),
        DeviceChoice::Auto => Device::Cpu,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    electra_torch::keep_freed_memory()?;
    electra_torch::set_num_threads(if threads == 0 { cores } else { threads })?;
    electra_torch::use_deterministic_algorithms(device == Device::Cpu)?;
    Ok(device)
}
