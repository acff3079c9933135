use crate::Error;
use crate::ffi::device;
use tch::{Device, Tensor};

/// Copies a tensor of the CPU to a device, without waiting for what that device still computes.
///
/// To a GPU it goes by way of page-locked memory, which libtorch keeps until the copy is done; on the CPU the
/// same tensor comes back.
///
/// # Shapes
/// any → the same
///
/// # Errors
///
/// A tensor that is on a GPU already, or one that does not have this device.
pub fn send(tensor: Tensor, device: Device) -> Result<Tensor, Error> {
    if !device.is_cuda() {
        return Ok(tensor.f_to_device(device)?);
    }
    let kind = tensor.kind();
    Ok(device::pinned(&tensor)?.f_to_device_(device, kind, true, false)?)
}
