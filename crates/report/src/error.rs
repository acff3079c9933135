//! What can go wrong between findings and files.

use std::path::PathBuf;

/// What can go wrong between findings and files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
