//! The `electra` program: a thin face over the crates. Results go to standard output, progress and errors
//! to standard error; the exit code is 0, 1 (failed), 2 (wrong usage or input) or 130 (interrupted).

// Doc comments on options are the program's help: they are read as they stand.
#![allow(clippy::doc_markdown, rustdoc::broken_intra_doc_links)]

mod ablate;
mod corpus;
mod failure;
mod fault;
mod flops;
mod hub;
mod input;
mod interrupt;
mod output;
mod progress;
mod report;
mod stdin;
mod tokenizer;
#[cfg(feature = "torch")]
mod torch;
#[cfg(not(feature = "torch"))]
#[path = "without_torch.rs"]
mod torch;
mod usage;

use std::io::Write;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// What somebody does who has just built the program. 80 columns.
const FIRST_STEPS: &str = "First steps:
  electra ablate --quick --output look       try every step; proves nothing
  electra ablate --output study              compare the paper's five objectives
  electra tokenizer train --input text.txt --vocab-size 8192 --output tokenizer
                                             begin with your own text

Each command has examples: electra pretrain --help";

/// Pre-train text encoders by replaced token detection, and compare objectives fairly.
#[derive(Parser)]
#[command(name = "electra", version, max_term_width = 100, after_help = FIRST_STEPS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

// A line here would take the place of the whole text that a command's options begin with.
#[derive(Subcommand)]
enum Command {
    /// Train a WordPiece vocabulary, or encode text with one
    #[command(subcommand)]
    Tokenizer(tokenizer::Command),
    /// Build a corpus of packed examples, or look into one
    #[command(subcommand)]
    Corpus(corpus::Command),
    #[command(flatten)]
    Torch(torch::Command),
    Ablate(ablate::Options),
    Flops(flops::Options),
    Report(report::Options),
}

fn main() {
    let code = run().map_or_else(|error| failure::report(&error), |()| 0);
    // What is still in it could not be written, which has been told.
    let _ = std::io::stdout().flush();
    // A study starts a hundred of these.
    torch::exit(code)
}

fn run() -> Result<()> {
    fault::catch();
    torch::catch();
    interrupt::catch()?;
    ablate::end_with_study()?;
    let command = usage::parse::<Arguments>()?.command;
    torch::check_environment()?;
    // At its first use, where it is begun otherwise, threads that cannot be made are a panic.
    rayon::ThreadPoolBuilder::new().build_global().context("starting threads")?;
    dispatch(command)
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Tokenizer(command) => tokenizer::run(command),
        Command::Corpus(command) => corpus::run(command),
        Command::Torch(command) => torch::run(&command),
        Command::Ablate(options) => ablate::run(&options),
        Command::Flops(options) => flops::run(&options),
        Command::Report(options) => report::run(&options),
    }
}
