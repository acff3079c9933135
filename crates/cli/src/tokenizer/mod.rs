//! `electra tokenizer`.

mod encode;
mod stop;
mod train;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train a WordPiece vocabulary and write it in the Hub's layout
    Train(train::Options),
    /// Encode lines of standard input: tokens and ids, a line for each
    Encode(encode::Options),
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Train(options) => train::run(&options),
        Command::Encode(options) => encode::run(&options),
    }
}
