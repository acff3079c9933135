//! `cargo xtask test`.

use crate::{setup, workspace};
use anyhow::Result;
use std::process::Command;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask test                            everything
  cargo xtask test --release roundtrip        arguments for cargo test
  cargo xtask test -- --test-threads 1        arguments for the test programs")]
pub(crate) struct Args {
    /// Handed to `cargo test --workspace --all-features`
    #[arg(allow_hyphen_values = true)]
    args: Vec<String>,
    /// Handed to the test programs
    #[arg(last = true)]
    test_args: Vec<String>,
}

/// Sets up and runs `cargo test --workspace --all-features`.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::run(&setup::Args::default())?;
    workspace::check(&mut command(args))
}

/// The same without arguments and after a set-up that has been made.
pub(crate) fn everything() -> Result<()> {
    workspace::check(workspace::cargo().args(["test", "--workspace", "--all-features"]))
}

fn command(args: &Args) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--workspace", "--all-features"]).args(&args.args);
    if !args.test_args.is_empty() {
        cargo.arg("--").args(&args.test_args);
    }
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn arguments_reach_cargo_and_the_test_programs() {
        for line in [
            "",
            " --release",
            " -p electra-data roundtrip",
            " -- --test-threads 1",
            " --release name -- --exact --nocapture",
        ] {
            let cli = Cli::try_parse_from(format!("x{line}").split(' ')).unwrap();
            let command = command(&cli.args);
            let words: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(words.join(" "), format!("test --workspace --all-features{line}"));
        }
    }
}
