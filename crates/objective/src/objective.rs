//! What an objective is.

use electra_encoder::Encoder;
use tch::Tensor;

use crate::{Batch, Inspection};

/// A pre-training objective: one masked batch in, one scalar loss out.
///
/// Its parameters lie in the `VarStore` it was made with. Nothing else changes from step to step, so an
/// objective needs no checkpoint of its own.
pub trait Objective {
    /// The encoder that is kept after pre-training and handed to fine-tuning.
    fn encoder(&self) -> &Encoder;

    /// Loss and metrics of one batch; every tensor stays on the batch's device, and nothing waits for it.
    fn forward_t(&self, batch: &Batch, train: bool) -> Output;

    /// Whether [`forward_t`](Self::forward_t) waits for the device after all, as a control may. Its steps cannot be
    /// recorded as a graph.
    fn waits_for_device(&self) -> bool {
        false
    }

    /// What became of a batch and what is said of it, without dropout and gradients: for measuring, not for
    /// training. None of an objective that does not tell.
    fn inspect(&self, _batch: &Batch) -> Option<Inspection> {
        None
    }
}

/// What a step of an objective gives.
#[derive(Debug)]
pub struct Output {
    /// The loss to be minimised: a scalar, float32.
    pub loss: Tensor,
    /// What else is worth knowing of the step.
    pub metrics: Metrics,
}

/// A name and a scalar on the device.
pub type Metric = (String, Tensor);

/// Metrics of a step that are computed when somebody asks, which is at log steps only. Until then they hold
/// on to the tensors that they are computed from, detached from the graph.
pub struct Metrics(Box<dyn FnOnce() -> Vec<Metric>>);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics(…)")
    }
}

impl Metrics {
    /// Metrics that `compute` will give. Tensors that it owns should be detached, so that the graph of the
    /// step can go.
    #[must_use]
    pub fn new(compute: impl FnOnce() -> Vec<(&'static str, Tensor)> + 'static) -> Self {
        Self(Box::new(|| compute().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    /// These under names that begin with `prefix`.
    #[must_use]
    pub fn prefixed(self, prefix: &'static str) -> Self {
        Self(Box::new(move || {
            self.0().into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)).collect()
        }))
    }

    /// These, then `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Box::new(|| {
            let mut metrics = self.0();
            metrics.extend(other.0());
            metrics
        }))
    }

    /// The metrics, scalars on the batch's device; without gradients.
    #[must_use]
    pub fn compute(self) -> Vec<Metric> {
        tch::no_grad(self.0)
    }
}
