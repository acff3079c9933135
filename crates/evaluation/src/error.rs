//! What can go wrong with fine-tuning and scoring.

use std::path::PathBuf;

/// What can go wrong with fine-tuning and scoring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is outside its range, or of another kind than it has to be.
    #[error("{origin}: {key}: {found}; expected {expected}")]
    Setting {
        /// The file, or `--set`.
        origin: String,
        /// The key.
        key: String,
        /// Its value.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// A setting that does not exist.
    #[error("{origin}: there is no key {key}; there are {}", known.join(", "))]
    UnknownKey {
        /// The file, or `--set`.
        origin: String,
        /// The key.
        key: String,
        /// All keys.
        known: Vec<String>,
    },
    /// The folder holds something that is not a result.
    #[error("{}: holds files but no {expected}, so it is not a result; name a new folder", folder.display())]
    NoResult {
        /// The folder.
        folder: PathBuf,
        /// The file that would make it one.
        expected: &'static str,
    },
    /// A model folder that this cannot be done with.
    #[error("{}: {field}: {found}; expected {expected}", folder.display())]
    Model {
        /// The folder.
        folder: PathBuf,
        /// What of it.
        field: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A task that this cannot be done with.
    #[error("task {task}: {what}")]
    Task {
        /// The task.
        task: String,
        /// What was found, and what was expected.
        what: String,
    },
    /// A line of input that is not what it has to be.
    #[error("{origin}: line {line}: {what}")]
    Line {
        /// The file, or "standard input".
        origin: String,
        /// The line, from 1.
        line: u64,
        /// What was found, and what was expected.
        what: String,
    },
    /// Every step of an epoch had a loss or a gradient that is not finite, so nothing was learned in it.
    #[error(
        "seed {seed}: no step of epoch {epoch} had a finite loss and gradient; a lower learning_rate may help"
    )]
    NonFinite {
        /// The seed.
        seed: u64,
        /// The epoch, from 1.
        epoch: u64,
    },
    /// Somebody asked for it.
    #[error("interrupted; the same command continues after the last finished seed")]
    Interrupted,
    /// A file or folder could not be read or written, holds a result of other settings, or a setting is wrong.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
    /// A score could not be computed.
    #[error(transparent)]
    Metrics(#[from] electra_metrics::Error),
    /// A task could not be read.
    #[error(transparent)]
    Tasks(#[from] electra_tasks::Error),
    /// A tokenizer could not be read or written.
    #[error(transparent)]
    Tokenizer(#[from] electra_tokenizer::Error),
    /// Weights could not be read, written or initialised.
    #[error(transparent)]
    Encoder(#[from] electra_encoder::Error),
    /// libtorch refused something.
    #[error("{0}")]
    Torch(#[from] electra_torch::Error),
    /// libtorch threw an exception; the text is its own.
    #[error("libtorch: {0}")]
    Tch(#[from] tch::TchError),
}
