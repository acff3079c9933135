//! The Python that makes the private virtual environment.

use super::libtorch::VERSION;
use anyhow::{Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The minor versions of Python 3 that torch of this version has wheels for.
const MINORS: std::ops::RangeInclusive<u32> = 10..=14;

/// The first pip that can install into another environment, `pip --python`.
const PIP_WITH_PYTHON: (u32, u32) = (22, 3);

/// What a Python says of itself; the last value is about the folder it was asked for.
const PROBE: &str = "
import importlib.metadata, importlib.util, json, shutil, sys
try:
    pip = importlib.metadata.version('pip')
except importlib.metadata.PackageNotFoundError:
    pip = None
modules = {name: importlib.util.find_spec(name) is not None for name in ('venv', 'ensurepip')}
free = shutil.disk_usage(sys.argv[1]).free
itself = {'program': sys.executable, 'version': sys.version_info[:2]}
print(json.dumps({**itself, 'pip': pip, 'free': free, **modules}))
";

/// A Python that can make the environment.
pub(crate) struct Python {
    /// The interpreter itself, where a version manager's wrapper goes by the name.
    pub(crate) program: PathBuf,
    /// Bytes free in the folder asked for.
    pub(crate) free: u64,
    /// Whether its own pip brings the newer one; otherwise its `ensurepip` does.
    pub(crate) with_pip: bool,
}

#[derive(Deserialize)]
struct Answer {
    program: PathBuf,
    version: (u32, u32),
    pip: Option<String>,
    free: u64,
    venv: bool,
    ensurepip: bool,
}

/// The Python of `PYTHON`, or the first that fits of the usual names.
pub(crate) fn find(folder: &Path) -> Result<Python> {
    let chosen = std::env::var("PYTHON").ok().filter(|name| !name.is_empty());
    let names: Vec<String> = match &chosen {
        Some(name) => vec![name.clone()],
        None => ["python3".into(), "python".into()]
            .into_iter()
            .chain(MINORS.rev().map(|minor| format!("python3.{minor}")))
            .collect(),
    };
    // The first of them that runs at all is the one that the user means, so its fault is reported.
    let mut fault = None;
    for name in names {
        let Some(answer) = ask(&name, folder) else { continue };
        match judge(&name, &answer) {
            Ok(with_pip) => return Ok(Python { program: answer.program, free: answer.free, with_pip }),
            Err(reason) => fault = fault.or(Some(reason)),
        }
    }
    if let Some(fault) = fault {
        bail!(fault);
    }
    let (first, last) = (MINORS.start(), MINORS.end());
    match chosen {
        Some(name) => bail!("no Python: PYTHON is `{name}`, which does not run; correct or unset it"),
        None => bail!(
            "no Python: `python3` does not run; install Python 3.{first} to 3.{last} with pip (Debian, Ubuntu: \
             `apt install python3 python3-pip python3-venv`; Fedora: `dnf install python3-pip`), name yours in \
             PYTHON, or set LIBTORCH to a libtorch {VERSION} that is there"
        ),
    }
}

fn ask(program: &str, folder: &Path) -> Option<Answer> {
    let mut command = Command::new(program);
    command.args(["-c", PROBE]).arg(folder).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// Whether a Python can make the environment, and by its own pip.
fn judge(name: &str, answer: &Answer) -> Result<bool, String> {
    let (major, minor) = answer.version;
    let (first, last) = (MINORS.start(), MINORS.end());
    if major != 3 || !MINORS.contains(&minor) {
        return Err(format!(
            "`{name}` is Python {major}.{minor}: torch {VERSION} needs 3.{first} to 3.{last}; name such a one in \
             PYTHON"
        ));
    }
    if !answer.venv {
        return Err(format!(
            "`{name}` has no module venv: install it (Debian, Ubuntu: `apt install python3-venv`)"
        ));
    }
    let pip = answer.pip.as_deref().map(numbers);
    if pip.is_some_and(|version| version >= PIP_WITH_PYTHON) {
        return Ok(true);
    }
    if answer.ensurepip {
        return Ok(false);
    }
    let (major, minor) = PIP_WITH_PYTHON;
    let found = match &answer.pip {
        Some(version) => format!("pip {version}, older than {major}.{minor}"),
        None => "no pip".into(),
    };
    Err(format!(
        "`{name}` has {found}, and no ensurepip: install them (Debian, Ubuntu: `apt install python3-pip \
         python3-venv`; Fedora: `dnf install python3-pip`)"
    ))
}

/// Major and minor of a version, 0 for what is not a number.
pub(crate) fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(version: (u32, u32), pip: Option<&str>, venv: bool, ensurepip: bool) -> Answer {
        Answer { program: "p".into(), version, pip: pip.map(String::from), free: 0, venv, ensurepip }
    }

    #[test]
    fn a_python_is_judged_by_its_version_and_its_ways_to_pip() {
        assert_eq!(judge("p", &answer((3, 11), Some("23.2.1"), true, false)), Ok(true));
        assert_eq!(judge("p", &answer((3, 10), Some("22.0.2"), true, true)), Ok(false));
        assert_eq!(judge("p", &answer((3, 14), None, true, true)), Ok(false));
        for (answer, expected) in [
            (answer((3, 9), Some("23.2"), true, true), "is Python 3.9"),
            (answer((3, 99), Some("23.2"), true, true), "is Python 3.99"),
            (answer((3, 11), Some("23.2"), false, true), "no module venv"),
            (answer((3, 11), Some("22.0.2"), true, false), "pip 22.0.2, older than 22.3"),
            (answer((3, 11), None, true, false), "has no pip"),
        ] {
            let error = judge("p", &answer).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("22.10") > numbers("22.3.1"));
        assert_eq!(numbers("25.1b2"), (25, 0));
    }
}
