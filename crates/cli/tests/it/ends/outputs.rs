//! Standard output and standard error that are full, or whose reader has gone.

use std::fs::File;
use std::process::Stdio;

use super::table::{CASES, Case, place};
use crate::support::{Answer, Bench};

/// A pipe that nobody reads.
fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

/// A disk that is full; none where the system has no such device.
fn full() -> Option<Stdio> {
    Some(File::options().write(true).open("/dev/full").ok()?.into())
}

/// Runs a command of the table with `out` and `err` in the place of the test's own.
fn run(bench: &Bench, name: &str, case: Case, out: Option<Stdio>, err: Option<Stdio>) -> Answer {
    let output = bench.path(name);
    let mut command = bench.command(&case.at(&output));
    if let Some(out) = out {
        command.stdout(out);
    }
    if let Some(err) = err {
        command.stderr(err);
    }
    let answer = Answer::of(&mut command, case.input.as_bytes());
    if case.writes() {
        assert!(output.exists(), "{}: its work was lost: {}", case.line, answer.err);
    }
    answer
}

#[test]
fn a_reader_of_results_that_has_gone_has_seen_enough() {
    let bench = place();
    for (number, case) in CASES.iter().enumerate() {
        let answer = run(&bench, &format!("closed-{number}"), *case, Some(closed()), None);
        assert_eq!(answer.code, 0, "{}: {}", case.line, answer.err);
        assert!(!answer.err.contains("error"), "{}: {}", case.line, answer.err);
    }
}

#[test]
fn results_that_cannot_be_written_are_a_failure() {
    let bench = place();
    for (number, case) in CASES.iter().enumerate() {
        let Some(full) = full() else { return println!("skipped: there is no device that is full") };
        let answer = run(&bench, &format!("full-{number}"), *case, Some(full), None);
        assert_eq!(answer.code, 1, "{}: {}", case.line, answer.err);
        let last = answer.err.lines().last().unwrap_or_default();
        assert_eq!(last, "error: standard output: No space left on device (os error 28)", "{}", case.line);
    }
}

#[test]
fn nobody_to_be_told_is_no_reason_to_stop() {
    let bench = place();
    for (number, case) in CASES.iter().enumerate() {
        let calm = run(&bench, &format!("calm-{number}"), *case, None, None);
        assert_eq!(calm.code, 0, "{}: {}", case.line, calm.err);
        for (kind, err) in [("gone", Some(closed())), ("off", full())] {
            let answer = run(&bench, &format!("{kind}-{number}"), *case, None, err);
            assert_eq!(answer.code, 0, "{}", case.line);
            assert_eq!(answer.out.lines().count(), calm.out.lines().count(), "{}", case.line);
        }
    }
    for line in ["flops --preset tiny --objective none", "flops", "corpus inspect nowhere", "flops --none"] {
        for err in [Some(closed()), full()].into_iter().flatten() {
            let answer = Answer::of(bench.command(line).stderr(err), b"");
            assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{line}");
        }
    }
}

#[cfg(feature = "torch")]
#[test]
fn a_study_goes_on_when_nobody_is_told() {
    let bench = place();
    let answer = Answer::of(bench.command("ablate --plan small.toml --output study").stderr(closed()), b"");
    assert!(answer.ok().ends_with("study/report.html\n"));
    let report = super::table::Case { line: "report study --output {out}", input: "" };
    assert_eq!(run(&bench, "report-closed", report, Some(closed()), None).code, 0);
    if let Some(full) = full() {
        assert_eq!(run(&bench, "report-full", report, Some(full), None).code, 1);
    }
}
