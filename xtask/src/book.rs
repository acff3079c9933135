//! `cargo xtask book`: the program in xtask/book, which needs more crates than everything else here together.

use crate::{ablate, workspace};
use anyhow::Result;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Example:
  cargo xtask book && xdg-open target/book/index.html")]
pub(crate) struct Args {
    /// Folder for the book [default: book in cargo's target folder]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Checks the links of all documents and makes a book of `docs/`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let output = match &args.output {
        Some(output) => std::path::absolute(output)?,
        None => ablate::target_folder()?.join("book"),
    };
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--package", "electra-book", "--"]).arg(workspace::root()).arg(output);
    workspace::check(&mut cargo)
}

pub(crate) fn in_ci() -> Result<()> {
    run(&Args { output: None })
}
