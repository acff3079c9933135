//! A job of a study ends with the study.

use anyhow::{Context, Result};

/// In a job of a study, waits for the end of standard input, which the study closes when it wants the job to
/// end and which closes with the study however that ends; then the job gets an interrupt, at which it saves.
/// Elsewhere, does nothing.
pub(crate) fn end_with_study() -> Result<()> {
    if std::env::var_os(electra_study::CHILD).is_none() {
        return Ok(());
    }
    let waiting = std::thread::Builder::new().spawn(|| {
        // Nothing is ever written to it: whatever comes, or an error, it is over.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        interrupt();
    });
    waiting.map(drop).context("starting a thread")
}

#[cfg(unix)]
fn interrupt() {
    use rustix::process::{Signal, getpid, kill_process};
    // A process may always send a signal to itself.
    let _ = kill_process(getpid(), Signal::INT);
}

#[cfg(not(unix))]
fn interrupt() {
    crate::torch::exit(crate::failure::INTERRUPTED);
}
