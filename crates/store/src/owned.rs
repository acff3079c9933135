//! A folder that one process at a time works in, with the settings that it belongs to.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Table;

use crate::error::io as failed;
use crate::partial::name;
use crate::settings::{self, Difference, Origin, to_table};
use crate::{Error, create_folder, file, read_to_string, remove_partial, write};

const LOCK: &str = ".lock";

/// What kind of work a folder holds, in the words of messages.
#[derive(Clone, Copy, Debug)]
pub struct FolderKind {
    /// What it is the folder of: "run".
    pub what: &'static str,
    /// The file with its settings: "config.toml".
    pub settings: &'static str,
    /// What it holds where the settings differ: "a run of other settings".
    pub others: &'static str,
    /// What the process does that works in it: "training this run".
    pub activity: &'static str,
}

/// A folder that this process alone works in, for as long as it holds this.
#[derive(Debug)]
pub struct OwnedFolder {
    path: PathBuf,
    kind: FolderKind,
    /// The system gives the lock back when the process ends, however it ends.
    _lock: File,
}

impl OwnedFolder {
    /// Makes the folder, or takes one of the same kind. What a killed process left in it is removed.
    ///
    /// # Errors
    /// [`Error::Foreign`] if it holds something else, [`Error::InUse`] if another process owns it, [`Error::Io`].
    pub fn lock(path: &Path, kind: FolderKind) -> Result<Self, Error> {
        create_folder(path)?;
        if !path.join(kind.settings).exists() && !is_unused(path)? {
            return Err(Error::Foreign { folder: path.to_owned(), what: kind.what, marker: kind.settings });
        }
        let lock_path = path.join(LOCK);
        let lock = file::open_in_place(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse { folder: path.to_owned(), activity: kind.activity });
            }
            Err(TryLockError::Error(source)) => return Err(failed(&lock_path, "locking it")(source)),
        }
        remove_partial(path)?;
        Ok(Self { path: path.to_owned(), kind, _lock: lock })
    }

    /// As [`lock`](Self::lock), for work of these settings: a new folder gets them, one of others is refused.
    ///
    /// # Errors
    /// As [`lock`](Self::lock); [`Error::Differs`] with every setting that differs.
    pub fn take<T: Serialize + DeserializeOwned>(
        path: &Path,
        kind: FolderKind,
        settings: &T,
    ) -> Result<Self, Error> {
        let owned = Self::lock(path, kind)?;
        match owned.settings()? {
            None => owned.write_settings(settings)?,
            Some(found) => {
                // A key that newer settings have, and the file does not, has its default there.
                let name = path.join(kind.settings).display().to_string();
                let found: T = Origin::file(&name).read(found)?;
                let differences = settings::differences(&to_table(&found), &to_table(settings));
                if !differences.is_empty() {
                    return Err(owned.differs(differences));
                }
            }
        }
        Ok(owned)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings that the folder belongs to; none if it is new.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn settings(&self) -> Result<Option<Table>, Error> {
        let path = self.path.join(self.kind.settings);
        if !path.exists() {
            return Ok(None);
        }
        settings::parse(&path.display().to_string(), &read_to_string(&path)?).map(Some)
    }

    /// Makes the folder one of these settings.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_settings(&self, settings: &impl Serialize) -> Result<(), Error> {
        write(&self.path.join(self.kind.settings), settings::to_toml(settings))
    }

    /// The refusal of a folder that belongs to other settings.
    #[must_use]
    pub fn differs(&self, differences: Vec<Difference>) -> Error {
        Error::Differs { folder: self.path.clone(), others: self.kind.others, differences }
    }
}

/// Whether a folder holds nothing but what a start that was killed at once leaves behind.
fn is_unused(path: &Path) -> Result<bool, Error> {
    let mut entries = fs::read_dir(path).map_err(failed(path, "listing it"))?;
    Ok(entries.all(|entry| entry.is_ok_and(|entry| name(&entry.path()).starts_with('.'))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const KIND: FolderKind = FolderKind {
        what: "run",
        settings: "config.toml",
        others: "a run of other settings",
        activity: "training this run",
    };

    fn settings(seed: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([("seed".to_owned(), seed)])
    }

    #[test]
    fn a_folder_has_one_owner() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/run");
        let owned = OwnedFolder::take(&path, KIND, &settings(1)).unwrap();
        let refused = OwnedFolder::take(&path, KIND, &settings(1)).unwrap_err();
        assert_eq!(refused.to_string(), format!("{}: another process is training this run", path.display()));
        drop(owned);
        OwnedFolder::take(&path, KIND, &settings(1)).unwrap();
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("thesis.tex"), "").unwrap();
        let refused = OwnedFolder::take(place.path(), KIND, &settings(1)).unwrap_err().to_string();
        assert!(refused.contains("holds files but no config.toml"), "{refused}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn other_settings_are_refused_and_stay() {
        let place = tempfile::tempdir().unwrap();
        drop(OwnedFolder::take(place.path(), KIND, &settings(1)).unwrap());
        let refused = OwnedFolder::take(place.path(), KIND, &settings(2)).unwrap_err().to_string();
        let expected = format!(
            "{}: holds a run of other settings; name another folder, or set seed = 1 (wanted: 2)",
            place.path().display()
        );
        assert_eq!(refused, expected);
        assert_eq!(fs::read_to_string(place.path().join("config.toml")).unwrap(), "seed = 1\n");
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join(".step-1.partial-x1")).unwrap();
        fs::write(place.path().join(".step-1.partial-x1/file"), "").unwrap();
        fs::write(place.path().join(".config.toml.partial-x2"), "").unwrap();
        fs::write(place.path().join(".mine"), "").unwrap();
        drop(OwnedFolder::take(place.path(), KIND, &settings(1)).unwrap());
        let mut left: Vec<_> =
            fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".lock", ".mine", "config.toml"]);
    }

    #[test]
    fn a_lock_cuts_no_file() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join(".lock"), "somebody's notes").unwrap();
        drop(OwnedFolder::take(place.path(), KIND, &settings(1)).unwrap());
        assert_eq!(fs::read_to_string(place.path().join(".lock")).unwrap(), "somebody's notes");
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_follows_no_link() {
        let place = tempfile::tempdir().unwrap();
        let outside = place.path().join("outside");
        let run = place.path().join("run");
        fs::create_dir(&run).unwrap();
        std::os::unix::fs::symlink(&outside, run.join(".lock")).unwrap();
        let refused = OwnedFolder::take(&run, KIND, &settings(1)).unwrap_err();
        assert!(matches!(refused, Error::Io { .. }), "{refused}");
        assert!(!outside.exists());
    }
}
