//! Calls of pip and of the download program, and what their failures mean.

use super::libtorch::VERSION;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A Python whose children hold the cache's lock.
pub(crate) struct Runner<'a> {
    pub(crate) python: PathBuf,
    pub(crate) lock: &'a File,
}

impl Runner<'_> {
    /// The Python with some arguments.
    ///
    /// The lock is its stdin: where this program is killed and the child lives on, the next set-up waits
    /// for the child instead of writing to the same files.
    pub(crate) fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new(&self.python);
        command.args(args).stdin(Stdio::from(self.lock.try_clone()?));
        // Settings that would lead the packages elsewhere than into the environment, or ask questions.
        for name in ["PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT"] {
            command.env_remove(name);
        }
        command.envs([("PIP_USER", "0"), ("PIP_NO_INPUT", "1"), ("PIP_DISABLE_PIP_VERSION_CHECK", "1")]);
        Ok(command)
    }

    /// Runs pip quietly; `doing` begins the sentence of a failure.
    pub(crate) fn pip(&self, doing: &str, args: &[&str]) -> Result<()> {
        let command = &mut self.command(&["-m", "pip"])?;
        let output = command.args(args).output().with_context(|| format!("cannot run {:?}", self.python))?;
        succeeded(doing, &output)
    }

    /// Runs pip with its progress shown.
    pub(crate) fn pip_shown(&self, doing: &str, args: &[&str]) -> Result<()> {
        let command = &mut self.command(&["-m", "pip"])?;
        command.args(args).stdout(Stdio::from(std::io::stderr())).stderr(Stdio::piped());
        let child = command.spawn().with_context(|| format!("cannot run {:?}", self.python))?;
        succeeded(doing, &child.wait_with_output()?)
    }
}

/// The error of a command that failed, with what to do about it.
pub(crate) fn succeeded(doing: &str, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    match cause(&text) {
        Some(advice) => bail!("{doing}: {advice} ({})", words(&text)),
        None => bail!("{doing} failed ({}):\n{}", output.status, last_lines(&text)),
    }
}

/// What to do where the disk is full.
pub(crate) const DISK_FULL: &str = "the disk is full; make room, or set ELECTRA_CACHE to a folder on a larger \
                                    disk, and run the command again: it goes on where it stopped";

/// What the text of a failure of pip or Python comes from, where it is one of the common causes.
fn cause(text: &str) -> Option<String> {
    let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    if says(&["No space left on device", "Errno 28", "Disk quota exceeded"]) {
        return Some(DISK_FULL.into());
    }
    if says(&["Read-only file system", "Permission denied", "Errno 30"]) {
        return Some("the cache folder cannot be written; set ELECTRA_CACHE to a folder of yours".into());
    }
    if says(&["CERTIFICATE_VERIFY_FAILED", "SSLError"]) {
        return Some(
            "the package index shows a certificate that is not trusted here; behind a company's proxy, name its \
             certificates in PIP_CERT and SSL_CERT_FILE"
                .into(),
        );
    }
    let unreachable =
        ["NewConnectionError", "ConnectTimeoutError", "ProxyError", "Connection to", "Max retries"];
    if says(&unreachable) || says(&["Connection refused", "name resolution", "Read timed out"]) {
        return Some(format!(
            "no connection to the package index; check the network and the proxy (HTTPS_PROXY), name a mirror in \
             PIP_INDEX_URL, or set LIBTORCH to a libtorch {VERSION} that is there"
        ));
    }
    if says(&["No matching distribution", "Could not find a version"]) {
        return Some(format!(
            "the package index has no torch {VERSION} for this machine and Python; check PIP_INDEX_URL and \
             PYTHON, or set LIBTORCH to a libtorch {VERSION} that is there"
        ));
    }
    None
}

/// The system's own words for what went wrong, or else the last line.
fn words(text: &str) -> &str {
    let error = text.rfind("[Errno ").map(|start| &text[start..]);
    error.and_then(|error| error.split(['\'', '"', ')', '\n']).next()).unwrap_or_else(|| {
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no further word")
    })
}

/// The end of a command's output, where the reason usually is.
fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_failures_are_told_apart() {
        for (text, expected) in [
            ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
            ("WARNING: Retrying … NewConnectionError\nERROR: No matching distribution", "no connection"),
            ("ERROR: No matching distribution found for torch", "has no torch"),
            ("SSLError(SSLCertVerificationError … Max retries exceeded", "certificate"),
            ("OSError: [Errno 30] Read-only file system: 'x'", "cannot be written"),
        ] {
            let advice = cause(text).unwrap();
            assert!(advice.contains(expected), "{text}: {advice}");
        }
        assert_eq!(cause("ERROR: something else"), None);
    }

    #[test]
    fn the_systems_own_words_are_found() {
        let text = "WARNING: Retrying 'Error('<x>: no: [Errno 111] Connection refused')': /a/\nERROR: none\n";
        assert_eq!(words(text), "[Errno 111] Connection refused");
        assert_eq!(words("one\nERROR: none\n\n"), "ERROR: none");
    }

    #[test]
    fn the_end_of_the_output_is_kept() {
        assert_eq!(last_lines("1\n2\n\n3\n4\n5\n"), "2\n3\n4\n5");
        assert_eq!(last_lines(""), "");
    }
}
