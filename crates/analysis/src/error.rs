//! What can be wrong with measurements.

/// What can be wrong with measurements.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to analyse.
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
    /// A number out of its range.
    #[error("{field}: {found}; expected {expected}")]
    Value {
        /// Where it stands.
        field: String,
        /// What it is.
        found: f64,
        /// What it has to be.
        expected: &'static str,
    },
    /// Predictions that are malformed, or that do not give the score beside them.
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
}
