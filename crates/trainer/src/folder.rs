//! A run's folder that this process alone writes to.

use std::path::Path;

use electra_config::{Checkpoints, Config, RunFolder};
use electra_store::{FolderKind, OwnedFolder, create_folder, remove_partial};

use crate::Error;

const RUN: FolderKind = FolderKind {
    what: "run",
    settings: RunFolder::SETTINGS,
    others: "a run of other settings",
    activity: "training this run",
};

/// A run's folder that this process alone writes to, for as long as it holds this.
#[derive(Debug)]
pub(crate) struct OwnFolder {
    owned: OwnedFolder,
    pub(crate) checkpoints: Checkpoints,
}

impl OwnFolder {
    /// Makes the folder, or takes one of a run with the same settings.
    pub(crate) fn take(folder: &Path, config: &Config) -> Result<Self, Error> {
        let owned = OwnedFolder::take(folder, RUN, config)?;
        let checkpoints = Checkpoints::of_run(folder);
        create_folder(&checkpoints.path)?;
        remove_partial(&checkpoints.path)?;
        Ok(Self { owned, checkpoints })
    }

    pub(crate) fn path(&self) -> &Path {
        self.owned.path()
    }

    /// The refusal of a folder whose run has another value of a setting that is not in its file.
    pub(crate) fn differs(&self, difference: electra_store::settings::Difference) -> Error {
        self.owned.differs(vec![difference]).into()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use electra_config::Preset;
    use electra_store::Error as StoreError;

    use super::*;

    fn config() -> Config {
        Config::preset(Preset::Tiny, "mlm", 1, "corpus".into())
    }

    #[test]
    fn a_folder_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let owner = OwnFolder::take(folder.path(), &config()).unwrap();
        assert!(matches!(
            OwnFolder::take(folder.path(), &config()),
            Err(Error::Store(StoreError::InUse { .. }))
        ));
        drop(owner);
        OwnFolder::take(folder.path(), &config()).unwrap();
        assert_eq!(*RunFolder::open(folder.path()).unwrap().config(), config());
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        assert!(matches!(
            OwnFolder::take(folder.path(), &config()),
            Err(Error::Store(StoreError::Foreign { .. }))
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn other_settings_are_refused_key_by_key() {
        let folder = tempfile::tempdir().unwrap();
        drop(OwnFolder::take(folder.path(), &config()).unwrap());
        let mut changed = config();
        changed.seed = 2;
        changed.budget.steps = None;
        changed.budget.seconds = Some(60.0);
        changed.optimizer.betas[1] = 0.98;
        let message = OwnFolder::take(folder.path(), &changed).unwrap_err().to_string();
        let expected = format!(
            "{}: holds a run of other settings; name another folder, or set \
             budget.seconds = not set (wanted: 60.0); \
             budget.steps = 1 (wanted: not set); \
             optimizer.betas = [0.9, 0.999] (wanted: [0.9, 0.98]); \
             seed = 1 (wanted: 2)",
            folder.path().display()
        );
        assert_eq!(message, expected);
    }
}
