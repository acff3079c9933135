//! Ctrl-C while a vocabulary is trained: it ends the program at once, except in the moment of saving.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context, Result};

use crate::failure::INTERRUPTED;

const TRAINING: u8 = 0;
const SAVING: u8 = 1;
const SAVED: u8 = 2;
const STOPPED: u8 = 3;

/// Where the program is, for the handler of interrupts.
pub(super) struct Stage(Arc<AtomicU8>);

impl Stage {
    /// From now on an interrupt ends the program, and says what was written.
    pub(super) fn training() -> Result<Self> {
        let stage = Arc::new(AtomicU8::new(TRAINING));
        let seen = Arc::clone(&stage);
        ctrlc::set_handler(move || {
            let stop = seen.compare_exchange(TRAINING, STOPPED, Ordering::SeqCst, Ordering::SeqCst);
            match stop {
                Ok(_) => {
                    eprintln!("\ninterrupted; nothing was written");
                    std::process::exit(INTERRUPTED);
                }
                // It takes a moment only, and half a set would be worse than a whole one.
                Err(SAVING) => eprintln!("\nsaving; the program ends when that is done"),
                Err(_) => std::process::exit(INTERRUPTED),
            }
        })
        .context("catching interrupts")?;
        Ok(Self(stage))
    }

    /// Runs `save`, which an interrupt does not cut short.
    pub(super) fn save<T, E>(&self, save: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let begun = self.0.compare_exchange(TRAINING, SAVING, Ordering::SeqCst, Ordering::SeqCst);
        while begun == Err(STOPPED) {
            // The handler has said that nothing was written, and is about to end the program.
            std::thread::park();
        }
        let outcome = save();
        self.0.store(SAVED, Ordering::SeqCst);
        outcome
    }
}
