use super::check;
use crate::{Affine, Error, KernelLevel};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn electra_torch_detect(
        level: KernelLevel,
        x: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        prediction: *const C_tensor,
        shift: *const C_tensor,
        logits: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn detect(
    level: KernelLevel,
    x: &Tensor,
    dense: Affine<'_>,
    prediction: Affine<'_>,
) -> Result<Option<Tensor>, Error> {
    let mut logits = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, and the last to a live pointer.
    check(unsafe {
        electra_torch_detect(
            level,
            x.as_ptr(),
            dense.weight.as_ptr(),
            dense.bias.as_ptr(),
            prediction.weight.as_ptr(),
            prediction.bias.as_ptr(),
            &raw mut logits,
        )
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!logits.is_null()).then(|| unsafe { Tensor::from_ptr(logits) }))
}
