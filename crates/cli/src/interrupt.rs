//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::failure::INTERRUPTED;

/// Until something is written, an interrupt just ends the program.
pub(crate) fn end_at_once() -> Result<()> {
    ctrlc::set_handler(|| {
        eprintln!("\ninterrupted; nothing was written");
        std::process::exit(INTERRUPTED);
    })
    .context("catching interrupts")
}

/// A flag that an interrupt sets. What is under way then ends in good order; `message` says how. A second interrupt ends
/// the program.
pub(crate) fn flag(message: &'static str) -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&flag);
    set(move || stop.swap(true, Ordering::Relaxed), message)?;
    Ok(flag)
}

/// The same with a flag that is held elsewhere: `swap` sets it and gives what it was.
pub(crate) fn set(mut swap: impl FnMut() -> bool + Send + 'static, message: &'static str) -> Result<()> {
    ctrlc::set_handler(move || {
        if swap() {
            std::process::exit(INTERRUPTED);
        }
        if !message.is_empty() {
            eprintln!("\n{message}; once more to end at once");
        }
    })
    .context("catching interrupts")
}
