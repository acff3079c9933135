use crate::dropout::with_keys;
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

/// What layers are beside their parameters.
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

/// The positions at which the output of an encoder is computed.
#[derive(Debug, Clone, Copy)]
pub enum Select<'a> {
    /// At all positions, padding among them, as transformers has it.
    All,
    /// At tokens; where there is padding, the output is 0 or means nothing.
    Unpadded,
    /// At these positions of each row, int64 `[B, N]`, and so of the last layer at no others. At padding the output is 0
    /// or means nothing.
    Positions(&'a Tensor),
}

/// Post-LayerNorm layers of BERT, one on top of the other, as one operation, whose matrix products are all that it does
/// slowly: what lies between two of them is a single pass, and one node of the graph stands for some twenty-five a layer.
/// The mask is true at tokens, which alone are attended to. What is not selected is not computed.
///
/// A backward pass adds the gradients to those of parameters that are leaves, as it does in any graph. One that is asked for
/// the gradients of certain tensors (`Tensor::run_backward`) finds that of `x`, and those of parameters not.
///
/// What dropout drops is a function of three numbers a layer that are drawn from libtorch's generator of the CPU, whatever
/// the number of threads.
///
/// `None` where there are no kernels for it: on another device than the CPU, in another precision than float32, under
/// autocast, and with a libtorch that exports no BLAS. It has a first derivative and no second.
///
/// # Shapes
/// `x` `[B, L, D]`, `attention_mask` bool `[B, L]` → `[B, L, D]`, or at positions `[B, N]` `[B, N, D]`
///
/// # Errors
///
/// Shapes that do not fit, a position that is not below L, or no layer.
pub fn encoder_layers(
    x: &Tensor,
    attention_mask: &Tensor,
    select: Select<'_>,
    settings: LayerSettings,
    layers: &[LayerParameters<'_>],
) -> Result<Option<Tensor>, Error> {
    crate::error::expect_rate("hidden_dropout", settings.hidden_dropout)?;
    crate::error::expect_rate("attention_dropout", settings.attention_dropout)?;
    let parameters: Vec<_> = layers.iter().map(LayerParameters::list).collect();
    with_keys(|keys| ffi::layers::layers(keys, x, attention_mask, select, &settings, &parameters))
}

impl<'a> LayerParameters<'a> {
    fn list(&self) -> [&'a Tensor; ffi::layers::PARAMETERS] {
        let affine = [
            self.query,
            self.key,
            self.value,
            self.attention_output,
            self.attention_layer_norm,
            self.intermediate,
            self.output,
            self.layer_norm,
        ];
        let mut list = [self.query.weight; ffi::layers::PARAMETERS];
        for (pair, Affine { weight, bias }) in list.chunks_exact_mut(2).zip(affine) {
            (pair[0], pair[1]) = (weight, bias);
        }
        list
    }
}
