//! What is known of an objective without its networks.

use electra_masking::MaskingConfig;

use crate::{Convention, ModelConfig, Network, Scoring, StepShape};

/// What is known of an objective without its networks. Each objective's own file holds one as a constant.
#[derive(Clone, Copy, Debug)]
pub struct ObjectiveInfo {
    /// What settings and plans call it, such as `electra-15`.
    pub name: &'static str,
    /// What reports call it, such as `ELECTRA 15 %`.
    pub title: &'static str,
    /// Its GLUE score in the paper: Base, development sets (Table 5).
    pub paper: Option<f64>,
    /// Whether the kept encoder reads `[MASK]`, as BERT does.
    pub reads_masks: bool,
    /// Whether a generator is trained beside the kept encoder.
    pub has_generator: bool,
    /// How the kept network scores a sentence without fine-tuning. Exports carry it.
    pub scoring: Scoring,
    /// Whether rows of a batch enter each other's loss, as in a contrastive one: such a step cannot be computed in parts.
    pub couples_rows: bool,
    /// How it masks where the settings do not say otherwise.
    pub masking: fn() -> MaskingConfig,
    /// What a step computes: a network for each pass through an encoder, with its heads. Operations are counted by it.
    pub networks: fn(&ModelConfig) -> Vec<Network<'_>>,
}

/// There is no objective of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("objective: there is none called {name:?}; there are {}", known.join(", "))]
pub struct UnknownObjective {
    /// The name.
    pub name: String,
    /// Those that there are.
    pub known: Vec<&'static str>,
}

impl ObjectiveInfo {
    /// The objective of a name among several.
    ///
    /// # Errors
    /// [`UnknownObjective`].
    pub fn find<'a>(objectives: &[&'a Self], name: &str) -> Result<&'a Self, UnknownObjective> {
        objectives.iter().find(|info| info.name == name).copied().ok_or_else(|| UnknownObjective {
            name: name.to_owned(),
            known: objectives.iter().map(|info| info.name).collect(),
        })
    }

    /// Operations of a training step.
    #[must_use]
    pub fn flops(&self, model: &ModelConfig, shape: StepShape, convention: Convention) -> f64 {
        convention.step(&(self.networks)(model), shape)
    }
}
