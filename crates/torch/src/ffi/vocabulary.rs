use super::check;
use crate::{Error, KernelLevel};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn electra_torch_log_likelihood(
        level: KernelLevel,
        x: *const C_tensor,
        table: *const C_tensor,
        bias: *const C_tensor,
        targets: *const C_tensor,
        keeps_logits: bool,
        log_p: *mut *mut C_tensor,
        logits: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn electra_torch_sample(
        level: KernelLevel,
        logits: *const C_tensor,
        uniforms: *const C_tensor,
        sampled: *mut *mut C_tensor,
    ) -> *mut c_char;
}

/// log p and the logits.
pub(crate) fn log_likelihood(
    level: KernelLevel,
    x: &Tensor,
    table: &Tensor,
    bias: &Tensor,
    targets: &Tensor,
    keeps_logits: bool,
) -> Result<Option<(Tensor, Tensor)>, Error> {
    let (mut log_p, mut logits) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the pointers are to live tensors, and the last two to live pointers.
    check(unsafe {
        electra_torch_log_likelihood(
            level,
            x.as_ptr(),
            table.as_ptr(),
            bias.as_ptr(),
            targets.as_ptr(),
            keeps_logits,
            &raw mut log_p,
            &raw mut logits,
        )
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on; both are or
    // neither is.
    Ok((!log_p.is_null()).then(|| unsafe { (Tensor::from_ptr(log_p), Tensor::from_ptr(logits)) }))
}

pub(crate) fn sample(
    level: KernelLevel,
    logits: &Tensor,
    uniforms: &Tensor,
) -> Result<Option<Tensor>, Error> {
    let mut sampled = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, and the last to a live pointer.
    check(unsafe { electra_torch_sample(level, logits.as_ptr(), uniforms.as_ptr(), &raw mut sampled) })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!sampled.is_null()).then(|| unsafe { Tensor::from_ptr(sampled) }))
}
