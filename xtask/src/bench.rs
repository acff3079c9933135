//! `cargo xtask bench`: the program in benches/harness.

use crate::workspace;
use anyhow::{Context, Result};
use std::ffi::OsString;

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What is measured, and how: `cargo xtask bench --help`
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    words: Vec<OsString>,
}

/// Runs the program, and ends as it ends.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--package", "electra-bench", "--"]).args(&args.words);
    // The program calls `cargo xtask setup`, which wants to know what the user set.
    cargo.envs(std::env::var_os("LIBTORCH").map(|folder| ("LIBTORCH", folder)));
    let status = cargo.status().context("cannot run cargo")?;
    if !status.success() {
        // It has said why.
        std::process::exit(status.code().unwrap_or(1));
    }
    Ok(())
}
