//! What can go wrong in writing a language down.

/// What can go wrong in writing a language down.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is outside its range.
    #[error("{field}: {found}; expected {expected}")]
    Config {
        /// The setting's name.
        field: &'static str,
        /// Its value.
        found: u64,
        /// What it has to be.
        expected: &'static str,
    },
    /// There is something in the folder already, or a file or folder could not be written.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
}
