//! The operations of an encoder and its heads: each one function, in a file with its formula.
//!
//! A formula is written with libtorch's operations and computes anything: every device, every precision,
//! every kind of attention. Where there are kernels for what is asked (float32 on the CPU, not under
//! autocast, a libtorch that exports a BLAS), they compute the same to rounding, in less time. Functions
//! panic where shapes do not fit, as tch's do.

mod detection;
mod embeddings;
mod layers;
mod losses;
mod modernbert;
mod rotary;
mod transform;
mod vocabulary;

#[cfg(test)]
mod levels;

pub use detection::detect;
pub use embeddings::{EmbeddingParameters, embed};
pub use layers::{Attention, LayerParameters, LayerSettings, Select, encoder_layer, encoder_layers};
pub use losses::{binary_cross_entropy, mean};
pub use modernbert::{ModernBertLayer, ModernBertSettings, modernbert_layers};
pub use rotary::Rotary;
pub use transform::transform;
pub use vocabulary::{LogLikelihood, log_likelihood, log_likelihood_alone, sample, sample_cumulative};

use crate::{Error, KernelLevel};
use tch::Tensor;

/// Weight and bias of a linear map or a `LayerNorm`.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    /// `[outputs, inputs]`, or `[D]`.
    pub weight: &'a Tensor,
    /// `[outputs]`, or `[D]`.
    pub bias: &'a Tensor,
}

impl Affine<'_> {
    /// x Wᵀ + b: `[…, inputs]` → `[…, outputs]`.
    fn linear(&self, x: &Tensor) -> Tensor {
        x.linear(self.weight, Some(self.bias))
    }

    /// `[…, D]` → `[…, D]`
    fn layer_norm(&self, x: &Tensor, eps: f64) -> Tensor {
        x.layer_norm(self.weight.size(), Some(self.weight), Some(self.bias), eps, true)
    }
}

/// Where `rate` is 0 nothing is done and no random number drawn.
fn dropout(x: Tensor, rate: f64) -> Tensor {
    if rate > 0.0 { x.dropout(rate, true) } else { x }
}

/// # Panics
/// If a rate of dropout is not from 0 to below 1.
fn check_rate(name: &'static str, rate: f64) {
    crate::error::expect_rate(name, rate).unwrap_or_else(|error| panic!("{error}"));
}

/// What kernels give at this thread's level; none where there are none for what is asked.
///
/// # Panics
/// With what `kernels` fails with: shapes that do not fit, or a level that this machine lacks.
fn by_kernels<T>(kernels: impl FnOnce(KernelLevel) -> Result<Option<T>, Error>) -> Option<T> {
    let found = KernelLevel::of_kernels().and_then(|level| level.map_or(Ok(None), kernels));
    found.unwrap_or_else(|error| panic!("{error}"))
}
