use super::check;
use super::dropout::Keys;
use crate::{Error, KernelLevel};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

/// Parameters of the embeddings. Mirrors the shim's.
const PARAMETERS: usize = 5;

unsafe extern "C" {
    fn electra_torch_embed(
        level: KernelLevel,
        keys: *const Keys<'_>,
        input_ids: *const C_tensor,
        token_type_ids: *const C_tensor,
        eps: f64,
        rate: f64,
        parameters: *const *const C_tensor,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn embed(
    level: KernelLevel,
    keys: &Keys<'_>,
    input_ids: &Tensor,
    token_type_ids: &Tensor,
    eps: f64,
    rate: f64,
    parameters: [&Tensor; PARAMETERS],
) -> Result<Option<Tensor>, Error> {
    let parameters = parameters.map(Tensor::as_ptr);
    let (ids, types) = (input_ids.as_ptr(), token_type_ids.as_ptr());
    let mut output = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, as many parameters as the shim reads, and the last to a live
    // pointer.
    check(unsafe {
        electra_torch_embed(level, keys, ids, types, eps, rate, parameters.as_ptr(), &raw mut output)
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!output.is_null()).then(|| unsafe { Tensor::from_ptr(output) }))
}
