//! What can go wrong with a study.

use std::path::{Path, PathBuf};

/// What can go wrong with a study as a whole. A job that fails is no error: it is reported, and what does not
/// need it goes on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A plan that is no TOML, or has a key that is unknown, missing or of another kind.
    #[error("{origin}: {message}")]
    Toml {
        /// The file, the plan's name, or `--set`.
        origin: String,
        /// What the parser says.
        message: String,
    },
    /// A value that cannot be.
    #[error("{origin}: {key}: {found}; expected {expected}")]
    Setting {
        /// The file, the plan's name, or `--set`.
        origin: String,
        /// The key, with its sections.
        key: String,
        /// Its value.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// The folder holds a study of another plan.
    #[error(
        "{}: holds a study of another plan; name another folder, or set:{}",
        folder.display(), differences.iter().map(|one| format!("\n  {one}")).collect::<String>()
    )]
    Differs {
        /// The study's folder.
        folder: PathBuf,
        /// A line for each key that differs.
        differences: Vec<String>,
    },
    /// The folder holds something that is no study.
    #[error("{}: holds files and no plan.toml, so it is no study; name a new folder, or an empty one", folder.display())]
    NoStudy {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process works on this study.
    #[error("{}: another process is working on this study", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A result that is not what its job writes.
    #[error("{}: {what}", path.display())]
    Result {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// Settings of pre-training are wrong.
    #[error("{origin}: pretrain: {source}")]
    Pretrain {
        /// The plan.
        origin: String,
        /// What is wrong.
        source: Box<electra_trainer::Error>,
    },
    /// An objective is not known.
    #[error(transparent)]
    Objective(#[from] electra_ablations::Unknown),
    /// The corpus cannot be read.
    #[error(transparent)]
    Data(#[from] electra_data::Error),
    /// The tokenizer cannot be read.
    #[error(transparent)]
    Tokenizer(#[from] electra_tokenizer::Error),
    /// Text is not there.
    #[error(transparent)]
    Text(#[from] electra_text::Error),
    /// A task cannot be read.
    #[error(transparent)]
    Tasks(#[from] electra_tasks::Error),
    /// The report could not be made.
    #[error(transparent)]
    Report(#[from] electra_report::Error),
}

impl Error {
    /// An [`Error::Io`] with its place, for `map_err`.
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), doing, source }
    }
}
