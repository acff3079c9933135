use super::check;
use crate::Error;
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

/// Parameters of a layer. Mirrors the shim's.
pub(crate) const PARAMETERS: usize = 16;

unsafe extern "C" {
    fn electra_torch_layer(
        x: *const C_tensor,
        mask: *const C_tensor,
        heads: i64,
        eps: f64,
        parameters: *const *const C_tensor,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn layer(
    x: &Tensor,
    mask: &Tensor,
    heads: i64,
    eps: f64,
    parameters: [&Tensor; PARAMETERS],
) -> Result<Option<Tensor>, Error> {
    let parameters = parameters.map(Tensor::as_ptr);
    let mut output = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, as many parameters as the shim reads, and the last to a live pointer.
    check(unsafe {
        electra_torch_layer(x.as_ptr(), mask.as_ptr(), heads, eps, parameters.as_ptr(), &raw mut output)
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!output.is_null()).then(|| unsafe { Tensor::from_ptr(output) }))
}
