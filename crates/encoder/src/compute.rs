use electra_config::{DeviceChoice, Precision};
use tch::{Cuda, Device, Kind};

use crate::Error;

/// What a network is computed on, and in what precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compute {
    /// The CPU, or a CUDA device.
    pub device: Device,
    /// libtorch's threads on the CPU.
    pub threads: usize,
    /// [`Precision::Fp32`] or [`Precision::Bf16`].
    pub precision: Precision,
}

impl Compute {
    /// float32 on the CPU, with the threads that libtorch has.
    #[must_use]
    pub fn cpu() -> Self {
        let threads = electra_torch::num_threads().unwrap_or(1);
        Self { device: Device::Cpu, threads, precision: Precision::Fp32 }
    }

    /// Sets libtorch up, once for a process. `threads` is 0 for one a core. `auto` becomes what this machine is faster in:
    /// on the CPU as [`electra_torch::bf16()`] says, on CUDA bfloat16. Algorithms are deterministic on the CPU, and on
    /// CUDA where `deterministic` asks for it.
    ///
    /// # Errors
    /// If CUDA is asked for and there is none, or libtorch threw an exception.
    pub fn set_up(
        choice: DeviceChoice,
        threads: usize,
        precision: Precision,
        deterministic: bool,
    ) -> Result<Self, Error> {
        let cuda = || -> Result<bool, Error> { Ok(electra_torch::load_cuda()? && Cuda::is_available()) };
        let device = match choice {
            DeviceChoice::Cpu => Device::Cpu,
            DeviceChoice::Cuda | DeviceChoice::CudaAt(_) if !cuda()? => return Err(Error::NoCuda),
            DeviceChoice::Cuda => Device::Cuda(0),
            DeviceChoice::CudaAt(index) => at(index, Cuda::device_count() as usize)?,
            DeviceChoice::Auto if cuda()? => Device::Cuda(0),
            DeviceChoice::Auto => Device::Cpu,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { cores } else { threads };
        electra_torch::keep_freed_memory()?;
        electra_torch::set_num_threads(threads)?;
        electra_torch::use_deterministic_algorithms(deterministic || device == Device::Cpu)?;
        let precision = match precision {
            Precision::Auto if device.is_cuda() || electra_torch::bf16()?.is_fast => Precision::Bf16,
            Precision::Auto => Precision::Fp32,
            precision => precision,
        };
        Ok(Self { device, threads, precision })
    }

    /// Runs `body` with autocast to bfloat16 where that is the precision, and without autocast else.
    ///
    /// # Errors
    /// If libtorch threw an exception.
    pub fn run<T>(&self, body: impl FnOnce() -> T) -> Result<T, Error> {
        let is_bf16 = self.precision == Precision::Bf16;
        Ok(electra_torch::autocast(self.device, Kind::BFloat16, is_bf16, body)?)
    }
}

/// The CUDA device of a number, of so many.
fn at(index: usize, count: usize) -> Result<Device, Error> {
    if index < count { Ok(Device::Cuda(index)) } else { Err(Error::NoSuchGpu { index, count }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_the_machine_lacks_is_refused() {
        assert_eq!(at(1, 2).unwrap(), Device::Cuda(1));
        let message = at(2, 2).unwrap_err().to_string();
        assert_eq!(message, "device \"cuda:2\": this machine has 2 CUDA devices, numbered from 0");
    }
}
