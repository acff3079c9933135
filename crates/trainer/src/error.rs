//! What can go wrong with a run.

use std::path::{Path, PathBuf};

/// What the functions that a caller hands in may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong with a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written, belongs to others, or has settings that cannot be.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
    /// A checkpoint could not be saved, so the run stopped.
    #[error("the checkpoint of step {step} was not saved: {source}; {}", intact(last.as_deref()))]
    Save {
        /// The step that had been finished.
        step: u64,
        /// The newest checkpoint, which is as it was.
        last: Option<PathBuf>,
        /// Why.
        source: Box<Error>,
    },
    /// Too many steps in a row had a loss or a gradient that is not finite. The parameters are those of the
    /// step before them.
    #[error(
        "{}, with the examples {}; all steps and examples: {}",
        not_finite(*count, *step), few(examples), dump.display()
    )]
    NonFinite {
        /// How many steps in a row.
        count: u64,
        /// The last of them, the first step of a run being 0.
        step: u64,
        /// Its examples, by their numbers in the corpus.
        examples: Vec<u64>,
        /// The file that names all of them.
        dump: PathBuf,
    },
    /// A checkpoint to begin from whose network is another one than the run's.
    #[error("{}: {field} is {found}; expected {expected}, as model.encoder of this run says", folder.display())]
    Init {
        /// The checkpoint's folder.
        folder: PathBuf,
        /// The field of its `config.json`.
        field: String,
        /// Its value.
        found: String,
        /// The run's.
        expected: String,
    },
    /// The ranks of a run have not met.
    #[error("rank {rank} of {size}, which meet at {place}: {why}")]
    Meeting {
        /// The number of this process.
        rank: usize,
        /// How many there are.
        size: usize,
        /// Address and port of the store.
        place: String,
        /// What went wrong.
        why: String,
    },
    /// A call to the other ranks failed; which of them is gone is not known yet.
    #[error("a rank is lost: {said}")]
    Lost {
        /// What the call says.
        said: String,
    },
    /// Another rank has ended, and this one with it.
    #[error("rank {rank} of {size} ends: {why}")]
    LostRank {
        /// The number of this process.
        rank: usize,
        /// How many there are.
        size: usize,
        /// Which one has ended, and why, as far as it is known.
        why: String,
    },
    /// Ranks that were started for different runs.
    #[error("rank {rank} has {found:?}; expected {expected:?}, as rank 0 has")]
    Unlike {
        /// The number of this process.
        rank: usize,
        /// The first line of its program, texts and settings that differs.
        found: String,
        /// The same of rank 0.
        expected: String,
    },
    /// Ranks whose parameters differ, which must not happen.
    #[error(
        "after step {step} {} other parameters than rank 0: the machine or the program computes wrongly; \
         nothing of it is saved",
        have(others)
    )]
    Parted {
        /// Steps that were done.
        step: u64,
        /// The ranks that differ from rank 0.
        others: Vec<usize>,
    },
    /// A function of the caller's failed: the objective could not be made, or its masking is not known.
    #[error("{0}")]
    Objective(#[source] BoxError),
    /// The settings cannot be, or a checkpoint is damaged.
    #[error(transparent)]
    Config(#[from] electra_config::Error),
    /// Batches could not be made.
    #[error(transparent)]
    Data(#[from] electra_data::Error),
    /// Weights could not be read, written or initialised.
    #[error(transparent)]
    Encoder(#[from] electra_encoder::Error),
    /// libtorch refused something.
    #[error("{0}")]
    Torch(#[from] electra_torch::Error),
    /// libtorch threw an exception; the text is its own.
    #[error("libtorch: {0}")]
    Tch(#[from] tch::TchError),
}

fn intact(last: Option<&Path>) -> String {
    match last {
        Some(last) => format!("{} is intact, and the same command continues from it", last.display()),
        None => "there is no earlier one".to_owned(),
    }
}

fn have(ranks: &[usize]) -> String {
    let names: Vec<String> = ranks.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [name] => format!("rank {name} has"),
        names => format!("ranks {} have", names.join(", ")),
    }
}

fn not_finite(count: u64, step: u64) -> String {
    const WHAT: &str = "had a loss or gradient that is not finite";
    match count {
        1 => format!("step {step} {WHAT}"),
        _ => format!("{count} steps in a row {WHAT}, the last of them step {step}"),
    }
}

/// The first of many numbers.
fn few(numbers: &[u64]) -> String {
    const SHOWN: usize = 16;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(ToString::to_string).collect();
    let rest = numbers.len().saturating_sub(SHOWN);
    let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    shown.join(", ") + &rest
}

/// A file of a run that is not what was written.
pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Error {
    electra_config::Error::Damaged { path: path.to_owned(), what: what.into() }.into()
}
