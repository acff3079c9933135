//! A run's folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::checkpoint::{self, Checkpoint};
use crate::config::{Config, differences};
use crate::{Error, files};

const CONFIG: &str = "config.toml";
const LOCK: &str = ".lock";

/// A run's folder, to look at: what `electra export` begins with.
#[derive(Debug)]
pub struct RunFolder {
    folder: PathBuf,
    config: Config,
}

impl RunFolder {
    /// Opens the folder of a run that has begun.
    ///
    /// # Errors
    /// If there is no run, or its settings cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(CONFIG);
        let text = files::read_to_string(&path)?;
        let config = toml::from_str(&text).map_err(|error| Error::Toml {
            origin: path.display().to_string(),
            message: error.to_string(),
        })?;
        Ok(Self { folder: folder.to_owned(), config })
    }

    /// The settings, whole.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The newest whole checkpoint, none if the run was not saved yet, and what is wrong with each that is
    /// newer.
    ///
    /// # Errors
    /// If there are checkpoints and none is whole.
    pub fn newest_checkpoint(&self) -> Result<(Option<Checkpoint>, Vec<Error>), Error> {
        let found = checkpoint::find(&checkpoints_of(&self.folder))?;
        Ok((found.newest, found.damaged.into_iter().map(|one| one.error).collect()))
    }

    /// The checkpoint of a step.
    ///
    /// # Errors
    /// If there is none, or it is not whole.
    pub fn checkpoint(&self, step: u64) -> Result<Checkpoint, Error> {
        checkpoint::at_step(&checkpoints_of(&self.folder), step)
    }
}

fn checkpoints_of(folder: &Path) -> PathBuf {
    folder.join("checkpoints")
}

/// A run's folder that this process alone writes to, for as long as it holds this.
#[derive(Debug)]
pub(crate) struct OwnFolder {
    pub(crate) folder: PathBuf,
    pub(crate) checkpoints: PathBuf,
    /// The system gives the lock back when the process ends, however it ends.
    _lock: File,
}

impl OwnFolder {
    /// Makes the folder, or takes one of a run with the same settings.
    pub(crate) fn take(folder: &Path, config: &Config) -> Result<Self, Error> {
        let config_path = folder.join(CONFIG);
        fs::create_dir_all(folder).map_err(Error::io(folder, "creating it"))?;
        if !config_path.exists() && !is_empty(folder)? {
            return Err(Error::NoRun { folder: folder.to_owned() });
        }
        let lock = lock(folder)?;
        files::remove_partial(folder)?;
        if config_path.exists() {
            let found = RunFolder::open(folder)?;
            let differences = differences(found.config(), config);
            if !differences.is_empty() {
                return Err(Error::Differs { folder: folder.to_owned(), differences });
            }
        } else {
            files::write(&config_path, config.to_toml().as_bytes())?;
        }
        let checkpoints = checkpoints_of(folder);
        fs::create_dir_all(&checkpoints).map_err(Error::io(&checkpoints, "creating it"))?;
        files::remove_partial(&checkpoints)?;
        Ok(Self { folder: folder.to_owned(), checkpoints, _lock: lock })
    }
}

/// Whether there is nothing but what a start that was killed at once leaves behind.
fn is_empty(folder: &Path) -> Result<bool, Error> {
    let mut entries = fs::read_dir(folder).map_err(Error::io(folder, "listing it"))?;
    Ok(entries.all(|entry| entry.is_ok_and(|entry| files::name(&entry.path()).starts_with('.'))))
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(Error::io(&path, "creating it"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::io(&path, "locking it")(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;

    fn config() -> Config {
        Config::preset(Preset::Tiny, "mlm", 1, "corpus".into())
    }

    #[test]
    fn a_folder_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let owner = OwnFolder::take(folder.path(), &config()).unwrap();
        assert!(matches!(OwnFolder::take(folder.path(), &config()), Err(Error::InUse { .. })));
        drop(owner);
        OwnFolder::take(folder.path(), &config()).unwrap();
        assert_eq!(*RunFolder::open(folder.path()).unwrap().config(), config());
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        assert!(matches!(OwnFolder::take(folder.path(), &config()), Err(Error::NoRun { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn other_settings_are_refused_key_by_key() {
        let folder = tempfile::tempdir().unwrap();
        drop(OwnFolder::take(folder.path(), &config()).unwrap());
        let mut wanted = config();
        wanted.seed = 2;
        wanted.budget.steps = None;
        wanted.budget.seconds = Some(60.0);
        wanted.optimizer.betas[1] = 0.98;
        let message = OwnFolder::take(folder.path(), &wanted).unwrap_err().to_string();
        let expected = format!(
            "{}: holds a run of other settings; name another folder, or set:\
             \n  budget.seconds = not set (wanted: 60.0)\
             \n  budget.steps = 1 (wanted: not set)\
             \n  optimizer.betas = [0.9, 0.999] (wanted: [0.9, 0.98])\
             \n  seed = 1 (wanted: 2)",
            folder.path().display()
        );
        assert_eq!(message, expected);
    }
}
