use super::check;
use crate::Error;
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn electra_torch_with_gradients(
        value: *const C_tensor,
        inputs: *const *const C_tensor,
        gradients: *const *const C_tensor,
        count: usize,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
}

/// As many gradients as inputs.
pub(crate) fn with_gradients(
    value: &Tensor,
    inputs: &[&Tensor],
    gradients: &[Tensor],
) -> Result<Tensor, Error> {
    assert_eq!(inputs.len(), gradients.len(), "a gradient for each input");
    let pointers: Vec<_> = inputs.iter().map(|input| input.as_ptr()).collect();
    let known: Vec<_> = gradients.iter().map(Tensor::as_ptr).collect();
    let mut output = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, `count` of either list, and the last to a live pointer.
    check(unsafe {
        electra_torch_with_gradients(
            value.as_ptr(),
            pointers.as_ptr(),
            known.as_ptr(),
            pointers.len(),
            &raw mut output,
        )
    })?;
    // SAFETY: a new tensor of the shim's, which is owned from here on.
    Ok(unsafe { Tensor::from_ptr(output) })
}
