use std::path::PathBuf;

/// What can go wrong between this crate and libtorch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// libtorch threw an exception; the text is its own.
    #[error("libtorch: {message}")]
    Torch {
        /// What the exception says.
        message: String,
    },
    /// A thread count that no pool of threads can have.
    #[error("{given} threads: expected at least 1 and at most {}", i32::MAX)]
    ThreadCount {
        /// The count that was asked for.
        given: usize,
    },
    /// The CUDA part of libtorch is there, and the system's loader refuses it for another reason than a
    /// missing CUDA library.
    #[error("cannot load {}: {message}", library.display())]
    Load {
        /// The library that was to be loaded.
        library: PathBuf,
        /// What the system's loader says.
        message: String,
    },
}
