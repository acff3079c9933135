//! Checkpoints: folders that are whole or not there.

mod manifest;
mod state;

pub(crate) use manifest::hash;
pub(crate) use state::{LogLengths, SkipCounts, State};

use std::fs;
use std::path::{Path, PathBuf};

use electra_encoder::Weights;

use crate::{Error, files};
use manifest::{MANIFEST, Manifest};

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";
const FILES: [&str; 3] = [MODEL, OPTIMIZER, STATE];

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
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn model(&self) -> Result<Weights, Error> {
        Ok(Weights::read(&self.folder.join(MODEL))?)
    }

    pub(crate) fn optimizer(&self) -> Result<Weights, Error> {
        Ok(Weights::read(&self.folder.join(OPTIMIZER))?)
    }

    pub(crate) fn state(&self) -> Result<State, Error> {
        let path = self.folder.join(STATE);
        serde_json::from_str(&files::read_to_string(&path)?)
            .map_err(|error| Error::damaged(&path, format!("is no state that this program writes: {error}")))
    }
}

/// What a checkpoint is made of.
pub(crate) struct Snapshot<'a> {
    pub(crate) model: &'a Weights,
    pub(crate) optimizer: &'a Weights,
    pub(crate) state: &'a State,
}

/// A checkpoint's folder is named by its step.
fn folder_name(step: u64) -> String {
    format!("step-{step:08}")
}

fn step_of(path: &Path) -> Option<u64> {
    let name = files::name(path);
    let step = name.strip_prefix("step-")?.parse().ok()?;
    // `step-7` is nobody's, and would come back as another name.
    (name == folder_name(step)).then_some(step)
}

/// Saves a checkpoint, then removes all but the `keep` newest. `written` is told of each file.
///
/// The files are written to a temporary sibling and made durable, the manifest last; then the folder gets
/// its name. Killed at any point, the folder is not there, and the ones before are.
pub(crate) fn save(
    checkpoints: &Path,
    snapshot: &Snapshot<'_>,
    keep: usize,
    mut written: impl FnMut(&Path),
) -> Result<Checkpoint, Error> {
    let step = snapshot.state.step;
    let folder = checkpoints.join(folder_name(step));
    let partial = files::temporary_folder(&folder)?;
    let at = |name| partial.path().join(name);

    snapshot.model.save(&at(MODEL))?;
    written(&at(MODEL));
    snapshot.optimizer.save(&at(OPTIMIZER))?;
    written(&at(OPTIMIZER));
    let state = serde_json::to_string_pretty(snapshot.state).expect("a state's keys are strings");
    files::write(&at(STATE), format!("{state}\n").as_bytes())?;
    written(&at(STATE));
    Manifest::of(partial.path(), step, &FILES)?.write(partial.path())?;
    written(&at(MANIFEST));

    files::persist_folder(partial, &folder)?;
    prune(checkpoints, keep)?;
    Ok(Checkpoint { step, folder })
}

fn prune(checkpoints: &Path, keep: usize) -> Result<(), Error> {
    for (_, old) in list(checkpoints)?.into_iter().skip(keep) {
        // By a name that is no checkpoint's: half a removed one must not look like a damaged one.
        let aside = old.with_file_name(format!(".{}.partial-removed", files::name(&old)));
        fs::rename(&old, &aside).map_err(Error::io(&old, "renaming it to remove it"))?;
        fs::remove_dir_all(&aside).map_err(Error::io(&aside, "removing it"))?;
    }
    Ok(())
}

/// All checkpoints, whole or not, the newest first.
fn list(checkpoints: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    if !checkpoints.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(checkpoints).map_err(Error::io(checkpoints, "listing it"))? {
        let path = entry.map_err(Error::io(checkpoints, "listing it"))?.path();
        found.extend(step_of(&path).map(|step| (step, path)));
    }
    found.sort_by(|one, other| other.cmp(one));
    Ok(found)
}

/// What a folder of checkpoints holds.
#[derive(Debug)]
pub(crate) struct Found {
    /// The newest whole one.
    pub(crate) newest: Option<Checkpoint>,
    /// Those that are newer.
    pub(crate) damaged: Vec<Damaged>,
}

/// A checkpoint that is not whole.
#[derive(Debug)]
pub(crate) struct Damaged {
    pub(crate) folder: PathBuf,
    pub(crate) error: Error,
}

/// The checkpoint in a folder, if it is whole and of that step.
pub(crate) fn open(folder: PathBuf, step: u64) -> Result<Checkpoint, Error> {
    let manifest = Manifest::verify(&folder, &FILES)?;
    if manifest.step == step {
        return Ok(Checkpoint { step, folder });
    }
    let what = format!("is of step {}, and its folder of step {step}", manifest.step);
    Err(Error::damaged(&folder.join(MANIFEST), what))
}

/// The checkpoint of a step.
pub(crate) fn at_step(checkpoints: &Path, step: u64) -> Result<Checkpoint, Error> {
    let folder = checkpoints.join(folder_name(step));
    // A checkpoint that was never saved, or that newer ones have pushed out, is not a damaged one.
    fs::metadata(&folder).map_err(Error::io(&folder, "looking for this checkpoint"))?;
    open(folder, step)
}

/// Looks for the newest whole checkpoint. None at all is no error; none that is whole is.
pub(crate) fn find(checkpoints: &Path) -> Result<Found, Error> {
    let mut damaged = Vec::new();
    for (step, folder) in list(checkpoints)? {
        match open(folder.clone(), step) {
            Ok(checkpoint) => return Ok(Found { newest: Some(checkpoint), damaged }),
            Err(error) => damaged.push(Damaged { folder, error }),
        }
    }
    if damaged.is_empty() {
        return Ok(Found { newest: None, damaged });
    }
    let damage = damaged.iter().map(|one| one.error.to_string()).collect();
    Err(Error::NoWholeCheckpoint { folder: checkpoints.to_owned(), damage })
}

/// Gives a damaged checkpoint a name that is no checkpoint's, so that it does not stand where a new one is
/// to come, nor count among those that are kept.
pub(crate) fn set_aside(folder: &Path) -> Result<PathBuf, Error> {
    let aside = folder.with_file_name(format!("damaged-{}", files::name(folder)));
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(Error::io(&aside, "removing it"))?;
    }
    fs::rename(folder, &aside).map_err(Error::io(folder, "renaming it"))?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

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
