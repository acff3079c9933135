//! What can go wrong in writing a language down.

use std::path::PathBuf;

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
    /// There is something in the folder already.
    #[error("{}: is not empty; expected a folder that is new or empty", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}
