//! What an objective is.

use electra_encoder::Encoder;
use tch::Tensor;

use crate::{DeviceBatch, Inspection};

/// A pre-training objective: a batch with the columns of its view in, one scalar loss out.
///
/// Its parameters lie in the `VarStore` it was made with. Nothing else changes from step to step, so an
/// objective needs no checkpoint of its own.
pub trait Objective {
    /// The encoder that is kept after pre-training and handed to fine-tuning.
    fn encoder(&self) -> &Encoder;

    /// Loss and metrics of one batch, which may be a part of a step: the loss is a sum over the batch divided by totals of
    /// the whole step ([`DeviceBatch::total`]), so that the losses of parts add up. Every tensor stays on the batch's device, and
    /// nothing waits for it.
    fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output;

    /// Whether [`forward_t`](Self::forward_t) waits for the device after all, as a control may. Its steps cannot be
    /// recorded as a graph.
    fn waits_for_device(&self) -> bool {
        false
    }

    /// What became of a batch and what is said of it, without dropout and gradients: for measuring, not for
    /// training. None of an objective that does not tell.
    fn inspect(&self, _batch: &DeviceBatch) -> Option<Inspection> {
        None
    }
}

/// What a step of an objective gives.
#[derive(Debug)]
pub struct Output {
    /// The loss to be minimised, or this part's share of it: a scalar, float32.
    pub loss: Tensor,
    /// What else is worth knowing of the step.
    pub metrics: Metrics,
}

/// A number that describes a step: a scalar on the device.
#[derive(Debug)]
pub struct Metric {
    /// Its name in the logs.
    pub name: String,
    /// Its value, float32.
    pub value: Tensor,
    /// What it is over, where a step is computed in parts.
    pub over: Over,
}

/// What a metric of one part of a step is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// A share of the whole step's number, as a loss is: the parts' shares add up to it.
    Step,
    /// The rows of the part, as an area under a curve is: the step has the mean over its parts.
    Part,
}

/// Metrics of a step that are computed when somebody asks, which is at log steps only. Until then they hold
/// on to the tensors that they are computed from, detached from the graph.
pub struct Metrics(Box<dyn FnOnce() -> Vec<Metric>>);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics(…)")
    }
}

impl Metrics {
    /// No metrics.
    #[must_use]
    pub fn empty() -> Self {
        Self(Box::new(Vec::new))
    }

    /// Metrics that `compute` will give, each a sum over the rows at hand divided by a total of the whole step: see
    /// [`Over::Step`]. Tensors that it owns should be detached, so that the graph of the step can go.
    #[must_use]
    pub fn shares(compute: impl FnOnce() -> Vec<(&'static str, Tensor)> + 'static) -> Self {
        Self::over(Over::Step, compute)
    }

    /// Metrics that `compute` will give, each of the rows at hand alone: see [`Over::Part`].
    #[must_use]
    pub fn averages(compute: impl FnOnce() -> Vec<(&'static str, Tensor)> + 'static) -> Self {
        Self::over(Over::Part, compute)
    }

    fn over(over: Over, compute: impl FnOnce() -> Vec<(&'static str, Tensor)> + 'static) -> Self {
        let metric = move |(name, value): (&str, Tensor)| Metric { name: name.to_owned(), value, over };
        Self(Box::new(move || compute().into_iter().map(metric).collect()))
    }

    /// These under names that begin with `prefix`.
    #[must_use]
    pub fn prefixed(self, prefix: &'static str) -> Self {
        let renamed = move |metric: Metric| Metric { name: format!("{prefix}{}", metric.name), ..metric };
        Self(Box::new(move || self.0().into_iter().map(renamed).collect()))
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
