//! `cargo xtask ci`: each step is cheaper than the next, and the first failure ends it.

use crate::{book, fuzz, output, publish, setup, test, tidy, wheel, workspace};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("format", format),
    ("tidy", tidy::run),
    ("publish", publish::in_ci),
    ("leaves", without_libtorch),
    ("fuzz", fuzz::in_ci),
    ("setup", || setup::run(&setup::Args::default()).map(drop)),
    ("clippy", clippy),
    ("doc", doc),
    ("book", book::in_ci),
    ("test", test::everything),
    ("program", fuzz::program_in_ci),
    ("wheel", wheel::in_ci),
];

/// Runs the steps and prints how long each took.
pub(crate) fn run() -> Result<()> {
    let mut times = Vec::new();
    for (name, step) in STEPS {
        output::tell(format_args!("── {name}"));
        let start = Instant::now();
        let result = step();
        times.push((*name, start.elapsed(), result.is_ok()));
        if let Err(error) = result {
            output::tell(table(&times).trim_end());
            bail!("{name}: {error:#}");
        }
    }
    output::tell(table(&times).trim_end());
    Ok(())
}

fn format() -> Result<()> {
    workspace::check(workspace::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let args = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
    workspace::check(workspace::cargo().args(args))
}

/// The program without libtorch, before there is a libtorch: it builds, and plans and counts.
fn without_libtorch() -> Result<()> {
    let program = ["-p", "electra-cli", "--no-default-features"];
    let warnings = ["--all-targets", "--", "--deny", "warnings"];
    workspace::check(workspace::cargo().arg("clippy").args(program).args(warnings))?;
    workspace::check(workspace::cargo().arg("test").args(program))
}

/// The documentation of this workspace alone: what it needs of the dependencies, clippy has already made.
fn doc() -> Result<()> {
    let args = ["doc", "--workspace", "--no-deps"];
    workspace::check(workspace::cargo().args(args).env("RUSTDOCFLAGS", "--deny warnings"))
}

fn table(times: &[(&str, Duration, bool)]) -> String {
    let total = times.iter().map(|(_, time, _)| *time).sum();
    let rows = times.iter().map(|(name, time, passed)| {
        format!("{name:<8} {:>8}  {}\n", clock(*time), if *passed { "passed" } else { "FAILED" })
    });
    format!("──\n{}{:<8} {:>8}\n", rows.collect::<String>(), "all", clock(total))
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_the_failed_step_and_sums_the_times() {
        let times =
            [("format", Duration::from_millis(1_234), true), ("tidy", Duration::from_secs(61), false)];
        let expected = "──\nformat     0:01.2  passed\ntidy       1:01.0  FAILED\nall        1:02.2\n";
        assert_eq!(table(&times), expected);
    }
}
