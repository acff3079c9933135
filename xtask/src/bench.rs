//! `cargo xtask bench`.

mod peers;
mod scaling;

use crate::{setup, workspace};
use anyhow::{Context, Result, bail};
use serde_json::Value;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  cargo xtask bench            every criterion bench
  cargo xtask bench data       one of them, benches/data.rs
  cargo xtask bench peers      the same jobs here and in Python, in turn
  cargo xtask bench scaling    growth of time and memory with every size, and leaks
  cargo xtask bench step --preset small --objective electra --batch 16 --json")]
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
    /// Measure how time and memory grow with L, B, V, D and the corpus, and whether a long run leaks
    Scaling(scaling::Args),
    /// Time a training step and its phases; `-- --help` lists the options
    Step {
        /// Handed to the program that does it
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        options: Vec<String>,
    },
}

/// Sets up and runs the named benches, or all of them.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Peers(args)) => return peers::run(args),
        Some(Command::Scaling(args)) => return scaling::run(args),
        Some(Command::Step { options }) => {
            setup::quietly()?;
            let program =
                ["run", "--quiet", "--release", "--package", "electra-benches", "--bin", "step", "--"];
            return workspace::check(workspace::cargo().args(program).args(options));
        }
        None => {}
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
