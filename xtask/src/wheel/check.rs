//! The tests of the wheel, in an environment of its own.

use crate::setup::environment;
use crate::{output, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lets the environment import the torch that is there already.
const BORROW: &str = include_str!("borrow_torch.py");

/// Installs the wheel and runs `python/tests`, mypy and ruff; says that it is skipped where libtorch is not PyTorch's.
pub(super) fn run(wheel: &Path) -> Result<()> {
    let Some(site) = torch_site()? else {
        return output::line(
            "skipped: the tests of the wheel: this libtorch is not that of a Python package",
        );
    };
    let package = workspace::root().join("python");
    let python = python()?;
    workspace::check(call(&python, &["-c", BORROW]).arg(site))?;
    let mut pip = call(&python, &["-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall"]);
    workspace::check(pip.arg(wheel))?;

    // Outside of the workspace, so that the package that is imported is the installed one.
    let folder = tempfile::tempdir()?;
    let tests = package.join("tests");
    let in_folder = |words: &[&str]| {
        let mut command = call(&python, words);
        command.current_dir(folder.path());
        command
    };
    workspace::check(in_folder(&["-m", "unittest", "discover", "--start-directory"]).arg(&tests))?;
    let config = package.join("pyproject.toml");
    let sources = [package.join("electra"), package.join("tests"), package.join("examples")];
    workspace::check(in_folder(&["-m", "mypy", "--strict", "--config-file"]).arg(&config).args(&sources))?;
    workspace::check(
        in_folder(&["-m", "ruff", "format", "--check", "--config"]).arg(&config).args(&sources),
    )?;
    workspace::check(in_folder(&["-m", "ruff", "check", "--config"]).arg(&config).args(&sources))
}

/// The Python that tests it.
pub(super) fn python() -> Result<PathBuf> {
    environment::python("wheel-test", &workspace::root().join("python/requirements-test.txt"))
}

fn call(python: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(python);
    command.args(words).env_remove("PYTHONPATH").env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    command
}

/// The folder of packages in which the workspace's libtorch lies, where it is a torch that Python imports.
fn torch_site() -> Result<Option<PathBuf>> {
    let link = workspace::libtorch_link();
    let torch = fs::canonicalize(&link).with_context(|| format!("cannot follow {}", link.display()))?;
    Ok(torch.join("__init__.py").exists().then(|| torch.with_file_name("")))
}
