//! What a run's folder has for an export.

use std::path::Path;

use anyhow::{Context, Result};
use electra_config::{Checkpoint, Config, RunFolder};
use electra_data::{Corpus, Manifest};
use electra_encoder::Weights;
use electra_tokenizer::Tokenizer;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::output;
use crate::torch::run_folder;

/// A run at one of its steps.
pub(super) struct Source {
    pub(super) config: Config,
    pub(super) step: u64,
    pub(super) weights: Weights,
    pub(super) state: State,
    /// None where the corpus is not where the run found it.
    pub(super) corpus: Option<Manifest>,
    pub(super) tokenizer: Tokenizer,
    /// What was last measured on held-out text; none where nothing was.
    pub(super) valid: Option<ValidScores>,
}

/// What of a checkpoint's `state.json` a model card tells.
#[derive(Deserialize)]
pub(super) struct State {
    pub(super) code: String,
    pub(super) elapsed_seconds: f64,
    pub(super) examples_seen: u64,
}

/// What `metrics.jsonl` says of held-out text.
pub(super) struct ValidScores {
    /// Steps done when it was measured.
    pub(super) step: u64,
    /// By their names there, without `valid/`.
    pub(super) scores: Vec<(String, f64)>,
}

impl Source {
    /// Opens a run at `step`, or at its newest whole checkpoint; `tokenizer` stands for the one that the run's
    /// settings name. Step 0 needs no checkpoint: the first values are functions of the settings.
    pub(super) fn open(folder: &Path, step: Option<u64>, tokenizer: Option<&Path>) -> Result<Self> {
        let run = RunFolder::open(folder)?;
        let config = run.config().clone();
        let (step, weights, state) = match step {
            Some(0) => (0, first_values(&config)?, State::of_beginning()),
            step => {
                let checkpoint = run_folder::checkpoint(&run, folder, step)?;
                (checkpoint.step, electra_trainer::read_model(&checkpoint)?, State::read(&checkpoint)?)
            }
        };
        let corpus = match Corpus::open(&config.data.corpus) {
            Ok(corpus) => Some(corpus.manifest().clone()),
            Err(error) => {
                output::tell(&format!("note: the model card says nothing of the corpus: {error}"));
                None
            }
        };
        let tokenizer = run_folder::tokenizer(&config, corpus.as_ref(), tokenizer)?;
        let valid = ValidScores::read(folder, step)?;
        Ok(Self { config, step, weights, state, corpus, tokenizer, valid })
    }
}

fn first_values(config: &Config) -> Result<Weights> {
    let objective = electra_ablations::objective(&config.objective)?;
    let continues_word = run_folder::continues_word(config)?;
    electra_trainer::first_values(config, objective, &continues_word).context("--step 0, the first values")
}

impl State {
    fn read(checkpoint: &Checkpoint) -> Result<Self> {
        let path = checkpoint.folder.join(Checkpoint::STATE);
        let text = electra_store::read(&path)?;
        serde_json::from_slice(&text).with_context(|| path.display().to_string())
    }

    /// Before the first step.
    fn of_beginning() -> Self {
        Self { code: env!("CARGO_PKG_VERSION").to_owned(), elapsed_seconds: 0.0, examples_seen: 0 }
    }
}

impl ValidScores {
    const PREFIX: &str = "valid/";

    /// The newest at or before a step. A line that cannot be read is of a run that is being written to, and is passed over.
    fn read(run: &Path, step: u64) -> Result<Option<Self>> {
        let path = run.join("metrics.jsonl");
        if !path.exists() {
            return Ok(None);
        }
        let text = electra_store::read_to_string(&path)?;
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok());
        let mut measured = lines.filter_map(|line| {
            let at = line.get("step")?.as_u64().filter(|at| *at <= step)?;
            let score = |(name, value): (&String, &Value)| {
                Some((name.strip_prefix(Self::PREFIX)?.to_owned(), value.as_f64()?))
            };
            let scores: Vec<_> = line.iter().filter_map(score).collect();
            (!scores.is_empty()).then_some(Self { step: at, scores })
        });
        Ok(measured.next_back())
    }
}
