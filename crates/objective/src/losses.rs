//! Losses: weighted sums over the rows at hand, divided by a total of the whole step.
//!
//! A batch may be a part of a step. Where each part divides by the step's total
//! ([`DeviceBatch::total`](crate::DeviceBatch::total)), the parts' losses and gradients add up to the step's, however unequal the
//! parts are.

pub use electra_torch::{binary_cross_entropy, mean};
use tch::{Kind, Tensor};

use crate::DeviceBatch;

/// The loss of masked language modelling, of log p at the masked positions: their mean of −log p, each position as the
/// masking weighs it (`masked_weights`, if the batch has them). Part of the step's where the batch is one.
///
/// # Formula
/// −Σ log p / N over the N masked positions of the step; with weights w = m/k of rows of which k of m maskable tokens are
/// masked, −Σ w · log p / Σ m.
///
/// # Shapes
/// `log_p` `[B, N]` → scalar
///
/// # Panics
/// If the shapes differ, or the view has no masks.
pub fn masked_lm_loss(batch: &DeviceBatch, log_p: &Tensor) -> Tensor {
    match batch.get("masked_weights") {
        Some(weights) => -mean(log_p, weights, batch.total("maskable")),
        None => -mean(log_p, batch.column("masked_valid"), batch.total("masked_valid")),
    }
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
