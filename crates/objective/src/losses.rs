//! Losses: weighted sums over the rows at hand, divided by a total of the whole step.
//!
//! A batch may be a part of a step. Where each part divides by the step's total
//! ([`DeviceBatch::total`](crate::DeviceBatch::total)), the parts' losses and gradients add up to the step's, however unequal the
//! parts are.

pub use electra_torch::{binary_cross_entropy, mean};
use tch::{Kind, Tensor};

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
