use super::check;
use crate::Error;
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn electra_torch_mean(
        values: *const C_tensor,
        weights: *const C_tensor,
        total: *const C_tensor,
        mean: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn electra_torch_binary_cross_entropy(
        logits: *const C_tensor,
        targets: *const C_tensor,
        weights: *const C_tensor,
        total: *const C_tensor,
        loss: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn mean(values: &Tensor, weights: &Tensor, total: &Tensor) -> Result<Option<Tensor>, Error> {
    let mut mean = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, and the last to a live pointer.
    check(unsafe { electra_torch_mean(values.as_ptr(), weights.as_ptr(), total.as_ptr(), &raw mut mean) })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!mean.is_null()).then(|| unsafe { Tensor::from_ptr(mean) }))
}

pub(crate) fn binary_cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    weights: &Tensor,
    total: &Tensor,
) -> Result<Option<Tensor>, Error> {
    let mut loss = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, and the last to a live pointer.
    check(unsafe {
        electra_torch_binary_cross_entropy(
            logits.as_ptr(),
            targets.as_ptr(),
            weights.as_ptr(),
            total.as_ptr(),
            &raw mut loss,
        )
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!loss.is_null()).then(|| unsafe { Tensor::from_ptr(loss) }))
}
