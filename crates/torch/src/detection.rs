use crate::{Affine, Error, ffi};
use tch::Tensor;

/// prediction · GELU(dense(x)) in each row as one operation: ELECTRA's head, its last bias aside.
///
/// `None` where there are no kernels for it: see [`encoder_layer`](crate::encoder_layer).
///
/// # Shapes
/// `x` `[N, D]`, `dense` D→D, `prediction` `[1, D]` → `[N]`
///
/// # Errors
///
/// Shapes that do not fit.
pub fn detect(x: &Tensor, dense: Affine<'_>, prediction: &Tensor) -> Result<Option<Tensor>, Error> {
    ffi::detection::detect(x, dense.weight, dense.bias, prediction)
}
