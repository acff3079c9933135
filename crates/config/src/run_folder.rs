//! A run's folder as it lies on disk: settings, and checkpoints that are whole or not there.

use std::fs;
use std::path::{Path, PathBuf};

use electra_store::settings::{Origin, parse};
use electra_store::{io, read_to_string};

use crate::manifest::{MANIFEST, Manifest, WrittenFile};
use crate::{Config, Error};

/// A run's folder, to look at.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    config: Config,
}

impl RunFolder {
    /// The file with a run's settings.
    pub const SETTINGS: &str = "config.toml";

    /// Opens the folder of a run that has begun.
    ///
    /// # Errors
    /// If there is no run, or its settings cannot be read or are outside their ranges.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = path.join(Self::SETTINGS);
        let (name, text) = (file.display().to_string(), read_to_string(&file)?);
        let origin = Origin { name: &name, text: Some(&text), set: &[] };
        let config: Config = origin.read(parse(&name, &text)?)?;
        config.validate(&name)?;
        Ok(Self { path: path.to_owned(), config })
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
        let found = Checkpoints::of_run(&self.path).find()?;
        Ok((found.newest, found.damaged.into_iter().map(|damaged| damaged.error).collect()))
    }

    /// The checkpoint of a step.
    ///
    /// # Errors
    /// If there is none, or it is not whole.
    pub fn checkpoint(&self, step: u64) -> Result<Checkpoint, Error> {
        let folder = Checkpoints::of_run(&self.path).folder_of(step);
        // A checkpoint that was never saved, or that newer ones have pushed out, is not a damaged one.
        fs::metadata(&folder).map_err(io(&folder, "looking for this checkpoint"))?;
        Checkpoint::open(folder, step)
    }
}

/// What was written to a checkpoint's files.
#[derive(Clone, Debug)]
pub struct WrittenFiles {
    /// To [`Checkpoint::MODEL`].
    pub model: WrittenFile,
    /// To [`Checkpoint::OPTIMIZER`].
    pub optimizer: WrittenFile,
    /// To [`Checkpoint::STATE`].
    pub state: WrittenFile,
}

/// A checkpoint of which every byte has been found to be what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many steps were done.
    pub step: u64,
    /// Its folder.
    pub folder: PathBuf,
}

impl Checkpoint {
    /// The parameters, under the names that they have in the run.
    pub const MODEL: &str = "model.safetensors";
    /// The optimizer's means.
    pub const OPTIMIZER: &str = "optimizer.safetensors";
    /// What else a run goes on from.
    pub const STATE: &str = "state.json";
    const FILES: [&str; 3] = [Self::MODEL, Self::OPTIMIZER, Self::STATE];

    /// Writes the list of a checkpoint's files with the hashes of the bytes that were written to them, once they are all
    /// there; gives its path. The folder may still have a temporary name.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn seal(folder: &Path, step: u64, written: WrittenFiles) -> Result<PathBuf, Error> {
        let WrittenFiles { model, optimizer, state } = written;
        let files = [(Self::MODEL, model), (Self::OPTIMIZER, optimizer), (Self::STATE, state)];
        Manifest::new(step, files).write(folder)?;
        Ok(folder.join(MANIFEST))
    }

    fn open(folder: PathBuf, step: u64) -> Result<Self, Error> {
        let manifest = Manifest::verify(&folder, &Self::FILES)?;
        if manifest.step == step {
            return Ok(Self { step, folder });
        }
        let what = format!("is of step {}, and its folder of step {step}", manifest.step);
        Err(Error::damaged(&folder.join(MANIFEST), what))
    }
}

/// The folder that a run's checkpoints are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// Where it is.
    pub path: PathBuf,
}

/// What a folder of checkpoints holds.
#[derive(Debug)]
pub struct FoundCheckpoints {
    /// The newest whole one.
    pub newest: Option<Checkpoint>,
    /// Those that are newer.
    pub damaged: Vec<DamagedCheckpoint>,
}

/// A checkpoint that is not whole.
#[derive(Debug)]
pub struct DamagedCheckpoint {
    /// Its folder.
    pub folder: PathBuf,
    /// What is wrong with it.
    pub error: Error,
}

impl Checkpoints {
    /// Those of a run.
    #[must_use]
    pub fn of_run(run: &Path) -> Self {
        Self { path: run.join("checkpoints") }
    }

    /// The folder of the checkpoint of a step.
    #[must_use]
    pub fn folder_of(&self, step: u64) -> PathBuf {
        self.path.join(folder_name(step))
    }

    /// The folders of all checkpoints, whole or not, with their steps, the newest first.
    ///
    /// # Errors
    /// If the folder cannot be listed. One that is not there has none.
    pub fn list(&self) -> Result<Vec<(u64, PathBuf)>, Error> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(io(&self.path, "listing it"))? {
            let path = entry.map_err(io(&self.path, "listing it"))?.path();
            found.extend(step_of(&path).map(|step| (step, path)));
        }
        found.sort_by(|step, other| other.cmp(step));
        Ok(found)
    }

    /// Looks for the newest whole checkpoint. None at all is not an error; none that is whole is one.
    ///
    /// # Errors
    /// [`Error::NoWholeCheckpoint`]; [`Error::Store`] if a file cannot be read, which is not damage.
    pub fn find(&self) -> Result<FoundCheckpoints, Error> {
        let mut damaged = Vec::new();
        for (step, folder) in self.list()? {
            match Checkpoint::open(folder.clone(), step) {
                Ok(checkpoint) => return Ok(FoundCheckpoints { newest: Some(checkpoint), damaged }),
                Err(error @ Error::Damaged { .. }) => damaged.push(DamagedCheckpoint { folder, error }),
                // What cannot be read may be whole.
                Err(error) => return Err(error),
            }
        }
        if damaged.is_empty() {
            return Ok(FoundCheckpoints { newest: None, damaged });
        }
        let damage = damaged.iter().map(|damaged| damaged.error.to_string()).collect();
        Err(Error::NoWholeCheckpoint { folder: self.path.clone(), damage })
    }
}

/// A checkpoint's folder is named by its step.
fn folder_name(step: u64) -> String {
    format!("step-{step:08}")
}

fn step_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let step = name.strip_prefix("step-")?.parse().ok()?;
    // `step-7` is nobody's, and would come back as another name.
    (name == folder_name(step)).then_some(step)
}

#[cfg(test)]
mod tests {
    use electra_store::settings::{put, to_table};

    use super::*;
    use crate::Preset;

    #[test]
    fn settings_of_another_time_or_hand_are_refused_by_file_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(RunFolder::SETTINGS);
        let open = |key: &str, value: Option<toml::Value>| {
            let mut config = Config::preset(Preset::Tiny, "mlm", 0, PathBuf::from("corpus"));
            config.budget.steps = Some(10);
            let mut table = to_table(&config);
            match value {
                Some(value) => put(&mut table, key, value),
                None => drop(table.remove(key)),
            }
            fs::write(&file, table.to_string()).unwrap();
            RunFolder::open(folder.path()).map_err(|error| error.to_string())
        };
        open("seed", Some(1.into())).unwrap();
        let shown = file.display();
        for (key, value, expected) in [
            ("budget.batch", Some(0.into()), ": budget.batch: 0; expected at least 1"),
            ("budget.batch", Some("all".into()), ": budget.batch: \"all\"; expected a whole number"),
            ("optimizer.clip", Some(f64::NAN.into()), ": optimizer.clip: NaN; expected a number above 0"),
            ("model.encoder.num_hidden_layers", Some(i64::MAX.into()), ": model.encoder.num_hidden_layers: "),
            ("budget.batches", Some(8.into()), ": budget.batches: there is no such key; did you mean batch?"),
            ("seed", None, ": seed: missing"),
        ] {
            let error = open(key, value).unwrap_err();
            assert!(error.starts_with(&shown.to_string()) && error.contains(expected), "{error}");
        }
        fs::write(&file, "not TOML").unwrap();
        let error = RunFolder::open(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{shown}: ")), "{error}");
    }

    #[test]
    fn only_a_checkpoints_own_name_is_one() {
        assert_eq!(step_of(Path::new("a/step-00000012")), Some(12));
        assert_eq!(step_of(Path::new("a/step-123456789")), Some(123_456_789));
        for name in ["step-12", "step-", "step-0000001x", "damaged-step-00000012", ".step-00000012.partial-x"]
        {
            assert_eq!(step_of(Path::new(name)), None, "{name}");
        }
    }
}
