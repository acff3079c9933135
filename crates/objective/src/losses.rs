//! Losses: weighted sums over the rows at hand, divided by a total of the whole step.
//!
//! A batch may be a part of a step. Where each part divides by the step's total
//! ([`Batch::total`](crate::Batch::total)), the parts' losses and gradients add up to the step's, however unequal the
//! parts are.

use tch::{Kind, Reduction, Tensor};

/// Σ w·x / total, float32.
///
/// # Shapes
/// `values` and `weights` of one shape, `total` a scalar → scalar
///
/// # Panics
/// If the shapes differ.
pub fn mean(values: &Tensor, weights: &Tensor, total: &Tensor) -> Tensor {
    let fused = electra_torch::mean(values, weights, total).expect("values and weights of one shape");
    if let Some(mean) = fused {
        return mean;
    }
    (values.to_kind(Kind::Float) * weights.to_kind(Kind::Float)).sum(Kind::Float) / total
}

/// The weighted mean of the rows at hand, Σ w·x / Σ w, float32; 0 if all weights are 0. For metrics whose weights are
/// known to this part of a step alone.
///
/// # Shapes
/// `values` and `weights` of one shape → scalar
///
/// # Panics
/// If the shapes differ.
pub fn mean_here(values: &Tensor, weights: &Tensor) -> Tensor {
    mean(values, weights, &weights.sum(Kind::Float).clamp_min(1e-6))
}

/// −log σ(logit) where the target is 1, −log σ(−logit) where it is 0, times the weights, summed and divided by the total
/// (paper §2, `L_Disc`).
///
/// # Shapes
/// `logits`, `targets` (0 or 1), `weights`: one shape; `total` a scalar → scalar, float32
///
/// # Panics
/// If the shapes differ.
pub fn binary_cross_entropy(logits: &Tensor, targets: &Tensor, weights: &Tensor, total: &Tensor) -> Tensor {
    let fused =
        electra_torch::binary_cross_entropy(logits, targets, weights, total).expect("tensors of one shape");
    if let Some(loss) = fused {
        return loss;
    }
    let weights = weights.to_kind(Kind::Float);
    let no_weights: Option<&Tensor> = None;
    let loss = logits.to_kind(Kind::Float).binary_cross_entropy_with_logits(
        &targets.to_kind(Kind::Float),
        Some(&weights),
        no_weights,
        Reduction::Sum,
    );
    loss / total
}
