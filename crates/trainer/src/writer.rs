//! What the process that writes a run's folder has.

use std::path::Path;

use electra_config::{Checkpoint, DamagedCheckpoint};
use electra_store::settings::Difference;

use crate::Error;
use crate::checkpoint::{self, State, TextHashes};
use crate::folder::OwnFolder;
use crate::log::Logs;
use crate::run::Event;

/// What the process that writes a run's folder has, and other ranks do not.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) folder: OwnFolder,
    pub(crate) logs: Logs,
    /// The newest whole checkpoint.
    pub(crate) saved: Option<Checkpoint>,
}

/// The newest whole checkpoint; damaged ones that are newer are named and set aside.
pub(crate) fn newest(
    folder: &OwnFolder,
    observer: &mut dyn FnMut(&Event),
) -> Result<Option<Checkpoint>, Error> {
    let found = folder.checkpoints.find()?;
    let from = found.newest.as_ref().map_or(0, |newest| newest.step);
    for DamagedCheckpoint { folder, error } in found.damaged {
        let aside = checkpoint::set_aside(&folder)?;
        let warning = format!("{error}; it is now {}, and the run goes on from step {from}", aside.display());
        observer(&Event::Warning(warning));
    }
    Ok(found.newest)
}

/// A folder may hold another corpus than it did.
pub(crate) fn same_texts(folder: &OwnFolder, state: &State, now: &TextHashes) -> Result<(), Error> {
    let before = TextHashes { corpus: state.corpus.clone(), valid: state.valid.clone() };
    if before == *now {
        return Ok(());
    }
    let (key, found, expected) = if before.corpus == now.corpus {
        ("data.valid", before.valid, now.valid.clone())
    } else {
        ("data.corpus", Some(before.corpus), Some(now.corpus.clone()))
    };
    let difference = Difference { key: format!("{key} (SHA-256 of its corpus.json)"), found, expected };
    Err(folder.differs(difference))
}

impl Writer {
    /// The run's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}
