//! The `electra` program: a thin face over the crates. Results go to standard output, progress and errors
//! to standard error; the exit code is 0, 1 (failed), 2 (wrong usage or input) or 130 (interrupted).

// Doc comments on options are the program's help: they are read as they stand.
#![allow(clippy::doc_markdown, rustdoc::broken_intra_doc_links)]

mod corpus;
mod failure;
mod input;
mod interrupt;
mod progress;
mod tokenizer;

use clap::{Parser, Subcommand};

/// Pre-train text encoders by replaced token detection, and compare objectives fairly.
#[derive(Parser)]
#[command(name = "electra", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a WordPiece vocabulary, or encode text with one
    #[command(subcommand)]
    Tokenizer(tokenizer::Command),
    /// Build a corpus of packed examples, or look into one
    #[command(subcommand)]
    Corpus(corpus::Command),
}

fn main() {
    let outcome = match Arguments::parse().command {
        Command::Tokenizer(command) => tokenizer::run(command),
        Command::Corpus(command) => corpus::run(command),
    };
    if let Err(error) = outcome {
        std::process::exit(failure::report(&error));
    }
}
