//! Errors as a user sees them: one line, and an exit code that says whose turn it is.

use std::fmt;
use std::io;

use crate::output;

/// The machine failed, or the computation.
pub(crate) const FAILED: i32 = 1;
/// Options or input are wrong.
pub(crate) const INPUT: i32 = 2;
/// What a shell reports for a program that SIGINT ended.
pub(crate) const INTERRUPTED: i32 = 130;

/// An end with this exit code, of which all has been told.
#[derive(Debug)]
pub(crate) struct Ended(pub(crate) i32);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended with exit code {}", self.0)
    }
}

impl std::error::Error for Ended {}

/// Tells an error and gives the exit code for it.
pub(crate) fn report(error: &anyhow::Error) -> i32 {
    if let Some(Ended(code)) = error.downcast_ref() {
        return *code;
    }
    if broken_pipe(error) {
        // Whoever read our output has seen enough, as `head` does.
        return 0;
    }
    output::error(&message(error));
    exit_code(error)
}

/// The error and its causes. Our own errors quote their cause, which is then not said again.
fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    if is_of_output(error) {
        message = format!("standard output: {message}");
    }
    without_trace(&message)
}

/// libtorch's messages go on with the functions that were running.
fn without_trace(message: &str) -> String {
    let end = message.find("\nException raised from ").unwrap_or(message.len());
    let lines = message[..end].lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// Errors of files have the file's name around them, so a bare one is of standard output.
fn is_of_output(error: &anyhow::Error) -> bool {
    error.chain().count() == 1 && error.is::<io::Error>()
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// 2 where the user can mend it by other input or options, 1 where the machine failed.
pub(crate) fn exit_code(error: &anyhow::Error) -> i32 {
    for cause in error.chain() {
        if let Some(electra_data::Error::Interrupted) = cause.downcast_ref() {
            return INTERRUPTED;
        }
        if let Some(error) = cause.downcast_ref::<crate::hub::Error>() {
            return error.code;
        }
        if let Some(code) = crate::torch::exit_code(cause) {
            return code;
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return if is_of_machine(error) { FAILED } else { INPUT };
        }
    }
    INPUT
}

/// Whether trying again may help, or another machine, and other options do not. What the system says is the
/// machine's fault unless it is about the path that it was given.
#[cfg(unix)]
fn is_of_machine(error: &io::Error) -> bool {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(
            Errno::NOENT
            | Errno::ACCESS
            | Errno::PERM
            | Errno::NOTDIR
            | Errno::ISDIR
            | Errno::EXIST
            | Errno::NOTEMPTY
            | Errno::NAMETOOLONG
            | Errno::LOOP
            | Errno::INVAL
            | Errno::ILSEQ
            | Errno::ROFS
            | Errno::XDEV
            | Errno::MLINK
            | Errno::NODEV
            | Errno::NXIO
            | Errno::SPIPE
            | Errno::TXTBSY
            | Errno::BUSY,
        ) => false,
        Some(_) => true,
        None => is_of_machine_by_kind(error),
    }
}

#[cfg(not(unix))]
fn is_of_machine(error: &io::Error) -> bool {
    is_of_machine_by_kind(error)
}

/// Of an error that a library made, such as that of a decompressor.
fn is_of_machine_by_kind(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::OutOfMemory
            | io::ErrorKind::WriteZero
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let inner = || io::Error::other("disk on fire");
        let quoted = anyhow::Error::from(inner()).context("a.txt: disk on fire");
        assert_eq!(message(&quoted), "a.txt: disk on fire");
        assert_eq!(message(&anyhow::Error::from(inner()).context("a.txt")), "a.txt: disk on fire");
        assert_eq!(message(&inner().into()), "standard output: disk on fire");
    }

    #[test]
    fn a_trace_is_left_out() {
        let thrown = "libtorch: [enforce fail at alloc_cpu.cpp:124] out of memory\nException raised from f at g\nframe #0";
        assert_eq!(without_trace(thrown), "libtorch: [enforce fail at alloc_cpu.cpp:124] out of memory");
        assert_eq!(without_trace("a\n  b\n"), "a b");
    }

    #[test]
    fn exit_codes() {
        let io = |kind| anyhow::Error::from(io::Error::from(kind)).context("doing something");
        assert_eq!(exit_code(&io(io::ErrorKind::NotFound)), 2);
        assert_eq!(exit_code(&io(io::ErrorKind::StorageFull)), 1);
        assert_eq!(exit_code(&electra_data::Error::Interrupted.into()), 130);
        assert_eq!(exit_code(&electra_data::Error::Empty { documents: 0 }.into()), 2);
        assert!(broken_pipe(&io::Error::from(io::ErrorKind::BrokenPipe).into()));
        assert_eq!(report(&Ended(130).into()), 130);
    }

    #[cfg(unix)]
    #[test]
    fn what_the_system_says_is_the_machines_fault_unless_it_is_about_the_path() {
        use rustix::io::Errno;
        let code = |errno: Errno| {
            let source = io::Error::from_raw_os_error(errno.raw_os_error());
            let error = electra_store::io(std::path::Path::new("a"), "writing it")(source);
            exit_code(&electra_data::Error::from(error).into())
        };
        let path = [Errno::NOENT, Errno::ACCESS, Errno::PERM, Errno::NOTDIR, Errno::ISDIR, Errno::EXIST];
        let form = [Errno::NAMETOOLONG, Errno::LOOP, Errno::INVAL, Errno::ROFS, Errno::NXIO, Errno::SPIPE];
        for errno in path.into_iter().chain(form) {
            assert_eq!(code(errno), 2, "{errno:?}");
        }
        for errno in [
            Errno::IO,
            Errno::FBIG,
            Errno::NOSPC,
            Errno::DQUOT,
            Errno::NOMEM,
            Errno::AGAIN,
            Errno::MFILE,
            Errno::NFILE,
            Errno::STALE,
            Errno::NOLCK,
            Errno::INTR,
            Errno::TIMEDOUT,
            Errno::CONNRESET,
        ] {
            assert_eq!(code(errno), 1, "{errno:?}");
        }
    }
}
