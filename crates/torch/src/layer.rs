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

/// A post-LayerNorm layer of BERT without dropout as one operation: the same kernels in the same order as when it is
/// written with `tch`, and one node of the graph instead of some twenty-five. `mask` is added to the scores: 0 where a key
/// may be attended to, −∞ where not.
///
/// `None` where libtorch would choose other kernels: on another device than the CPU, in another precision than float32,
/// and under autocast. It has a first derivative and no second.
///
/// # Shapes
/// `x` `[B, L, D]`, `mask` `[B, 1, 1, L]` → `[B, L, D]`
///
/// # Errors
///
/// Shapes that do not fit.
pub fn encoder_layer(
    x: &Tensor,
    mask: &Tensor,
    heads: i64,
    eps: f64,
    parameters: LayerParameters<'_>,
) -> Result<Option<Tensor>, Error> {
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
    ffi::layer::layer(x, mask, heads, eps, list)
}
