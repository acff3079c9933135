//! `cargo xtask wheel`: the program and its Python module as one wheel, and the tests of that.

mod check;

use crate::setup::environment;
use crate::{ablate, output, setup, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the program lies in the package; `python/pyproject.toml` names it too.
const PROGRAM: &str = "electra/_program_files/electra";
/// Where the loader looks for libtorch: in the torch of the environment that the wheel is installed in. The command
/// `electra` finds a torch that is elsewhere.
const RPATH: &str = "$ORIGIN/../../torch/lib";

#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask wheel                    dist/electra-….whl
  cargo xtask wheel --test             builds it, and tests it in an environment of its own
  python -m venv v && v/bin/pip install torch==2.11.0 dist/electra-*.whl && v/bin/electra --version

It has the program, which links the libtorch of torch 2.11.0 in the environment that it is installed in, and the module
`electra`. One wheel serves every Python from 3.10 on. Linux alone.")]
pub(crate) struct Args {
    /// Folder for the wheel [default: dist in the workspace]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Compile as for tests: quick to build, slow to run
    #[arg(long)]
    debug: bool,
    /// Install it in a private environment and run python/tests
    #[arg(long)]
    test: bool,
}

/// Builds the wheel, and tests it where that is asked for.
pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = args.output.clone().unwrap_or_else(|| workspace::root().join("dist"));
    let wheel = build(args.debug, &std::path::absolute(folder)?)?;
    output::line(wheel.display())?;
    if args.test { check::run(&wheel) } else { Ok(()) }
}

/// The same as continuous integration does it: from what the tests are compiled from. Its Python packages come from a
/// registry, which need not be there.
pub(crate) fn in_ci() -> Result<()> {
    if let Err(error) = building_python().and_then(|_| check::python()) {
        return output::line(format_args!("skipped: the wheel: {error:#}"));
    }
    let wheel = build(true, &ablate::target_folder()?.join("wheel"))?;
    check::run(&wheel)
}

/// The Python that builds it.
fn building_python() -> Result<PathBuf> {
    environment::python("wheel", &workspace::root().join("python/requirements-build.txt"))
}

/// Builds the wheel in a folder; gives its path.
fn build(debug: bool, folder: &Path) -> Result<PathBuf> {
    ensure!(
        cfg!(target_os = "linux"),
        "wheels are built on Linux alone: on macOS libtorch is found in another way"
    );
    setup::quietly()?;
    let package = workspace::root().join("python");
    let python = building_python()?;
    let tools = python.parent().context("the environment has no folder for programs")?.to_path_buf();

    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "electra-cli"]).args((!debug).then_some("--release"));
    workspace::check(&mut cargo)?;
    let profile = if debug { "debug" } else { "release" };
    stage(&ablate::target_folder()?.join(profile).join("electra"), &package.join(PROGRAM), &tools)?;

    // Of earlier versions: what is installed from here by a pattern is one wheel.
    fs::create_dir_all(folder)?;
    for old in wheels(folder)? {
        fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
    }
    let mut maturin = Command::new(tools.join("maturin"));
    maturin.current_dir(&package).args(["build", "--quiet", "--auditwheel", "skip", "--out"]).arg(folder);
    maturin.args((!debug).then_some("--release"));
    maturin.env("PATH", with_tools(&tools)?);
    workspace::check(&mut maturin)?;
    match wheels(folder)?.as_slice() {
        [wheel] => Ok(wheel.clone()),
        found => bail!("{}: {} wheels; expected 1", folder.display(), found.len()),
    }
}

/// Copies the program into the package, without what debuggers read and without the build's own libtorch.
fn stage(program: &Path, place: &Path, tools: &Path) -> Result<()> {
    let folder = place.parent().context("the program's place has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    fs::copy(program, place).with_context(|| format!("cannot copy {}", program.display()))?;
    workspace::check(Command::new("strip").arg(place))?;
    workspace::check(Command::new(tools.join("patchelf")).args(["--set-rpath", RPATH]).arg(place))
}

/// The wheels in a folder.
fn wheels(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .collect())
}

/// `PATH` with the environment's programs first.
fn with_tools(tools: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools.to_path_buf()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).context("PATH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_takes_the_program_from_where_it_is_put_and_asks_for_the_torch_that_is_linked() {
        let read = |name: &str| fs::read_to_string(workspace::root().join("python").join(name)).unwrap();
        assert!(read("pyproject.toml").contains(&format!("path = \"{PROGRAM}\"")));
        let version = setup::LIBTORCH_VERSION;
        assert!(read("electra/_program.py").contains(&format!("\nTORCH = \"{version}\"\n")));
        let (minor, _) = version.rsplit_once('.').unwrap();
        assert!(read("pyproject.toml").contains(&format!("\"torch=={minor}.*\"")));
    }
}
