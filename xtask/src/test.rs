//! `cargo xtask test`.

use crate::{setup, workspace};
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{Command, Stdio};

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
    count(command(args))
}

/// The same without arguments and after a set-up that has been made.
pub(crate) fn everything() -> Result<()> {
    count(command(&Args { args: Vec::new(), test_args: Vec::new() }))
}

/// Runs the tests, passes on what they print, and says at the end how many there were.
fn count(mut cargo: Command) -> Result<()> {
    if std::io::stdout().is_terminal() && !cargo.get_args().any(|word| word == "--") {
        // The test programs see a pipe, and would leave their colours out.
        cargo.args(["--", "--color", "always"]);
    }
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot run `cargo test`")?;
    let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let (mut tally, mut line) = (Tally::default(), Vec::new());
    while output.read_until(b'\n', &mut line)? > 0 {
        crate::output::print(&line)?;
        tally.read(&String::from_utf8_lossy(&line));
        line.clear();
    }
    let status = child.wait()?;
    crate::output::line(tally)?;
    ensure!(status.success(), "`cargo test` failed ({status})");
    Ok(())
}

/// What test programs say at their ends, and what tests say that cannot run on this machine.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Levels of kernels that tests ran at.
    levels: usize,
    /// Levels of kernels that this machine lacks.
    lacking: usize,
}

impl Tally {
    fn read(&mut self, line: &str) {
        if line.starts_with("test result: ") {
            let words: Vec<&str> = line.split([' ', ';']).filter(|word| !word.is_empty()).collect();
            for pair in words.windows(2) {
                let count = || pair[0].parse().unwrap_or(0);
                match pair[1] {
                    "passed" => self.passed += count(),
                    "failed" => self.failed += count(),
                    _ => {}
                }
            }
        }
        // With one thread the line follows "test NAME ... ". libtest counts such a test as passed.
        self.skipped += usize::from(line.contains("skipped: "));
        // "kernel levels of TEST: 3 ran (…), 1 could not (…)"
        if let Some((_, rest)) = line.split_once("kernel levels of ") {
            let words: Vec<&str> = rest.split_whitespace().collect();
            for pair in words.windows(2) {
                let count = pair[0].parse().unwrap_or(0);
                match pair[1] {
                    "ran" => self.levels += count,
                    "could" => self.lacking += count,
                    _ => {}
                }
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let passed = self.passed.saturating_sub(self.skipped);
        write!(f, "{passed} passed, {} failed, {} skipped", self.failed, self.skipped)?;
        write!(f, "; kernel levels: {} ran, {} could not", self.levels, self.lacking)
    }
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

    #[test]
    fn the_closing_line_counts_every_program_and_what_was_skipped() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests\n",
            "test graph::replays ... skipped: graph::replays: needs a CUDA device\n",
            "skipped: attention::sees: needs a CUDA device\n",
            "test passed ... ok\n",
            ".kernel levels of embed: 3 ran (formula, baseline, avx2), 1 could not (avx512)\n",
            "kernel levels of the golden steps of mlm: 4 ran (formula, baseline, avx2, avx512)\n",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.04s\n",
            "test result: FAILED. 20 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.2s\n",
        ] {
            tally.read(line);
        }
        let expected = "21 passed, 4 failed, 2 skipped; kernel levels: 7 ran, 1 could not";
        assert_eq!(tally.to_string(), expected);
    }

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
