//! Losses as weighted means.

use tch::{Kind, Reduction, Tensor};

/// The weighted mean Σ w·x / Σ w, float32; 0 if all weights are 0.
///
/// # Shapes
/// `values` and `weights` of one shape → scalar
///
/// # Panics
/// If the shapes differ.
pub fn mean(values: &Tensor, weights: &Tensor) -> Tensor {
    if let Some(mean) = electra_torch::mean(values, weights).expect("values and weights of one shape") {
        return mean;
    }
    let weights = weights.to_kind(Kind::Float);
    (values.to_kind(Kind::Float) * &weights).sum(Kind::Float) / total(&weights)
}

/// Σ w, or something tiny where that is 0: a batch without a masked token has the loss 0 and not 0 / 0.
pub(crate) fn total(weights: &Tensor) -> Tensor {
    weights.sum(Kind::Float).clamp_min(1e-6)
}

/// −log σ(logit) where the target is 1, −log σ(−logit) where it is 0, averaged over the places with weight
/// (paper §2, `L_Disc`).
///
/// # Shapes
/// `logits`, `targets` (0 or 1), `weights`: one shape → scalar, float32
///
/// # Panics
/// If the shapes differ.
pub fn binary_cross_entropy(logits: &Tensor, targets: &Tensor, weights: &Tensor) -> Tensor {
    let fused = electra_torch::binary_cross_entropy(logits, targets, weights).expect("tensors of one shape");
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
    loss / total(&weights)
}
