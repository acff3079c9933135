//! The `electra` program: a thin face over the crates. Results go to standard output, progress and errors
//! to standard error; the exit code is 0, 1 (failed), 2 (wrong usage or input) or 130 (interrupted).

// Doc comments on options are the program's help: they are read as they stand.
#![allow(clippy::doc_markdown, rustdoc::broken_intra_doc_links)]

mod ablate;
mod corpus;
mod detect;
mod export;
mod failure;
mod finetune;
mod flops;
mod input;
mod interrupt;
mod minimal_pairs;
mod predict;
mod pretrain;
mod progress;
mod replacements;
mod run;
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

// A line here would take the place of the whole text that a command's options begin with.
#[derive(Subcommand)]
enum Command {
    /// Train a WordPiece vocabulary, or encode text with one
    #[command(subcommand)]
    Tokenizer(tokenizer::Command),
    /// Build a corpus of packed examples, or look into one
    #[command(subcommand)]
    Corpus(corpus::Command),
    Pretrain(pretrain::Options),
    Export(export::Options),
    Finetune(finetune::Options),
    Predict(predict::Options),
    MinimalPairs(minimal_pairs::Options),
    Detect(detect::Options),
    Replacements(replacements::Options),
    Ablate(ablate::Options),
    Flops(flops::Options),
}

fn main() {
    ablate::end_with_study();
    let command = Arguments::parse().command;
    let outcome =
        electra_torch::check_environment().map_err(anyhow::Error::from).and_then(|()| dispatch(command));
    // A study starts a hundred of these.
    electra_torch::exit(outcome.map_or_else(|error| failure::report(&error), |()| 0))
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Tokenizer(command) => tokenizer::run(command),
        Command::Corpus(command) => corpus::run(command),
        Command::Pretrain(options) => pretrain::run(&options),
        Command::Export(options) => export::run(&options),
        Command::Finetune(options) => finetune::run(&options),
        Command::Predict(options) => predict::run(&options),
        Command::MinimalPairs(options) => minimal_pairs::run(&options),
        Command::Detect(options) => detect::run(&options),
        Command::Replacements(options) => replacements::run(&options),
        Command::Ablate(options) => ablate::run(&options),
        Command::Flops(options) => flops::run(&options),
    }
}
