//! `electra corpus`.

mod build;
mod histogram;
mod inspect;
mod show;
mod synthesize;

use anyhow::Result;
use clap::Subcommand;

/// The tokenizer's folder inside a corpus.
const TOKENIZER: &str = "tokenizer";

#[derive(Subcommand)]
pub(crate) enum Command {
    Build(build::Options),
    Inspect(inspect::Options),
    Synthesize(synthesize::Options),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Build(options) => build::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Synthesize(options) => synthesize::run(&options),
    }
}
