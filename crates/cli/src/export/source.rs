//! What a run's folder has for an export.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use electra_data::{Corpus, Manifest};
use electra_tokenizer::Tokenizer;
use electra_trainer::{Checkpoint, Config, RunFolder};
use serde::Deserialize;

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
        let checkpoint = checkpoint(&run, folder, step)?;
        let path = checkpoint.folder.join("state.json");
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        let state = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        let corpus = match Corpus::open(&config.data.corpus) {
            Ok(corpus) => Some(corpus.manifest().clone()),
            Err(error) => {
                eprintln!("note: the model card says nothing of the corpus: {error}");
                None
            }
        };
        let tokenizer = self::tokenizer(&config, corpus.as_ref(), tokenizer)?;
        Ok(Self { config, checkpoint, state, corpus, tokenizer })
    }
}

fn checkpoint(run: &RunFolder, folder: &Path, step: Option<u64>) -> Result<Checkpoint> {
    let Some(step) = step else {
        let (newest, damaged) = run.newest_checkpoint()?;
        for error in damaged {
            eprintln!("warning: {error}");
        }
        return newest.with_context(|| format!("{}: no checkpoint was saved yet", folder.display()));
    };
    run.checkpoint(step).with_context(|| format!("--step {step}"))
}

/// The tokenizer that made the run's examples: any other would make nonsense of the ids.
fn tokenizer(config: &Config, corpus: Option<&Manifest>, given: Option<&Path>) -> Result<Tokenizer> {
    // A corpus has its tokenizer in it.
    let named = || config.data.tokenizer.clone().unwrap_or_else(|| config.data.corpus.join("tokenizer"));
    let path: PathBuf = given.map_or_else(named, Path::to_owned);
    let shown = path.display();
    let tokenizer = Tokenizer::load(&path)
        .with_context(|| format!("{shown}: the tokenizer (--tokenizer names another place)"))?;
    let (tokens, rows) = (tokenizer.vocab_size() as i64, config.model.encoder.vocab_size);
    ensure!(tokens <= rows, "{shown}: {tokens} tokens; expected at most the model's {rows}");
    if let Some(corpus) = corpus {
        let found = tokenizer.fingerprint_hex();
        ensure!(
            found == corpus.tokenizer,
            "{shown}: another tokenizer than the corpus was built with: its sha256 is {found}, corpus.json says {}",
            corpus.tokenizer
        );
    }
    Ok(tokenizer)
}
