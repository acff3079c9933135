use super::check;
use super::dropout::Keys;
use crate::{Error, KernelLevel, ModernBertLayer, ModernBertSettings, Select};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

/// Parameters of a layer. Mirrors the shim's.
const PARAMETERS: usize = 6;

/// Mirrors the shim's `ElectraTorchModernBert`.
#[repr(C)]
struct Settings {
    heads: i64,
    eps: f64,
    attention_dropout: f64,
    mlp_dropout: f64,
}

/// Mirrors the shim's `ElectraTorchModernBertLayer`.
#[repr(C)]
struct LayerSettings {
    theta: f64,
    window: i64,
}

unsafe extern "C" {
    fn electra_torch_modernbert(
        level: KernelLevel,
        keys: *const Keys<'_>,
        x: *const C_tensor,
        mask: *const C_tensor,
        positions: *const C_tensor,
        with_padding: bool,
        settings: *const Settings,
        of_layers: *const LayerSettings,
        parameters: *const *const C_tensor,
        layers: usize,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
}

/// Layers of which the first has no `LayerNorm` before its attention and each other has one.
pub(crate) fn layers(
    level: KernelLevel,
    keys: &Keys<'_>,
    x: &Tensor,
    mask: &Tensor,
    select: Select<'_>,
    settings: &ModernBertSettings,
    (layers, final_norm): (&[ModernBertLayer<'_>], &Tensor),
) -> Result<Option<Tensor>, Error> {
    let following = layers.iter().skip(1).filter_map(|layer| layer.attention_norm).chain([final_norm]);
    let parameters: Vec<[&Tensor; PARAMETERS]> = (layers.iter().zip(following))
        .map(|(layer, next)| {
            [layer.wqkv, layer.attention_wo, layer.mlp_norm, layer.mlp_wi, layer.mlp_wo, next]
        })
        .collect();
    let ModernBertSettings { heads, eps, attention_dropout, mlp_dropout } = *settings;
    let settings = Settings { heads, eps, attention_dropout, mlp_dropout };
    let of_layers = layers
        .iter()
        .map(|layer| LayerSettings { theta: layer.rotary.theta, window: layer.window.unwrap_or(-1) });
    let of_layers: Vec<_> = of_layers.collect();
    assert_eq!(
        of_layers.len(),
        parameters.len(),
        "every layer but the first has a LayerNorm before its attention"
    );
    let (positions, with_padding) = match select {
        Select::All => (std::ptr::null(), true),
        Select::Unpadded => (std::ptr::null(), false),
        Select::Positions(positions) => (positions.as_ptr(), false),
    };
    let parameters: Vec<_> = parameters.iter().flatten().map(|tensor| tensor.as_ptr()).collect();
    let mut output = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, or null for no positions, as many parameters and settings as the shim
    // reads, and the last to a live pointer.
    check(unsafe {
        electra_torch_modernbert(
            level,
            keys,
            x.as_ptr(),
            mask.as_ptr(),
            positions,
            with_padding,
            &raw const settings,
            of_layers.as_ptr(),
            parameters.as_ptr(),
            of_layers.len(),
            &raw mut output,
        )
    })?;
    // SAFETY: what is not null is a new tensor of the shim's, which is owned from here on.
    Ok((!output.is_null()).then(|| unsafe { Tensor::from_ptr(output) }))
}
