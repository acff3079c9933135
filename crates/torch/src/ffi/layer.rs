use super::check;
use crate::{Error, LayerSettings};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

/// Parameters of a layer. Mirrors the shim's.
pub(crate) const PARAMETERS: usize = 16;

/// Mirrors the shim's `ElectraTorchLayer`.
#[repr(C)]
struct Settings {
    heads: i64,
    eps: f64,
    hidden_dropout: f64,
    attention_dropout: f64,
}

unsafe extern "C" {
    fn electra_torch_layer(
        x: *const C_tensor,
        mask: *const C_tensor,
        settings: *const Settings,
        parameters: *const *const C_tensor,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn layer(
    x: &Tensor,
    mask: &Tensor,
    settings: &LayerSettings,
    parameters: [&Tensor; PARAMETERS],
) -> Result<Option<Tensor>, Error> {
    let LayerSettings { heads, eps, hidden_dropout, attention_dropout } = *settings;
    let settings = Settings { heads, eps, hidden_dropout, attention_dropout };
    let parameters = parameters.map(Tensor::as_ptr);
    let mut output = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, as many parameters as the shim reads, and the last to a live pointer.
    check(unsafe {
        electra_torch_layer(
            x.as_ptr(),
            mask.as_ptr(),
            &raw const settings,
            parameters.as_ptr(),
            &raw mut output,
        )
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!output.is_null()).then(|| unsafe { Tensor::from_ptr(output) }))
}
