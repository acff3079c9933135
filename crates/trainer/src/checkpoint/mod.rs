//! Checkpoints: folders that are whole or not there.

mod state;

pub(crate) use state::{LogLengths, State, TextHashes};

use std::fs;
use std::path::{Path, PathBuf};

use electra_config::{Checkpoint, Checkpoints, WrittenFile, WrittenFiles};
use electra_encoder::Weights;
use electra_store::{NewFolder, discard, io, read_to_string, remove, write};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::error::damaged;

/// The parameters of a checkpoint, under the names that they have in the run.
///
/// # Errors
/// If the file cannot be read.
pub fn read_model(checkpoint: &Checkpoint) -> Result<Weights, Error> {
    Ok(Weights::read(&checkpoint.folder.join(Checkpoint::MODEL))?)
}

pub(crate) fn read_optimizer(checkpoint: &Checkpoint) -> Result<Weights, Error> {
    Ok(Weights::read(&checkpoint.folder.join(Checkpoint::OPTIMIZER))?)
}

pub(crate) fn read_state(checkpoint: &Checkpoint) -> Result<State, Error> {
    let path = checkpoint.folder.join(Checkpoint::STATE);
    serde_json::from_str(&read_to_string(&path)?)
        .map_err(|error| damaged(&path, format!("is not a state that this program writes: {error}")))
}

/// What a checkpoint is made of.
pub(crate) struct Snapshot<'a> {
    pub(crate) model: &'a Weights,
    pub(crate) optimizer: &'a Weights,
    pub(crate) state: &'a State,
}

/// Saves a checkpoint, then removes all but the `keep` newest. `written` hears of each file.
///
/// The files are written to a temporary sibling and made durable, the list of them last; then the folder gets
/// its name. Killed at any point, the folder is not there, and the ones before are.
pub(crate) fn save(
    checkpoints: &Checkpoints,
    snapshot: &Snapshot<'_>,
    keep: usize,
    mut written: impl FnMut(&Path),
) -> Result<Checkpoint, Error> {
    let step = snapshot.state.step;
    let folder = checkpoints.folder_of(step);
    let partial = NewFolder::create(&folder)?;
    // Hashed in memory: a write that was lost would be signed as whole if the disk were asked.
    let mut put =
        |name: &str, bytes: &dyn Fn(&Path) -> Result<Vec<u8>, Error>| -> Result<WrittenFile, Error> {
            let path = partial.path().join(name);
            let bytes = bytes(&path)?;
            write(&path, &bytes)?;
            written(&path);
            Ok(WrittenFile::new(&bytes))
        };
    let state = serde_json::to_string_pretty(snapshot.state).expect("a state's keys are strings");
    let files = WrittenFiles {
        model: put(Checkpoint::MODEL, &|path| Ok(snapshot.model.to_bytes(path)?))?,
        optimizer: put(Checkpoint::OPTIMIZER, &|path| Ok(snapshot.optimizer.to_bytes(path)?))?,
        state: put(Checkpoint::STATE, &|_| Ok(format!("{state}\n").into_bytes()))?,
    };
    written(&Checkpoint::seal(partial.path(), step, files)?);

    partial.finish()?;
    prune(checkpoints, keep)?;
    Ok(Checkpoint { step, folder })
}

fn prune(checkpoints: &Checkpoints, keep: usize) -> Result<(), Error> {
    for (_, old) in checkpoints.list()?.into_iter().skip(keep) {
        // Half a removed one must not look like a damaged one.
        discard(&old)?;
    }
    Ok(())
}

/// Gives a damaged checkpoint a name that is not a checkpoint's, so that it does not stand where a new one is
/// to come, nor count among those that are kept.
pub(crate) fn set_aside(folder: &Path) -> Result<PathBuf, Error> {
    let aside = folder.with_file_name(format!("damaged-{}", name(folder)));
    remove(&aside)?;
    fs::rename(folder, &aside).map_err(io(folder, "renaming it"))?;
    Ok(aside)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
