//! Everything that is known of an objective by its name.

use electra_config::{ModelConfig, ObjectiveInfo};
use electra_data::{Corpus, View};
use electra_masking::{Masker, MaskingConfig};
use tch::nn;

use crate::Objective;

/// Why an objective cannot be made of what it is given.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An objective as one value, defined in the objective's own file. A trainer takes it, a registry is a list of
/// them.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What is known of it without its networks.
    pub info: ObjectiveInfo,
    /// What the loader prepares for it.
    pub view: fn(&Given<'_>) -> Result<Box<dyn View>, BoxError>,
    /// Makes its networks under the root of an empty `VarStore`. Their parameters have no values yet: see
    /// [`electra_encoder::initialise`]. Those under `main` are exported.
    pub build: Build,
}

/// Makes an objective's networks under a root.
pub type Build = fn(&nn::Path<'_>, &Given<'_>) -> Result<Box<dyn Objective>, BoxError>;

/// What an objective is made of.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Its networks and the weights of its losses.
    pub model: &'a ModelConfig,
    /// Its masking.
    pub masking: &'a MaskingConfig,
    /// The text, with its vocabulary and token counts.
    pub corpus: &'a Corpus,
    /// By token id, whether the token continues the word before it; empty where masking does not speak of words.
    pub continues_word: &'a [bool],
    /// The run's seed.
    pub seed: u64,
    /// T, the steps of the run, where they are known: what changes with its progress is spread over them. Without them it is
    /// as at the end.
    pub steps: Option<u64>,
}

/// The view of every objective that masks: see the columns of [`Masker`].
///
/// # Errors
/// If the masking's settings are wrong.
pub fn masked_view(given: &Given<'_>) -> Result<Box<dyn View>, BoxError> {
    let Given { masking, corpus, continues_word, seed, steps, .. } = *given;
    let masker =
        Masker::new(masking.clone(), corpus.vocabulary(), continues_word, corpus.max_length(), seed)?;
    Ok(Box::new(match steps {
        Some(steps) => masker.over(steps),
        None => masker,
    }))
}
