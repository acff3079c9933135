use crate::ffi::device;
use crate::{Error, ffi};
use std::path::Path;
use tch::Device;

/// Where Linux tells a process of its memory, and where it is asked to forget the peak.
const STATUS: &str = "/proc/self/status";
const CLEAR: &str = "/proc/self/clear_refs";

/// Memory in use, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub current: u64,
    /// At most, since the program started or [`reset_peak_memory`] was called.
    pub peak: u64,
}

/// Memory in use on a device.
///
/// On CUDA: of this program's live tensors on that device, as libtorch's allocator counts it (PyTorch's
/// `memory_allocated` and `max_memory_allocated`). On the CPU: all of this program that is resident, as Linux
/// counts it (`VmRSS`, `VmHWM`).
///
/// # Errors
///
/// No such device, or on the CPU no Linux.
pub fn memory(device: Device) -> Result<Memory, Error> {
    match device {
        Device::Cuda(index) => {
            let (current, peak) = device::cuda_memory(index)?;
            Ok(Memory { current, peak })
        }
        Device::Cpu => {
            resident(&std::fs::read_to_string(STATUS).map_err(|source| memory_error(STATUS, source))?)
        }
        Device::Mps | Device::Vulkan => Err(Error::Device { device }),
    }
}

/// From here on, freed memory of the CPU stays with the program: a training step frees what the next one asks
/// for.
///
/// Nothing happens where the C library is not glibc.
///
/// # Errors
///
/// None that is known of.
pub fn keep_freed_memory() -> Result<(), Error> {
    ffi::keep_freed_memory()
}

/// Makes the memory in use now the peak.
///
/// # Errors
///
/// No such device, or on the CPU no Linux that allows it.
pub fn reset_peak_memory(device: Device) -> Result<(), Error> {
    match device {
        Device::Cuda(index) => device::cuda_reset_peak(index),
        // 5: the one of its commands that concerns VmHWM.
        Device::Cpu => std::fs::write(CLEAR, "5").map_err(|source| memory_error(CLEAR, source)),
        Device::Mps | Device::Vulkan => Err(Error::Device { device }),
    }
}

/// Waits until all work that was given to a device is done. On the CPU it always is.
///
/// # Errors
///
/// No such device, or the exception of work that failed.
pub fn synchronize(device: Device) -> Result<(), Error> {
    match device {
        Device::Cuda(index) => device::cuda_synchronize(index),
        Device::Cpu => Ok(()),
        Device::Mps | Device::Vulkan => Err(Error::Device { device }),
    }
}

fn memory_error(path: &str, source: std::io::Error) -> Error {
    Error::ProcessMemory { path: Path::new(path).to_path_buf(), source }
}

/// Reads the two lines of Linux's text, such as `VmRSS:      1676 kB`.
fn resident(status: &str) -> Result<Memory, Error> {
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    match (bytes("VmRSS"), bytes("VmHWM")) {
        (Some(current), Some(peak)) => Ok(Memory { current, peak }),
        _ => Err(memory_error(STATUS, std::io::Error::other("no VmRSS and VmHWM in kB"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_counts_in_units_of_1024_bytes() {
        let status = "Name:\telectra\nVmHWM:\t    2048 kB\nVmRSS:\t     100 kB\nThreads:\t1\n";
        assert_eq!(resident(status).unwrap(), Memory { current: 102_400, peak: 2_097_152 });
    }

    #[test]
    fn a_text_without_the_lines_is_named() {
        let error = resident("VmRSS:\t 100 kB\nVmHWM:\t many kB\n").unwrap_err();
        assert_eq!(error.to_string(), "/proc/self/status: no VmRSS and VmHWM in kB");
    }
}
