//! The `electra` program: a thin face over the crates. Results go to standard output, progress and errors
//! to standard error; the exit code is 0, 1 (failed), 2 (wrong usage or input) or 130 (interrupted).

// Doc comments on options are the program's help: they are read as they stand.
#![allow(clippy::doc_markdown, rustdoc::broken_intra_doc_links)]

mod corpus;
mod detect;
mod export;
mod failure;
mod flops;
mod hub;
mod input;
mod interrupt;
mod pretrain;
mod progress;
mod stdin;
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
    /// Pre-train an encoder, or go on with a run
    Pretrain(pretrain::Options),
    /// Write a run's networks in the Hub's layout, as transformers loads them
    Export(export::Options),
    /// Say of each token of a text how likely it was replaced
    Detect(detect::Options),
    /// Count the floating-point operations of a step and of a run
    Flops(flops::Options),
}

fn main() {
    let outcome = match Arguments::parse().command {
        Command::Tokenizer(command) => tokenizer::run(command),
        Command::Corpus(command) => corpus::run(command),
        Command::Pretrain(options) => pretrain::run(&options),
        Command::Export(options) => export::run(&options),
        Command::Detect(options) => detect::run(&options),
        Command::Flops(options) => flops::run(&options),
    };
    if let Err(error) = outcome {
        std::process::exit(failure::report(&error));
    }
}
