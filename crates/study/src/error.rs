//! What can go wrong with a study.

use std::path::PathBuf;

/// What can go wrong with a study as a whole. A job that fails is not an error: it is reported, and what does not
/// need it goes on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written, the folder belongs to others, or the plan is wrong.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
    /// A result that is not what its job writes.
    #[error("{}: {what}", path.display())]
    Result {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// Settings of pre-training are wrong.
    #[error(transparent)]
    Config(#[from] electra_config::Error),
    /// An objective is not known.
    #[error(transparent)]
    Objective(#[from] electra_config::UnknownObjective),
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
    /// The measurements could not be analysed.
    #[error(transparent)]
    Analysis(#[from] electra_analysis::Error),
}
