//! Ctrl-C, and the signals TERM and HUP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::failure::INTERRUPTED;
use crate::{output, torch};

/// How long the end of the program waits for standard error, whose reader may have stopped to read.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a first interrupt does in place of ending the program.
struct Request {
    /// Asks the work to stop; tells whether it was asked before.
    ask: Box<dyn FnMut() -> bool + Send>,
    message: &'static str,
}

static REQUEST: Mutex<Option<Request>> = Mutex::new(None);

/// From now on an interrupt ends the program at once, with nothing left that is not whole. A command that has
/// something to save asks for more by [`flag`] or [`set`].
pub(crate) fn catch() -> Result<()> {
    let set = ctrlc::set_handler(|| {
        let mut request = REQUEST.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(request) = request.as_mut() else { end() };
        if (request.ask)() {
            end();
        }
        if !request.message.is_empty() {
            tell(format!("{}; once more to end at once", request.message));
        }
    });
    // It does not give its source as the standard library's errors do.
    let set = set.map_err(|error| match error {
        ctrlc::Error::System(source) => anyhow::Error::from(source),
        other => other.into(),
    });
    set.context("catching interrupts")
}

/// A flag that an interrupt sets. What is under way then ends in good order; `message` says how. A second interrupt ends
/// the program.
pub(crate) fn flag(message: &'static str) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&flag);
    set(move || stop.swap(true, Ordering::Relaxed), message);
    flag
}

/// The same with a flag that is held elsewhere: `ask` sets it and gives what it was.
pub(crate) fn set(ask: impl FnMut() -> bool + Send + 'static, message: &'static str) {
    let request = Request { ask: Box::new(ask), message };
    *REQUEST.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
}

/// Ends the program as the end of `main` does. The other threads go on until the system ends them, so nothing may
/// run that takes apart what they use.
fn end() -> ! {
    electra_store::abandon();
    let _ = tell("interrupted".to_owned()).recv_timeout(PATIENCE);
    torch::exit(INTERRUPTED)
}

/// Tells something from a thread of its own: the thread that waits for interrupts must not wait for anything else,
/// and another may hold standard error while its reader does not read.
fn tell(text: String) -> Receiver<()> {
    let (told, is_told) = channel();
    // Without a thread nobody is told.
    let _ = std::thread::Builder::new().spawn(move || {
        output::tell_styled(&format!("\n{text}"));
        let _ = told.send(());
    });
    is_told
}
