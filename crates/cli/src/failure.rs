//! Errors as a user sees them: one line, and an exit code that says whose turn it is.

use std::io;

/// The machine failed, or the computation.
pub(crate) const FAILED: i32 = 1;
const INPUT: i32 = 2;
/// What a shell reports for a program that SIGINT ended.
pub(crate) const INTERRUPTED: i32 = 130;

/// Prints an error and gives the exit code for it.
pub(crate) fn report(error: &anyhow::Error) -> i32 {
    if broken_pipe(error) {
        // Whoever read our output has seen enough, as `head` does.
        return 0;
    }
    eprintln!("{} {}", console::style("error:").red().bold().for_stderr(), message(error));
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
    message
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// 2 where the user can mend it by other input or options, 1 where the machine failed.
fn exit_code(error: &anyhow::Error) -> i32 {
    for cause in error.chain() {
        if let Some(electra_data::Error::Interrupted) = cause.downcast_ref() {
            return INTERRUPTED;
        }
        if let Some(code) = crate::torch::exit_code(cause) {
            return code;
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::OutOfMemory => {
                    FAILED
                }
                _ => INPUT,
            };
        }
    }
    INPUT
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
    }

    #[test]
    fn exit_codes() {
        let io = |kind| anyhow::Error::from(io::Error::from(kind)).context("doing something");
        assert_eq!(exit_code(&io(io::ErrorKind::NotFound)), 2);
        assert_eq!(exit_code(&io(io::ErrorKind::StorageFull)), 1);
        assert_eq!(exit_code(&electra_data::Error::Interrupted.into()), 130);
        assert_eq!(exit_code(&electra_data::Error::Empty { documents: 0 }.into()), 2);
        assert!(broken_pipe(&io::Error::from(io::ErrorKind::BrokenPipe).into()));
    }
}
