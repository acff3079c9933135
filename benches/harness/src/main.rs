//! `cargo xtask bench`: runs the programs of the package electra-benches and their peers in Python.

mod commands;
mod criterion;
mod output;
mod peers;
mod scaling;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Set up, then measure.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  cargo xtask bench            every criterion bench
  cargo xtask bench data       one of them, benches/data.rs
  cargo xtask bench peers      the same jobs here and in Python, in turn
  cargo xtask bench scaling    growth of time and memory with every size, and leaks
  cargo xtask bench step --preset small --objective electra --batch 16 --json
  cargo xtask bench ranks      a run as one process and as two, and the bytes between them

Exit codes: 0 done, 1 failed, 2 wrong usage.")]
struct Cli {
    #[command(subcommand)]
    job: Option<Job>,
    /// Names of bench targets of the package electra-benches; all of them by default
    names: Vec<String>,
}

#[derive(Subcommand)]
enum Job {
    /// Run the jobs of benches/python here and in Python in turn, and compare
    Peers(peers::Args),
    /// Measure how time and memory grow with L, B, V, D and the corpus, and whether a long run leaks
    Scaling(scaling::Args),
    /// Time a run as one process and as several; `-- --help` lists the options
    Ranks {
        /// Handed to the program that does it
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        options: Vec<String>,
    },
    /// Time a training step and its phases; `-- --help` lists the options
    Step {
        /// Handed to the program that does it
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        options: Vec<String>,
    },
}

fn main() -> ExitCode {
    let Cli { job, names } = Cli::parse();
    let result = match job {
        Some(Job::Peers(args)) => peers::run(&args),
        Some(Job::Scaling(args)) => scaling::run(&args),
        Some(Job::Ranks { options }) => program("ranks", &options),
        Some(Job::Step { options }) => program("step", &options),
        None => criterion::run(&names),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn program(name: &str, options: &[String]) -> anyhow::Result<()> {
    commands::set_up()?;
    let program = ["run", "--quiet", "--release", "--package", "electra-benches", "--bin", name, "--"];
    commands::check(commands::cargo().args(program).args(options))
}
