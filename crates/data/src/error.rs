//! What can go wrong between documents and batches.

use std::path::PathBuf;

/// What can go wrong between documents and batches.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is outside its range, or two settings exclude each other.
    #[error("{field}: {found}; expected {expected}")]
    Config {
        /// The setting's name.
        field: &'static str,
        /// Its value, or what is wrong with it.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// A file or folder could not be read or written, or the folder to write holds something already.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
    /// A shard is not what it was when it was written.
    #[error("{}: damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// The shard.
        path: PathBuf,
        /// Where in the file the damage was seen.
        offset: u64,
        /// What was found, and what was expected.
        what: String,
    },
    /// A file is of another kind, or of a version that this program does not know.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// A token id that the corpus's vocabulary does not hold.
    #[error("token id {id} is not in a vocabulary of {vocab_size} tokens (ids 0 to {})", vocab_size - 1)]
    TokenId {
        /// The id.
        id: u32,
        /// How many tokens the vocabulary has.
        vocab_size: u32,
    },
    /// No document gave a single token.
    #[error("no text: {documents} documents, and no token in any of them")]
    Empty {
        /// How many documents were read.
        documents: u64,
    },
    /// The system has no thread left.
    #[error("starting a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The caller asked for the work to stop.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// A setting of masking, or the vocabulary, is not what it has to be.
    #[error(transparent)]
    Masking(#[from] electra_masking::Error),
    /// The text could not be read.
    #[error(transparent)]
    Text(#[from] electra_text::Error),
}
