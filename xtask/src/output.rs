//! Standard output and standard error, whose reader may go away: what runs here goes on to its end.

use anyhow::{Context, Result};
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints on standard output. A reader that has gone has seen enough.
pub(crate) fn print(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot write to standard output"),
    }
}

/// Prints a line on standard output.
pub(crate) fn line(text: impl Display) -> Result<()> {
    print(format!("{text}\n").as_bytes())
}

/// Tells something on standard error, if anybody can be told.
pub(crate) fn tell(text: impl Display) {
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}
