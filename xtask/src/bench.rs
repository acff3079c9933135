//! `cargo xtask bench`.

mod peers;

use crate::{setup, workspace};
use anyhow::{Context, Result, bail};
use serde_json::Value;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  cargo xtask bench            every criterion bench
  cargo xtask bench data       one of them, benches/data.rs
  cargo xtask bench peers      the same jobs here and in Python, in turn")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Names of bench targets of the package electra-benches; all of them by default
    names: Vec<String>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run the jobs of benches/python here and in Python in turn, and compare
    Peers(peers::Args),
}

/// Sets up and runs the named benches, or all of them.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(Command::Peers(args)) = &args.command {
        return peers::run(args);
    }
    let known = targets()?;
    if known.is_empty() {
        bail!("the package electra-benches has no bench targets");
    }
    if let Some(name) = args.names.iter().find(|name| !known.contains(name)) {
        bail!("there is no bench called `{name}`; there are: {}", known.join(", "));
    }
    setup::run(&setup::Args::default())?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--package", "electra-benches"]);
    for name in &args.names {
        cargo.args(["--bench", name]);
    }
    workspace::check(&mut cargo)
}

/// The names of the bench targets, from cargo itself.
fn targets() -> Result<Vec<String>> {
    let metadata = workspace::output(workspace::cargo().args([
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: Value = serde_json::from_slice(&metadata).context("cannot read `cargo metadata`")?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(packages
        .iter()
        .filter(|package| package["name"] == "electra-benches")
        .flat_map(|package| package["targets"].as_array().map_or(&[][..], Vec::as_slice))
        .filter(|target| target["kind"][0] == "bench")
        .filter_map(|target| target["name"].as_str().map(String::from))
        .collect())
}
