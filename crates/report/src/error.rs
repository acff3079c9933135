//! What can go wrong between measurements and report.

use std::path::PathBuf;

/// What can go wrong between measurements and report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to report on.
    #[error("{field}: none; expected at least one")]
    Empty {
        /// What there is none of.
        field: &'static str,
    },
    /// Two things have the same name.
    #[error("{field}: {name:?} is there twice; expected each once")]
    Twice {
        /// The list.
        field: String,
        /// The name.
        name: String,
    },
    /// A name that stands for nothing.
    #[error("{field}: {name:?} is not known; there are {}", known.join(", "))]
    Unknown {
        /// Where the name stands.
        field: String,
        /// The name.
        name: String,
        /// What it could have been.
        known: Vec<String>,
    },
    /// A number that cannot be.
    #[error("{field}: {found}; expected {expected}")]
    Value {
        /// Where it stands.
        field: String,
        /// What it is.
        found: f64,
        /// What it has to be.
        expected: &'static str,
    },
    /// Predictions that cannot be, or that do not give the score beside them.
    #[error("{field}: {what}")]
    Predictions {
        /// Where they stand.
        field: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A statistic could not be computed.
    #[error("{field}: {source}")]
    Metrics {
        /// What of.
        field: String,
        /// What was said.
        source: electra_metrics::Error,
    },
    /// A file or folder could not be read or written.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
    /// A `results.json` of another kind, or of a version that this program does not know.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
}
