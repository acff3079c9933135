use crate::Error;
use crate::ffi::device;
use tch::{Device, Tensor};

/// Copies a tensor of the CPU to a GPU, without waiting for what that still computes.
///
/// It goes by way of page-locked memory, which libtorch keeps until the copy is done. Where the device is the
/// CPU, the same tensor comes back.
///
/// # Shapes
/// any → the same
///
/// # Errors
///
/// To a GPU: a tensor that is on one already, or a GPU that is not there.
pub fn send(tensor: &Tensor, device: Device) -> Result<Tensor, Error> {
    if !device.is_cuda() {
        return Ok(tensor.f_to_device(device)?);
    }
    let kind = tensor.kind();
    Ok(device::pinned(tensor)?.f_to_device_(device, kind, true, false)?)
}
