//! `cargo xtask fuzz`: builds the targets of `fuzz/` with libFuzzer on stable Rust, and runs them.

mod build;
mod outcome;
mod program;

use crate::{output, workspace};
use anyhow::{Context, Result, bail, ensure};
use build::Programs;
use outcome::Outcome;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// The longest input in bytes: readers meet all that they can meet in short files.
const LONGEST_INPUT: &str = "16384";
/// Seconds that one input may take; most take less than a thousandth.
const LONGEST_TIME: &str = "10";
/// MiB that a target may hold. Rust's allocations have a limit of their own in `fuzz/src/lib.rs`.
const MOST_MEMORY: &str = "1024";

#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask fuzz                                ten minutes, over all targets
  cargo xtask fuzz --seconds 3600 shard parquet   an hour of two of them
  cargo xtask fuzz --seconds 600 program          ten minutes of `electra` itself, a command for each changed file
  cargo xtask fuzz --seed 1 --seconds 60          the same inputs each time, as in continuous integration

What inputs have reached is kept under target/fuzz/corpus, and the next run goes on from there.

Exit codes: 0 nothing was found, 1 something was, or the targets could not be built.")]
pub(crate) struct Args {
    /// How long all targets together take, in seconds
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u64,
    /// How many targets run side by side [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Begin with the targets' own seeds alone, and mutate them in the order of this number
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// The targets, all of them unless named. `program` is electra, and has a quarter of the time beside others
    targets: Vec<String>,
}

/// What continuous integration runs of the targets that need no libtorch: the same inputs each time, so that it fails for
/// a change alone.
pub(crate) fn in_ci() -> Result<()> {
    run(&Args { seconds: 45, jobs: None, seed: Some(1), targets: build::targets()? })
}

/// And of the program, where it is built.
pub(crate) fn program_in_ci() -> Result<()> {
    run(&Args { seconds: 30, jobs: None, seed: Some(1), targets: vec![program::NAME.to_owned()] })
}

/// Builds the targets, runs them, and prints what came of each.
pub(crate) fn run(args: &Args) -> Result<()> {
    let known = build::targets()?.into_iter().chain([program::NAME.to_owned()]).collect();
    let (program, targets): (Vec<_>, Vec<_>) =
        chosen(known, &args.targets)?.into_iter().partition(|target| target == program::NAME);
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.unwrap_or(processors).max(1);
    let for_program = match (program.is_empty(), targets.is_empty()) {
        (true, _) => 0,
        (false, true) => args.seconds,
        (false, false) => args.seconds / 4,
    };
    let mut outcomes = Vec::new();
    if !targets.is_empty() {
        outcomes.extend(run_targets(args, &targets, jobs, args.seconds - for_program)?);
    }
    if !program.is_empty() {
        outcomes.push(program::run(for_program.max(1), jobs, args.seed)?);
    }
    output::print(outcome::table(&outcomes).as_bytes())?;
    match outcomes.iter().filter(|outcome| outcome.found.is_some()).count() {
        0 => Ok(()),
        1 => bail!("fuzz: 1 target found something"),
        count => bail!("fuzz: {count} targets found something"),
    }
}

/// Runs targets of libFuzzer, `jobs` of them side by side; what came of them, by name.
fn run_targets(args: &Args, targets: &[String], jobs: usize, seconds: u64) -> Result<Vec<Outcome>> {
    let jobs = jobs.min(targets.len());
    let plan = Plan {
        programs: build::build(targets)?,
        seconds: (seconds * jobs as u64).div_ceil(targets.len() as u64).max(1),
        seed: args.seed,
        // Readers take files; nothing of these has to reach a disk.
        files: match Path::new("/dev/shm") {
            memory if memory.is_dir() => tempfile::tempdir_in(memory),
            _ => tempfile::tempdir(),
        }
        .context("cannot make a temporary folder")?,
    };
    let (next, outcomes) = (Mutex::new(targets.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let Some(target) = next.lock().expect("nobody panics with it").next() else { return };
                    let outcome = plan.run(target).with_context(|| format!("cannot run {target}"));
                    outcomes.lock().expect("nobody panics with it").push(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("nobody panics with it");
    let mut outcomes = outcomes.into_iter().collect::<Result<Vec<Outcome>>>()?;
    outcomes.sort_by(|one, other| one.target.cmp(&other.target));
    Ok(outcomes)
}

/// The targets of these names, or all.
fn chosen(known: Vec<String>, names: &[String]) -> Result<Vec<String>> {
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {name}; expected {}", known.join(", "));
    }
    ensure!(!known.is_empty(), "there are no targets");
    Ok(known.into_iter().filter(|name| names.is_empty() || names.contains(name)).collect())
}

/// How each target is run.
struct Plan {
    programs: Programs,
    /// Of each target.
    seconds: u64,
    seed: Option<u32>,
    /// Where readers have their files.
    files: tempfile::TempDir,
}

impl Plan {
    fn run(&self, target: &str) -> Result<Outcome> {
        let folder = |name: &str| -> Result<PathBuf> {
            let folder = build::folder().join(name).join(target);
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            Ok(folder)
        };
        let seeds_alone = self.files.path().join(target);
        let corpus = match self.seed {
            None => folder("corpus")?,
            Some(_) => {
                fs::create_dir(&seeds_alone)?;
                seeds_alone
            }
        };
        let (artifacts, log) = (folder("artifacts")?, folder("logs")?.join("log"));
        let program = self.programs.path(target);
        let mut command = Command::new(&program);
        command.arg(corpus).args([
            format!("-max_total_time={}", self.seconds),
            format!("-artifact_prefix={}/", artifacts.display()),
            format!("-max_len={LONGEST_INPUT}"),
            format!("-timeout={LONGEST_TIME}"),
            format!("-rss_limit_mb={MOST_MEMORY}"),
            "-print_final_stats=1".to_owned(),
        ]);
        command.args(self.seed.map(|seed| format!("-seed={seed}")));
        command.current_dir(workspace::root()).env("TMPDIR", self.files.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let start = Instant::now();
        let status = command.status()?;
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        Ok(Outcome::read(target, &program, start.elapsed(), status.success(), &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_all_or_those_named() {
        let known = || vec!["shard".to_owned(), "text".to_owned()];
        assert_eq!(chosen(known(), &[]).unwrap(), known());
        assert_eq!(chosen(known(), &["text".to_owned()]).unwrap(), ["text"]);
        let error = chosen(known(), &["txet".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "there is no target txet; expected shard, text");
    }
}
