//! What can go wrong with a run.

use std::path::{Path, PathBuf};

use crate::config::Difference;

/// What the functions that a caller hands in may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong with a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is outside its range, or of another kind than it has to be.
    #[error("{origin}: {key}: {found}; expected {expected}")]
    Setting {
        /// The file, or `--set`.
        origin: String,
        /// The key, with its sections.
        key: String,
        /// Its value.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// A setting that does not exist.
    #[error("{origin}: there is no key {key}{}", did_you_mean(nearest.as_deref()))]
    UnknownKey {
        /// The file, or `--set`.
        origin: String,
        /// The key, with its sections.
        key: String,
        /// The known one that is nearest, if one is near.
        nearest: Option<String>,
    },
    /// A setting without which there is no run.
    #[error("{origin}: {key} is missing; expected {expected}")]
    MissingKey {
        /// The file, or `--set`.
        origin: String,
        /// The key, with its sections.
        key: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A file of settings that is no TOML, or whose values do not fit together.
    #[error("{origin}: {message}")]
    Toml {
        /// The file, or `--set`.
        origin: String,
        /// What the parser says.
        message: String,
    },
    /// The folder holds a run of other settings.
    #[error(
        "{}: holds a run of other settings; name another folder, or set:{}",
        folder.display(), differences.iter().map(|one| format!("\n  {one}")).collect::<String>()
    )]
    Differs {
        /// The run's folder.
        folder: PathBuf,
        /// Every setting that differs.
        differences: Vec<Difference>,
    },
    /// The folder holds something that is no run.
    #[error("{}: holds files and no config.toml, so it is no run; name a new folder, or an empty one", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process trains this run.
    #[error("{}: another process is training this run", folder.display())]
    InUse {
        /// The run's folder.
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
    /// A file of a checkpoint is not what was written.
    #[error("{}: damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// There are checkpoints, and none is whole.
    #[error(
        "{}: no checkpoint is whole: {}; put a whole one there, or remove the folder to begin the run again",
        folder.display(), damage.join("; ")
    )]
    NoWholeCheckpoint {
        /// The folder of the checkpoints.
        folder: PathBuf,
        /// What is wrong with each.
        damage: Vec<String>,
    },
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
    /// A run on CUDA where there is none.
    #[error(
        "device.device = \"cuda\": there is no CUDA device{}; expected \"cpu\" or \"auto\"",
        electra_torch::why_no_cuda()
    )]
    NoCuda,
    /// A function of the caller's failed: the objective could not be made, or its masking is not known.
    #[error(transparent)]
    Objective(BoxError),
    /// A setting of masking is wrong.
    #[error(transparent)]
    Masking(#[from] electra_masking::Error),
    /// Batches could not be made.
    #[error(transparent)]
    Data(#[from] electra_data::Error),
    /// Weights could not be read, written or initialised.
    #[error(transparent)]
    Encoder(#[from] electra_encoder::Error),
    /// libtorch refused something.
    #[error(transparent)]
    Torch(#[from] electra_torch::Error),
    /// libtorch threw an exception; the text is its own.
    #[error("libtorch: {0}")]
    Tch(#[from] tch::TchError),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |nearest| format!("; did you mean {nearest}?"))
}

fn intact(last: Option<&Path>) -> String {
    match last {
        Some(last) => format!("{} is intact, and the same command goes on from it", last.display()),
        None => "there is no earlier one".to_owned(),
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

impl Error {
    /// An [`Error::Io`] with its place, for `map_err`.
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), doing, source }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}
