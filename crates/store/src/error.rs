//! What can go wrong with files, folders and settings.

use std::path::{Path, PathBuf};

use crate::settings::Difference;

/// What can go wrong with files, folders and settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    /// The folder to write holds something already.
    #[error("{}: exists already; expected a new or empty folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds something else than what it is to be owned for.
    #[error(
        "{}: holds files but no {marker}, so it is not the folder of a {what}; name a new or empty folder",
        folder.display()
    )]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// What was looked for, such as a run.
        what: &'static str,
        /// The file that would show it.
        marker: &'static str,
    },
    /// Another process owns the folder.
    #[error("{}: another process is {activity}", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// What that process does.
        activity: &'static str,
    },
    /// The folder belongs to other settings.
    #[error(
        "{}: holds {others}; name another folder, or set {}",
        folder.display(), differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Differs {
        /// The folder.
        folder: PathBuf,
        /// What it holds, such as "a run of other settings".
        others: &'static str,
        /// Every setting that differs.
        differences: Vec<Difference>,
    },
    /// Settings that are not TOML, or a value that does not fit its key.
    #[error("{origin}: {message}")]
    Toml {
        /// The file with the line where that is known, or `--set`.
        origin: String,
        /// What is wrong.
        message: String,
    },
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
    /// A setting that has to be there.
    #[error("{origin}: {key} is missing; expected {expected}")]
    MissingKey {
        /// The file, or `--set`.
        origin: String,
        /// The key, with its sections.
        key: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |nearest| format!("; did you mean {nearest}?"))
}

/// An [`Error::Io`] with its place, for `map_err`.
pub fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { path: path.to_owned(), doing, source }
}
