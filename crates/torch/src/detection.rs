use crate::{Affine, Error, ffi};
use tch::Tensor;

/// prediction(GELU(dense(x))) in each row as one operation: ELECTRA's head.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `x` `[…, D]`, `dense` D→D, `prediction` D→1 → `[…]`
///
/// # Errors
///
/// Shapes that do not fit.
pub fn detect(x: &Tensor, dense: Affine<'_>, prediction: Affine<'_>) -> Result<Option<Tensor>, Error> {
    ffi::detection::detect(x, dense, prediction)
}
