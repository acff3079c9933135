use super::check;
use crate::{Affine, Error, KernelLevel};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn electra_torch_transform(
        level: KernelLevel,
        x: *const C_tensor,
        eps: f64,
        parameters: *const *const C_tensor,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn transform(
    level: KernelLevel,
    x: &Tensor,
    dense: Affine<'_>,
    layer_norm: Affine<'_>,
    eps: f64,
) -> Result<Option<Tensor>, Error> {
    // The shim's order.
    let parameters = [dense.weight, dense.bias, layer_norm.weight, layer_norm.bias].map(Tensor::as_ptr);
    let mut output = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, as many parameters as the shim reads, and the
    // last to a live pointer.
    check(unsafe { electra_torch_transform(level, x.as_ptr(), eps, parameters.as_ptr(), &raw mut output) })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!output.is_null()).then(|| unsafe { Tensor::from_ptr(output) }))
}
