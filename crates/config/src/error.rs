//! What can be wrong with a configuration.

use std::path::{Path, PathBuf};

/// What can be wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of an encoder is outside its range.
    #[error("{field}: {found}; expected {expected}")]
    Encoder {
        /// The field's name.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// A value of a `config.json` of the Hub that no encoder here can be.
    #[error("{}: {field}: {found}; expected {expected}", path.display())]
    Hub {
        /// The file.
        path: PathBuf,
        /// The field's name.
        field: &'static str,
        /// Its value, as JSON.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// A `config.json` that is not a JSON object.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// A file of a checkpoint is not what was written.
    #[error("{}: damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// There are checkpoints, and none is whole.
    #[error(
        "{}: no checkpoint is complete: {}; put a complete one there, or remove the folder to begin the run again",
        folder.display(), damage.join("; ")
    )]
    NoWholeCheckpoint {
        /// The folder of the checkpoints.
        folder: PathBuf,
        /// What is wrong with each.
        damage: Vec<String>,
    },
    /// A setting of masking is wrong.
    #[error(transparent)]
    Masking(#[from] electra_masking::Error),
    /// A file could not be read, or a setting in it is wrong.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
}

impl Error {
    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}
