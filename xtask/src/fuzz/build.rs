//! The targets' programs.

use crate::setup::host;
use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// What makes code tell libFuzzer where it has been: the flags of `cargo fuzz build --sanitizer none`. Stable Rust knows
/// them, unlike those of sanitizers, which safe code has little use for.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Where targets are built, and what they leave.
pub(super) fn folder() -> PathBuf {
    workspace::root().join("target/fuzz")
}

/// The names of all targets.
pub(super) fn targets() -> Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Targets that are built.
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    pub(super) fn path(&self, target: &str) -> PathBuf {
        self.folder.join(target)
    }
}

/// Builds targets. With `--target`, build scripts and procedural macros, which nobody fuzzes, are compiled without the
/// flags.
pub(super) fn build(targets: &[String]) -> Result<Programs> {
    host::check_compiler()?;
    let version = String::from_utf8(workspace::output(workspace::cargo().arg("-vV"))?)?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).context("`cargo -vV` names no host")?;
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "electra-fuzz", "--profile", "fuzz", "--target", host, "--target-dir"]);
    cargo.arg(folder()).args(targets.iter().flat_map(|target| ["--bin", target]));
    cargo.env("RUSTFLAGS", FLAGS.join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    workspace::check(&mut cargo)?;
    Ok(Programs { folder: folder().join(host).join("fuzz") })
}
