use crate::{Error, KernelLevel, ffi};
use tch::Tensor;

/// Σ w·x / max(Σ w, 1e-6) as one operation, which finds its gradient while it computes its value.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `values` and `weights` (float32 or bool): one shape → scalar
///
/// # Errors
///
/// Shapes that differ.
pub fn mean(values: &Tensor, weights: &Tensor) -> Result<Option<Tensor>, Error> {
    match KernelLevel::of_kernels()? {
        Some(_) => ffi::losses::mean(values, weights),
        None => Ok(None),
    }
}

/// The same mean of −log σ(logit) where the target is 1 and −log σ(−logit) where it is 0.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `logits`, `targets` and `weights` (both float32 or bool): one shape → scalar
///
/// # Errors
///
/// Shapes that differ.
pub fn binary_cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    weights: &Tensor,
) -> Result<Option<Tensor>, Error> {
    match KernelLevel::of_kernels()? {
        Some(_) => ffi::losses::binary_cross_entropy(logits, targets, weights),
        None => Ok(None),
    }
}
