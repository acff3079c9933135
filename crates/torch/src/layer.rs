use crate::{Error, ffi};
use tch::Tensor;

/// Weight and bias of a linear map or a `LayerNorm`.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    /// `[outputs, inputs]`, or `[D]`.
    pub weight: &'a Tensor,
    /// `[outputs]`, or `[D]`.
    pub bias: &'a Tensor,
}

/// The parameters of a layer of BERT, under the names of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct LayerParameters<'a> {
    /// `attention.self.query`, `[D, D]`.
    pub query: Affine<'a>,
    /// `attention.self.key`, `[D, D]`.
    pub key: Affine<'a>,
    /// `attention.self.value`, `[D, D]`.
    pub value: Affine<'a>,
    /// `attention.output.dense`, `[D, D]`.
    pub attention_output: Affine<'a>,
    /// `attention.output.LayerNorm`.
    pub attention_layer_norm: Affine<'a>,
    /// `intermediate.dense`, `[F, D]`.
    pub intermediate: Affine<'a>,
    /// `output.dense`, `[D, F]`.
    pub output: Affine<'a>,
    /// `output.LayerNorm`.
    pub layer_norm: Affine<'a>,
}

/// What a layer is beside its parameters.
#[derive(Debug, Clone, Copy)]
pub struct LayerSettings {
    /// H; divides D.
    pub heads: i64,
    /// Added to the variance in both `LayerNorm`s.
    pub eps: f64,
    /// Probability that a number of what either sub-layer adds is set to 0, from 0 to below 1.
    pub hidden_dropout: f64,
    /// The same of the attention's probabilities.
    pub attention_dropout: f64,
}

/// A post-LayerNorm layer of BERT as one operation, whose matrix products are all that it does slowly: what lies between
/// two of them is a single pass, and one node of the graph stands for some twenty-five. The mask is true at
/// the keys that may be attended to.
///
/// What dropout drops is a function of three numbers that are drawn from libtorch's generator of the CPU, whatever the
/// number of threads.
///
/// `None` where there are no kernels for it: on another device than the CPU, in another precision than float32, under
/// autocast, and with a libtorch that exports no BLAS. It has a first derivative and no second.
///
/// # Shapes
/// `x` `[B, L, D]`, `attention_mask` bool `[B, L]` → `[B, L, D]`
///
/// # Errors
///
/// Shapes that do not fit.
pub fn encoder_layer(
    x: &Tensor,
    attention_mask: &Tensor,
    settings: LayerSettings,
    parameters: LayerParameters<'_>,
) -> Result<Option<Tensor>, Error> {
    crate::error::expect_rate("hidden_dropout", settings.hidden_dropout)?;
    crate::error::expect_rate("attention_dropout", settings.attention_dropout)?;
    let p = parameters;
    let affine = [
        p.query,
        p.key,
        p.value,
        p.attention_output,
        p.attention_layer_norm,
        p.intermediate,
        p.output,
        p.layer_norm,
    ];
    let mut list = [p.query.weight; ffi::layer::PARAMETERS];
    for (pair, Affine { weight, bias }) in list.chunks_exact_mut(2).zip(affine) {
        (pair[0], pair[1]) = (weight, bias);
    }
    ffi::layer::layer(x, attention_mask, &settings, list)
}
