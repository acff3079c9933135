//! Ctrl-C, the signals TERM, HUP and XCPU (`ulimit -t`), and shards that are lost while they are read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::failure::{self, INTERRUPTED};
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
///
/// So does a shard that another program cuts while it is read: no thread can go on with it.
pub(crate) fn catch() -> Result<()> {
    // So that a file that grows beyond `ulimit -f` is an error of writing it, not the end of the program.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).context("catching the limit of files")?;
    let hangup = (!ignores_hangup()).then_some(SIGHUP);
    let signals = [SIGINT, SIGTERM, SIGXCPU].into_iter().chain(hangup);
    let mut signals = Signals::new(signals).context("catching interrupts")?;
    let waiting = std::thread::Builder::new().spawn(move || signals.forever().for_each(|_| interrupted()));
    waiting.context("starting a thread")?;
    electra_data::on_lost_shard(|error| {
        electra_store::abandon();
        let error = error.into();
        let code = failure::exit_code(&error);
        let _ = aside(move || failure::report(&error)).recv_timeout(PATIENCE);
        torch::exit(code)
    })
    .context("watching shards")
}

/// Whether the program was started so that it outlives its terminal, as `nohup` does it. Catching the signal would
/// undo that.
fn ignores_hangup() -> bool {
    let status = electra_store::read_to_string("/proc/self/status".as_ref()).unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 1)
}

fn interrupted() {
    let mut request = REQUEST.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(request) = request.as_mut() else { end() };
    if (request.ask)() {
        end();
    }
    if !request.message.is_empty() {
        tell(format!("{}; once more to end at once", request.message));
    }
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

fn tell(text: String) -> Receiver<()> {
    aside(move || output::tell_styled(&format!("\n{text}")))
}

/// Does something on a thread of its own: the one that waits for signals must not wait for anything else, and another
/// may hold standard error while its reader does not read.
fn aside<T>(tell: impl FnOnce() -> T + Send + 'static) -> Receiver<()> {
    let (told, is_told) = channel();
    // Without a thread nobody is told.
    let _ = std::thread::Builder::new().spawn(move || {
        tell();
        let _ = told.send(());
    });
    is_told
}
