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
    /// Pack text into shards of examples
    Build(build::Options),
    /// Show what a corpus holds, and what a training step would mask
    Inspect(inspect::Options),
    /// Write a generated language into files: text, tasks, minimal pairs, and all that its grammar knows
    Synthesize(synthesize::Options),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Build(options) => build::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Synthesize(options) => synthesize::run(&options),
    }
}
