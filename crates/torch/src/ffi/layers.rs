use super::check;
use super::dropout::Keys;
use crate::{Error, KernelLevel, LayerSettings, Select};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

/// Parameters of a layer. Mirrors the shim's.
pub(crate) const PARAMETERS: usize = 16;

/// Mirrors the shim's `ElectraTorchLayers`.
#[repr(C)]
struct Settings {
    heads: i64,
    eps: f64,
    hidden_dropout: f64,
    attention_dropout: f64,
    rotary_theta: f64,
    rotary_interleaved: bool,
}

unsafe extern "C" {
    fn electra_torch_layers(
        level: KernelLevel,
        keys: *const Keys<'_>,
        x: *const C_tensor,
        mask: *const C_tensor,
        positions: *const C_tensor,
        with_padding: bool,
        settings: *const Settings,
        parameters: *const *const C_tensor,
        layers: usize,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn layers(
    level: KernelLevel,
    keys: &Keys<'_>,
    x: &Tensor,
    mask: &Tensor,
    select: Select<'_>,
    settings: &LayerSettings,
    parameters: &[[&Tensor; PARAMETERS]],
) -> Result<Option<Tensor>, Error> {
    let LayerSettings { heads, eps, hidden_dropout, attention_dropout, rotary } = *settings;
    let settings = Settings {
        heads,
        eps,
        hidden_dropout,
        attention_dropout,
        rotary_theta: rotary.map_or(0.0, |rotary| rotary.theta),
        rotary_interleaved: rotary.is_some_and(|rotary| rotary.interleaved),
    };
    let (positions, with_padding) = match select {
        Select::All => (std::ptr::null(), true),
        Select::Unpadded => (std::ptr::null(), false),
        Select::Positions(positions) => (positions.as_ptr(), false),
    };
    let layers = parameters.len();
    let parameters: Vec<_> = parameters.iter().flatten().map(|tensor| tensor.as_ptr()).collect();
    let mut output = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, or null for no positions, as many parameters as the shim
    // reads, and the last to a live pointer.
    check(unsafe {
        electra_torch_layers(
            level,
            keys,
            x.as_ptr(),
            mask.as_ptr(),
            positions,
            with_padding,
            &raw const settings,
            parameters.as_ptr(),
            layers,
            &raw mut output,
        )
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!output.is_null()).then(|| unsafe { Tensor::from_ptr(output) }))
}
