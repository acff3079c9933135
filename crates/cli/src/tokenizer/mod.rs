//! `electra tokenizer`.

mod encode;
mod train;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    Train(train::Options),
    Encode(encode::Options),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Train(options) => train::run(&options),
        Command::Encode(options) => encode::run(&options),
    }
}
