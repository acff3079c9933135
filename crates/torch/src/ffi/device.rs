use super::check;
use crate::Error;
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn electra_torch_cuda_memory(index: u64, current: *mut u64, peak: *mut u64) -> *mut c_char;
    fn electra_torch_cuda_reset_peak(index: u64) -> *mut c_char;
    fn electra_torch_cuda_synchronize(index: u64) -> *mut c_char;
    fn electra_torch_pinned(tensor: *const C_tensor, pinned: *mut *mut C_tensor) -> *mut c_char;
}

/// Current and peak bytes of live tensors.
pub(crate) fn cuda_memory(index: usize) -> Result<(u64, u64), Error> {
    let (mut current, mut peak) = (0, 0);
    // SAFETY: both pointers are to live integers.
    check(unsafe { electra_torch_cuda_memory(index as u64, &raw mut current, &raw mut peak) })?;
    Ok((current, peak))
}

pub(crate) fn cuda_reset_peak(index: usize) -> Result<(), Error> {
    // SAFETY: no pointers.
    check(unsafe { electra_torch_cuda_reset_peak(index as u64) })
}

pub(crate) fn cuda_synchronize(index: usize) -> Result<(), Error> {
    // SAFETY: no pointers.
    check(unsafe { electra_torch_cuda_synchronize(index as u64) })
}

/// A copy in page-locked memory.
pub(crate) fn pinned(tensor: &Tensor) -> Result<Tensor, Error> {
    let mut pinned = std::ptr::null_mut();
    // SAFETY: the first pointer is to a live tensor, the second to a live pointer.
    check(unsafe { electra_torch_pinned(tensor.as_ptr(), &raw mut pinned) })?;
    // SAFETY: without an exception the shim made a new tensor, which is owned from here on.
    Ok(unsafe { Tensor::from_ptr(pinned) })
}
