//! How the programs of either side are called.

use super::{Args, Group};
use crate::commands::{self, benches};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of both sides.
pub(super) struct Sides {
    /// Where they write, for this call alone.
    pub(super) folder: PathBuf,
    python: PathBuf,
    threads: String,
    /// What Python needs to import the torch whose libtorch we use; none where no job asks for it.
    torch: Option<Torch>,
}

struct Torch {
    python_path: OsString,
    /// A folder of empty libraries.
    libraries: PathBuf,
}

impl Sides {
    /// Builds ours and makes Python's environment.
    pub(super) fn open(args: &Args, folder: &Path) -> Result<Self> {
        let python = commands::python("peers", &benches().join("python/requirements.txt"))?;
        let programs = ["--bin", "data_jobs", "--bin", "step", "--bin", "classify"];
        let build = ["build", "--release", "--package", "electra-benches"];
        commands::check(commands::cargo().args(build).args(programs))?;
        let mut sides =
            Self { folder: folder.to_owned(), python, threads: args.threads.to_string(), torch: None };
        if args.groups().iter().any(|group| *group != Group::Data) {
            sides.torch = Some(Torch::find(&sides, folder)?);
        }
        Ok(sides)
    }

    /// A program of benches/src/bin, through cargo, which knows where its target folder is.
    pub(super) fn ours(&self, program: &str) -> Command {
        let mut command = commands::cargo();
        command.args(["run", "--quiet", "--release", "--package", "electra-benches", "--bin", program, "--"]);
        self.limit(&mut command);
        command
    }

    /// A program of benches/python.
    pub(super) fn python(&self, script: &str) -> Command {
        let mut command = self.bare_python();
        command.arg(benches().join("python").join(script));
        command
    }

    fn bare_python(&self) -> Command {
        let mut command = Command::new(&self.python);
        self.limit(&mut command);
        command.env("TOKENIZERS_PARALLELISM", "true").env("PYTHONDONTWRITEBYTECODE", "1");
        if let Some(torch) = &self.torch {
            torch.enter(&mut command);
        }
        // What is compiled is compiled once a call, not once a run, and nothing of an earlier call is used.
        command.env("TORCHINDUCTOR_CACHE_DIR", self.folder.join("compiled"));
        command
    }

    fn limit(&self, command: &mut Command) {
        for variable in ["OMP_NUM_THREADS", "RAYON_NUM_THREADS"] {
            command.env(variable, &self.threads);
        }
    }
}

impl Torch {
    /// torch's Python module beside the libtorch that this workspace is built with.
    fn find(sides: &Sides, folder: &Path) -> Result<Self> {
        let libtorch =
            std::fs::canonicalize(commands::root().join(".libtorch")).context("libtorch is not there")?;
        if !libtorch.join("__init__.py").is_file() {
            bail!(
                "the libtorch in use has no Python module, so that PyTorch cannot be compared on the same one: unset \
                 LIBTORCH, or set it to `torch` of a Python package"
            );
        }
        let packages = libtorch.parent().context("libtorch lies in no folder")?;
        let python_path = std::env::join_paths([benches().join("python/lazily"), packages.to_owned()])?;
        let torch = Self { python_path, libraries: folder.join("empty") };
        torch.complete(sides)?;
        Ok(torch)
    }

    fn enter(&self, command: &mut Command) {
        let others = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        // An empty one would be the working directory.
        let others = std::env::split_paths(&others).filter(|path| !path.as_os_str().is_empty());
        let all = std::iter::once(self.libraries.clone()).chain(others);
        let all = std::env::join_paths(all).unwrap_or_else(|_| self.libraries.clone().into());
        command.env("PYTHONPATH", &self.python_path).env("LD_LIBRARY_PATH", all);
    }

    /// Puts an empty library in the place of each that is missing: see benches/python/lazily.
    fn complete(&self, sides: &Sides) -> Result<()> {
        std::fs::create_dir_all(&self.libraries)?;
        loop {
            let mut command = sides.bare_python();
            self.enter(&mut command);
            let output = command.args(["-c", "import torch"]).output()?;
            if output.status.success() {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&output.stderr);
            match missing(&text) {
                // One that is there already does not help.
                Some(name) if !self.libraries.join(name).exists() => self.make(name)?,
                _ => bail!("Python cannot import torch:\n{}", text.trim()),
            }
        }
    }

    fn make(&self, name: &str) -> Result<()> {
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let mut command = Command::new(compiler);
        command.args(["-shared", "-x", "c++", "/dev/null", &format!("-Wl,-soname,{name}"), "-o"]);
        commands::check(command.arg(self.libraries.join(name)))
    }
}

/// The library that an import failed for.
fn missing(text: &str) -> Option<&str> {
    let (before, _) = text.split_once(": cannot open shared object file")?;
    let name = before.rsplit(' ').next()?;
    (name.starts_with("lib") && !name.contains('/')).then_some(name)
}

/// The JSON objects that a program prints, one a line.
pub(super) fn lines(command: &mut Command) -> Result<Vec<Value>> {
    let output = commands::output(command)?;
    let text = String::from_utf8(output).context("a job's figures are not UTF-8")?;
    let read = |line| serde_json::from_str(line).with_context(|| format!("not a job's figures: {line}"));
    text.lines().map(read).collect()
}

/// The one that it prints.
pub(super) fn line(command: &mut Command) -> Result<Value> {
    lines(command)?.pop().context("a program of a job printed nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named() {
        let text = "  from torch._C import *\nImportError: libcudnn.so.9: cannot open shared object file: No such \
                    file or directory\n";
        assert_eq!(missing(text), Some("libcudnn.so.9"));
        assert_eq!(missing("ImportError: undefined symbol: x"), None);
    }
}
