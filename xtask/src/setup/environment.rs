//! Private virtual environments beside libtorch, for the Python programs that benches run.

use super::cache::Cache;
use super::pip::Runner;
use super::python;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The Python of an environment with the packages that a requirements file names; made where there is none
/// yet, or where the file has changed.
pub(crate) fn python(name: &str, requirements: &Path) -> Result<PathBuf> {
    let cache = Cache::open()?;
    let lock = cache.lock()?;
    let folder = cache.folder().join(name);
    let program = folder.join("bin/python");
    let required =
        fs::read(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written last, so that an environment that was cut off is made again.
    let installed = folder.join("requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == required) {
        return Ok(program);
    }
    crate::output::tell(format_args!(
        "installing the Python packages of {} in {}",
        requirements.display(),
        folder.display()
    ));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let host = Runner { python: python::find(cache.folder())?.program, lock: &lock };
    let place = folder.to_string_lossy();
    super::pip::succeeded("making the environment", &host.command(&["-m", "venv", &place])?.output()?)?;
    let runner = Runner { python: program.clone(), lock: &lock };
    let list = requirements.to_string_lossy();
    runner.pip_shown("installing the packages", &["install", "--requirement", &list])?;
    fs::write(&installed, required).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(program)
}
