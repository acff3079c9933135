//! `cargo xtask`: everything about this workspace that is not a program of its own.
//!
//! It builds without libtorch, installs it, and runs what needs it.

mod ablate;
mod bench;
mod book;
mod ci;
mod fuzz;
mod output;
mod publish;
mod setup;
mod test;
mod tidy;
mod wheel;
mod workspace;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Set-up, tests, benches and checks of the electra workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
#[command(after_help = "Examples:
  cargo xtask setup         find or install libtorch, once per machine
  cargo xtask test          the whole test suite
  cargo xtask ci            what continuous integration runs
  cargo xtask fuzz          ten minutes of input that nobody would write
  cargo xtask ablate        the comparison of pre-training objectives

Exit codes: 0 done, 1 failed, 2 wrong usage.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install libtorch, so that plain cargo works afterwards
    Setup(setup::Args),
    /// Set up, then run the tests of every crate
    Test(test::Args),
    /// Format, tidy, the program without libtorch, a minute of fuzzing, clippy with warnings denied, documentation, tests
    Ci,
    /// Set up, then run benches, or compare with peers in Python
    Bench(bench::Args),
    /// Try mutated files on everything that reads files, and look for panics, hangs and promises that are not kept
    Fuzz(fuzz::Args),
    /// Check the rules of docs/architecture.md that a command can check
    #[command(after_help = tidy::HELP)]
    Tidy,
    /// Build the wheel: the program and the Python module `electra`
    Wheel(wheel::Args),
    /// Check the links of the documents, and make a book of docs/ with a search
    Book(book::Args),
    /// Check that the crates are fit for a registry; nothing is uploaded
    Publish(publish::Args),
    /// Run the comparison of pre-training objectives
    Ablate(ablate::Args),
    /// Make a private Python environment, and print the path of its Python
    #[command(hide = true)]
    Python {
        /// The environment's name in the cache folder
        name: String,
        /// The packages
        requirements: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Setup(args) => setup::run(&args).map(drop),
        Command::Test(args) => test::run(&args),
        Command::Ci => ci::run(),
        Command::Bench(args) => bench::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Tidy => tidy::run(),
        Command::Ablate(args) => ablate::run(&args),
        Command::Book(args) => book::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Wheel(args) => wheel::run(&args),
        Command::Python { name, requirements } => {
            setup::environment::python(&name, &requirements).and_then(|python| output::line(python.display()))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
