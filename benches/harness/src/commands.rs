//! The programs that benches call.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the root `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    // `cargo run` tells where the package is now; the compiled-in path serves a binary called by hand.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).ancestors().nth(2).expect("benches/harness lies inside the workspace").to_path_buf()
}

/// The folder of benches.
pub(crate) fn benches() -> PathBuf {
    root().join("benches")
}

/// Cargo in the workspace's root, with the libtorch that `cargo xtask setup` chose.
pub(crate) fn cargo() -> Command {
    let mut cargo = any_cargo();
    cargo.env_remove("LIBTORCH");
    cargo
}

/// Cargo with the `LIBTORCH` of the user.
fn any_cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

fn xtask(words: &[&str]) -> Command {
    let mut cargo = any_cargo();
    cargo.args(["run", "--quiet", "--package", "xtask", "--"]).args(words);
    cargo
}

/// Finds or installs libtorch, without a word on standard output, which belongs to what is run next.
pub(crate) fn set_up() -> Result<()> {
    check(xtask(&["setup"]).stdout(Stdio::null()))
}

/// The Python of a private environment with the packages of a requirements file.
pub(crate) fn python(name: &str, requirements: &Path) -> Result<PathBuf> {
    let path = output(xtask(&["python", name]).arg(requirements))?;
    Ok(String::from_utf8(path).context("the path of Python is not UTF-8")?.trim_end().into())
}

/// Runs a command to its end and fails unless it succeeds.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// What a command prints on stdout, where it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let shown = shown(command);
    let output = command.output().with_context(|| format!("cannot run `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
