use crate::{Affine, Error, ffi};
use tch::Tensor;

/// `LayerNorm`(GELU(dense(x))) as one operation: what a head compares with its vocabulary.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `x` `[…, D]`, `dense` D→E → `[…, E]`
///
/// # Errors
///
/// Shapes that do not fit.
pub fn transform(
    x: &Tensor,
    dense: Affine<'_>,
    layer_norm: Affine<'_>,
    eps: f64,
) -> Result<Option<Tensor>, Error> {
    ffi::transform::transform(x, dense, layer_norm, eps)
}
