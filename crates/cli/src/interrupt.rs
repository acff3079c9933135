//! Ctrl-C.

use std::sync::Arc;

use anyhow::{Context, Result};
use electra_data::Progress;

use crate::failure::INTERRUPTED;

/// Until something is written, an interrupt just ends the program.
pub(crate) fn end_at_once() -> Result<()> {
    ctrlc::set_handler(|| {
        eprintln!("\ninterrupted; nothing was written");
        std::process::exit(INTERRUPTED);
    })
    .context("catching interrupts")
}

/// An interrupt stops a build, which then removes what it has written; a second one ends the program.
pub(crate) fn stop(progress: Arc<Progress>) -> Result<()> {
    use std::sync::atomic::Ordering;
    ctrlc::set_handler(move || {
        if progress.stop.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })
    .context("catching interrupts")
}

/// An interrupt sets a flag, at which a run saves and ends; a second one ends the program.
pub(crate) fn set(stop: Arc<std::sync::atomic::AtomicBool>) -> Result<()> {
    use std::sync::atomic::Ordering;
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        eprintln!("\nfinishing the step and saving; once more to end at once");
    })
    .context("catching interrupts")
}

/// An interrupt sets a flag, at which what is under way ends; a second one ends the program.
pub(crate) fn flag(stop: Arc<std::sync::atomic::AtomicBool>) -> Result<()> {
    use std::sync::atomic::Ordering;
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })
    .context("catching interrupts")
}

/// An interrupt sets a flag, at which a study asks its jobs to save and end; a second one ends the program, and
/// the jobs end by themselves.
pub(crate) fn study(stop: Arc<std::sync::atomic::AtomicBool>) -> Result<()> {
    use std::sync::atomic::Ordering;
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        eprintln!("\nthe jobs are saving; once more to end at once");
    })
    .context("catching interrupts")
}
