//! What a run's curves say of it: whether it stays at what token frequencies tell, and whether its discriminator calls
//! every token original. Both are usual at the beginning of a run, and a fault where they last.

mod detector;
mod plateau;
mod window;

#[cfg(test)]
mod tests;

use electra_objective::{LM_LOSS, MASKED_LM_LOSS};
use serde::{Deserialize, Serialize};

use self::detector::Detector;
use self::plateau::Plateau;

/// Masked tokens whose mean loss is known well enough: its standard error is some 0.08 nats, as the loss of one token has a
/// standard deviation of about 2.5 on the plateau.
const ENOUGH_MASKED: u64 = 1000;
/// The fewest and the most log lines that a mean is over.
const LINES: (usize, usize) = (10, 100);

/// A state that a run is in, or that it has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Steps that were done when it was seen.
    pub step: u64,
    /// The state.
    pub state: RunState,
    /// Steps that were done when it began.
    pub since: u64,
    /// Whether it is over.
    pub is_over: bool,
    /// The same in words.
    pub text: String,
}

/// A state of a run that a person should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunState {
    /// The loss of the tokens that are predicted stays at what token frequencies alone give.
    UnigramPlateau,
    /// The discriminator calls every token original, or nearly every one.
    CallsAllOriginal,
}

/// The tokens of which frequencies alone tell something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Predicted {
    /// Masked ones, by the encoder or by its generator.
    Masked,
    /// Each from those before it.
    Next,
}

impl Predicted {
    /// The loss of theirs, by its name in the logs.
    pub(crate) fn metric(self) -> &'static str {
        match self {
            Self::Masked => MASKED_LM_LOSS,
            Self::Next => LM_LOSS,
        }
    }

    /// The same in words.
    fn words(self) -> &'static str {
        match self {
            Self::Masked => "masked-LM loss",
            Self::Next => "LM loss",
        }
    }
}

/// What the remarks of a run depend on, the same from its first step to its last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// What is predicted, and the loss, in nats, that token frequencies alone give; none where no language model is trained.
    pub(crate) unigram: Option<(Predicted, f64)>,
    /// Log lines that means are over.
    pub(crate) lines: usize,
}

impl Watch {
    /// For steps of so many masked tokens.
    pub(crate) fn new(unigram: Option<(Predicted, f64)>, masked: u64) -> Self {
        let lines = ENOUGH_MASKED.div_ceil(masked.max(1)) as usize;
        Self { unigram, lines: lines.clamp(LINES.0, LINES.1) }
    }
}

/// What a log line says that remarks are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Steps that are done.
    pub(crate) step: u64,
    /// Whether the warm-up of the learning rate is over.
    pub(crate) is_warm: bool,
    /// The step's loss of what is predicted, a generator's where there is one.
    pub(crate) loss: Option<f64>,
    /// The share of the replaced tokens that the discriminator calls replaced.
    pub(crate) recall: Option<f64>,
}

/// What a run's log lines so far have shown. It is saved with the run, so that nothing is said twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Health {
    plateau: Plateau,
    detector: Detector,
}

impl Health {
    /// Takes a log line, and gives what is to be said now.
    pub(crate) fn take(&mut self, watch: &Watch, seen: &Seen) -> Vec<Remark> {
        // A step that was skipped says nothing.
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let plateau = watch
            .unigram
            .zip(finite(seen.loss))
            .and_then(|(unigram, loss)| self.plateau.take(seen.step, loss, unigram, watch.lines));
        let detector = finite(seen.recall)
            .filter(|_| seen.is_warm)
            .and_then(|recall| self.detector.take(seen.step, recall, watch.lines));
        plateau.into_iter().chain(detector).collect()
    }
}
