use crate::{Error, KernelLevel, ffi};
use tch::Tensor;

/// Σ w·x / total as one operation, which finds its gradient while it computes its value.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `values` and `weights` (float32 or bool): one shape; `total` float32, a scalar → scalar
///
/// # Errors
///
/// Shapes that differ, or a total that wants a gradient.
pub fn mean(values: &Tensor, weights: &Tensor, total: &Tensor) -> Result<Option<Tensor>, Error> {
    match KernelLevel::of_kernels()? {
        Some(_) => ffi::losses::mean(values, weights, total),
        None => Ok(None),
    }
}

/// The same of −log σ(logit) where the target is 1 and −log σ(−logit) where it is 0.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `logits`, `targets` and `weights` (both float32 or bool): one shape; `total` float32, a scalar → scalar
///
/// # Errors
///
/// Shapes that differ, or a total that wants a gradient.
pub fn binary_cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    weights: &Tensor,
    total: &Tensor,
) -> Result<Option<Tensor>, Error> {
    match KernelLevel::of_kernels()? {
        Some(_) => ffi::losses::binary_cross_entropy(logits, targets, weights, total),
        None => Ok(None),
    }
}
