//! What a caller hands to a run, and hears of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use electra_config::Config;
use electra_objective::Spec;

use crate::{Ranks, Remark};

/// What to train, where, and who is told.
pub struct Run<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The run's folder. If it holds a run of the same settings, that goes on.
    pub folder: &'a Path,
    /// The objective that is trained.
    pub objective: &'a Spec,
    /// For each token whether it goes on a word; empty unless `masking.choice` speaks of words.
    pub continues_word: &'a [bool],
    /// The processes that train it together. The first writes the folder; the others need not have it.
    pub ranks: &'a Ranks,
    /// Once true, the step is finished and saved, and the run ends as [`Outcome::Interrupted`].
    pub stop: &'a AtomicBool,
    /// Is told what happens, between steps: what it does, the run waits for.
    pub observer: &'a mut dyn FnMut(&Event),
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("folder", &self.folder)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// What happens in a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Something that a person should know and that does not end the run: a damaged checkpoint that is passed
    /// over, another environment than before.
    Warning(String),
    /// The first step is about to be made.
    Started {
        /// Steps that are done already; above 0 the run goes on from a checkpoint.
        step: u64,
        /// T; none if the run is limited by time.
        steps: Option<u64>,
        /// Parameters that are trained.
        parameters: u64,
        /// What matrix products are computed in and, of bfloat16 on the CPU, by what.
        products: String,
        /// Operations a second of matrix products on this device, measured.
        peak_flops_per_s: f64,
        /// The loss, in nats, of masked or next tokens for somebody who knows how frequent tokens are and nothing else;
        /// none where no language model is trained.
        unigram_loss: Option<f64>,
    },
    /// A step is done.
    Step {
        /// Steps that are done.
        step: u64,
        /// How much of the run is over, 0 to 1.
        progress: f64,
        /// The numbers of the last log step; none before the first of this sitting.
        rates: Option<Rates>,
    },
    /// The run's curves say something of it.
    Remark(Remark),
    /// A file of a checkpoint is written; it counts once all are.
    Writing {
        /// The file, under its temporary name.
        file: PathBuf,
    },
    /// A checkpoint is whole.
    Saved {
        /// Steps that are done.
        step: u64,
        /// Its folder.
        folder: PathBuf,
    },
}

/// How a run is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The loss.
    pub loss: f64,
    /// The last numbers of held-out text in this sitting; none without such text, and before they are first measured.
    pub valid: Option<Valid>,
    /// Tokens a second since the log step before, padding included.
    pub tokens_per_s: f64,
    /// The model's operations a second, padding and whole layers counted though less may be computed, over the
    /// measured peak of matrix products.
    pub peak_share: f64,
    /// Seconds until the end at this speed.
    pub seconds_left: f64,
}

/// What a run measured on held-out text (`data.valid`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Valid {
    /// Steps that were done.
    pub step: u64,
    /// The objective's loss.
    pub loss: f64,
    /// The masked-LM loss, a generator's where there is one, in nats.
    pub masked_lm_loss: Option<f64>,
    /// The discriminator's area under the ROC curve, the mean over batches.
    pub disc_auc: Option<f64>,
}

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The budget is used up.
    Finished {
        /// Steps that are done.
        step: u64,
    },
    /// Somebody interrupted it; the same command continues.
    Interrupted {
        /// Steps that are done, and saved.
        step: u64,
    },
}
