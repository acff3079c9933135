use crate::Error;
use crate::ffi::autocast::Autocast;
use tch::{Device, Kind};

/// Runs `body` with autocast: on tensors of `device`'s type, matrix products and what else libtorch holds to
/// be safe compute in `kind`, and what it holds to need float32 computes in float32.
///
/// With `enabled` false, `body` runs without autocast, also within another call's. The thread's state is put
/// back when `body` is left, by a panic too; other threads are not concerned.
///
/// The narrow copies of parameters are kept until the outermost call is left. So:
///
/// * a step of the optimizer belongs outside;
/// * what runs without gradients belongs in a call of its own: a copy made there carries no gradient to the parameter,
///   for a later use within the same call either;
/// * a backward pass computes in the kinds of its forward pass, and is to be called outside.
///
/// # Errors
///
/// A kind other than `BFloat16` and `Half`, or a device other than CPU and CUDA.
pub fn autocast<T>(device: Device, kind: Kind, enabled: bool, body: impl FnOnce() -> T) -> Result<T, Error> {
    let cuda = match device {
        Device::Cpu => false,
        Device::Cuda(_) => true,
        Device::Mps | Device::Vulkan => return Err(Error::Device { device }),
    };
    let half = match kind {
        Kind::BFloat16 => false,
        Kind::Half => true,
        _ => return Err(Error::AutocastKind { kind }),
    };
    let _state = Autocast::enter(cuda, half, enabled)?;
    Ok(body())
}
