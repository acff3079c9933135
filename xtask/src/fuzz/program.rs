//! The program itself among the targets: `fuzz/program.py` changes files that its commands read, those above the libtorch
//! line among them, and looks at how they end.

use super::outcome::Outcome;
use crate::{ablate, setup, workspace};
use anyhow::{Context, Result};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What it is called among the targets.
pub(super) const NAME: &str = "program";

/// Builds the program as tests do, with checks of arithmetic, and runs it on changed files.
pub(super) fn run(seconds: u64, jobs: usize, seed: Option<u32>) -> Result<Outcome> {
    setup::quietly()?;
    workspace::check(workspace::cargo().args(["build", "--package", "electra-cli"]))?;
    let program =
        ablate::target_folder()?.join("debug").join(format!("electra{}", std::env::consts::EXE_SUFFIX));
    let python = std::env::var("PYTHON").ok().filter(|name| !name.is_empty());
    let mut command = Command::new(python.as_deref().unwrap_or("python3"));
    command.arg(workspace::root().join("fuzz/program.py")).arg("--electra").arg(program);
    command.args(["--seconds", &seconds.to_string(), "--jobs", &jobs.to_string()]);
    command.args(["--seed", &seed.unwrap_or_else(std::process::id).to_string()]);
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().context("cannot run fuzz/program.py")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Outcome::of_program(
        start.elapsed(),
        output.status.success(),
        &text(&output.stdout),
        &text(&output.stderr),
    )
}
