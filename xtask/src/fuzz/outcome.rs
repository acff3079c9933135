//! What libFuzzer says at its end.

use anyhow::{Result, bail};
use std::path::Path;
use std::time::Duration;

/// What came of a target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) target: String,
    /// Inputs that were tried.
    inputs: u64,
    /// Edges of the program that they reached.
    edges: u64,
    /// Inputs that were kept, since each reached what no other had.
    corpus: u64,
    seconds: u64,
    pub(super) found: Option<Found>,
}

/// An input that a reader should not have stumbled over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// In the words of the program.
    what: String,
    /// The command that tries the input again, which names its file.
    again: String,
}

impl Outcome {
    /// Reads what a program told on standard error.
    pub(super) fn read(target: &str, program: &Path, time: Duration, succeeded: bool, log: &str) -> Self {
        let status = log.lines().rev().find(|line| line.contains(" cov: ")).unwrap_or_default();
        let stated = |name: &str| {
            let text = log.lines().rev().find_map(|line| line.trim().strip_prefix(name));
            text.and_then(|text| text.trim().parse().ok())
        };
        Self {
            target: target.to_owned(),
            inputs: stated("stat::number_of_executed_units:").unwrap_or(0),
            edges: after(status, "cov: "),
            corpus: after(status, "corp: "),
            seconds: time.as_secs(),
            found: (!succeeded).then(|| Found::read(program, log)),
        }
    }
}

impl Outcome {
    /// Reads what `fuzz/program.py` told: a table that ends with "N inputs, M faults", and each fault on standard error.
    pub(super) fn of_program(time: Duration, succeeded: bool, table: &str, faults: &str) -> Result<Self> {
        let last =
            table.lines().last().and_then(|line| line.strip_suffix(" faults")?.split_once(" inputs, "));
        let Some((inputs, _)) = last else { bail!("fuzz/program.py: {}", faults.trim()) };
        let mut lines = faults.lines().filter(|line| !line.starts_with(' '));
        let found = lines.next().and_then(|line| line.rsplit_once(": ")).filter(|_| !succeeded);
        Ok(Self {
            target: super::program::NAME.to_owned(),
            inputs: inputs.parse()?,
            edges: 0,
            corpus: 0,
            seconds: time.as_secs(),
            found: found.map(|(what, folder)| Found {
                what: what.to_owned(),
                again: format!("the command in {folder}/what, in {folder}/place"),
            }),
        })
    }
}

impl Found {
    fn read(program: &Path, log: &str) -> Self {
        let lines: Vec<&str> = log.lines().map(str::trim).collect();
        let panic =
            lines.iter().position(|line| line.starts_with("thread '") && line.contains(" panicked at "));
        let error = lines.iter().find_map(|line| Some(line.split_once("ERROR: libFuzzer: ")?.1));
        let what = match (panic, error) {
            (Some(at), _) => {
                let place = lines[at].split_once(" panicked at ").map_or("", |(_, place)| place);
                let message = lines[at + 1..]
                    .iter()
                    .take_while(|line| !line.starts_with("note: ") && !line.starts_with("stack "));
                format!("panicked at {place} {}", message.copied().collect::<Vec<_>>().join(" ").trim())
            }
            (None, Some(error)) => {
                let memory = lines.iter().find(|line| line.starts_with("memory allocation of "));
                memory.copied().unwrap_or(error).to_owned()
            }
            (None, None) => "the program ended; target/fuzz/logs has what it said".to_owned(),
        };
        let input = lines.iter().find_map(|line| Some(line.split_once("Test unit written to ")?.1));
        Self {
            what,
            again: format!("{} {}", program.display(), input.unwrap_or_default()).trim_end().to_owned(),
        }
    }
}

/// The number after a word of a status line.
fn after(line: &str, word: &str) -> u64 {
    let rest = line.split_once(word).map_or("", |(_, rest)| rest);
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// A row for each target, and below it what was found.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let width = outcomes.iter().map(|outcome| outcome.target.len()).max().unwrap_or(0).max("target".len());
    let mut text = format!(
        "{:width$} {:>12} {:>7} {:>7} {:>8}  result\n",
        "target", "inputs", "edges", "corpus", "seconds"
    );
    for outcome in outcomes {
        let Outcome { target, inputs, edges, corpus, seconds, found } = outcome;
        let result = if found.is_some() { "FOUND" } else { "nothing found" };
        text += &format!("{target:width$} {inputs:>12} {edges:>7} {corpus:>7} {seconds:>8}  {result}\n");
    }
    for outcome in outcomes {
        if let Some(Found { what, again }) = &outcome.found {
            text += &format!("\n{}: {what}\n  again: {again}\n", outcome.target);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a run that ended by its time.
    const ENDED: &str = "INFO: seed corpus: files: 3 min: 1b max: 54b total: 100b rss: 40Mb\n\
        #4\tINITED cov: 100 ft: 120 corp: 3/100b exec/s: 0 rss: 40Mb\n\
        #5023\tDONE   cov: 1234 ft: 2345 corp: 67/4567b lim: 4096 exec/s: 2511 rss: 45Mb\n\
        Done 5023 runs in 2 second(s)\n\
        stat::number_of_executed_units: 5023\n\
        stat::peak_rss_mb:              45\n";

    /// Of one that ended by a panic.
    const PANICKED: &str = "#4\tINITED cov: 100 ft: 120 corp: 3/100b exec/s: 0 rss: 40Mb\n\
        \nthread '<unnamed>' (7) panicked at crates/a/src/b.rs:3:5:\nindex out of bounds:\n  the length is 3\n\
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\
        ==7== ERROR: libFuzzer: deadly signal\n\
        stat::number_of_executed_units: 12\n\
        artifact_prefix='x/'; Test unit written to x/crash-da39\n";

    fn read(succeeded: bool, log: &str) -> Outcome {
        Outcome::read("shard", Path::new("target/shard"), Duration::from_millis(2500), succeeded, log)
    }

    #[test]
    fn a_run_that_finds_nothing_is_counted() {
        let outcome = read(true, ENDED);
        assert_eq!(
            table(&[outcome]),
            "target       inputs   edges  corpus  seconds  result\n\
             shard          5023    1234      67        2  nothing found\n"
        );
    }

    #[test]
    fn the_programs_faults_are_told_with_their_folder() {
        let read = |succeeded, count: u32, faults: &str| {
            let table =
                format!("| file | inputs | exit codes |\n|---|---|---|\n\n12 inputs, {count} faults\n");
            Outcome::of_program(Duration::from_secs(3), succeeded, &table, faults)
        };
        assert_eq!(read(true, 0, "").unwrap().found, None);
        let found = read(false, 1, "a.json (flip): ['exit code 101']: /tmp/x/case-7\n    'error'\n").unwrap();
        assert_eq!((found.inputs, found.seconds), (12, 3));
        let found = found.found.unwrap();
        assert_eq!(found.what, "a.json (flip): ['exit code 101']");
        assert_eq!(found.again, "the command in /tmp/x/case-7/what, in /tmp/x/case-7/place");
        let broken = Outcome::of_program(Duration::ZERO, false, "", "Traceback: it broke\n").unwrap_err();
        assert_eq!(broken.to_string(), "fuzz/program.py: Traceback: it broke");
    }

    #[test]
    fn what_was_found_is_told_with_the_command_that_shows_it_again() {
        let outcome = read(false, PANICKED);
        assert!(table(&[outcome]).ends_with(
            "FOUND\n\nshard: panicked at crates/a/src/b.rs:3:5: index out of bounds: the length is 3\n  \
                 again: target/shard x/crash-da39\n"
        ));
        let memory = "memory allocation of 5 bytes failed\n==7== ERROR: libFuzzer: deadly signal\n";
        assert_eq!(read(false, memory).found.unwrap().what, "memory allocation of 5 bytes failed");
        let slow = "==7== ERROR: libFuzzer: timeout after 10 seconds\n";
        assert_eq!(read(false, slow).found.unwrap().what, "timeout after 10 seconds");
        assert!(read(false, "").found.unwrap().what.starts_with("the program ended"));
    }
}
