//! What a run's folder has for an export.

use std::path::Path;

use anyhow::{Context, Result};
use electra_config::{Checkpoint, Config, RunFolder};
use electra_data::{Corpus, Manifest};
use electra_tokenizer::Tokenizer;
use serde::Deserialize;

use crate::output;
use crate::torch::run_folder;

/// A run at one of its checkpoints.
pub(super) struct Source {
    pub(super) config: Config,
    pub(super) checkpoint: Checkpoint,
    pub(super) state: State,
    /// None where the corpus is not where the run found it.
    pub(super) corpus: Option<Manifest>,
    pub(super) tokenizer: Tokenizer,
}

/// What of a checkpoint's `state.json` a model card tells.
#[derive(Deserialize)]
pub(super) struct State {
    pub(super) code: String,
    pub(super) elapsed_seconds: f64,
    pub(super) examples_seen: u64,
}

impl Source {
    /// Opens a run at `step`, or at its newest whole checkpoint; `tokenizer` stands for the one that the run's
    /// settings name.
    pub(super) fn open(folder: &Path, step: Option<u64>, tokenizer: Option<&Path>) -> Result<Self> {
        let run = RunFolder::open(folder)?;
        let config = run.config().clone();
        let checkpoint = run_folder::checkpoint(&run, folder, step)?;
        let path = checkpoint.folder.join("state.json");
        let text = electra_store::read(&path)?;
        let state = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        let corpus = match Corpus::open(&config.data.corpus) {
            Ok(corpus) => Some(corpus.manifest().clone()),
            Err(error) => {
                output::tell(&format!("note: the model card says nothing of the corpus: {error}"));
                None
            }
        };
        let tokenizer = run_folder::tokenizer(&config, corpus.as_ref(), tokenizer)?;
        Ok(Self { config, checkpoint, state, corpus, tokenizer })
    }
}
