//! `cargo xtask bench scaling`: how time and memory grow with each size, and whether a long run leaks.

mod fit;
mod growth;
mod leak;
mod plan;
mod record;

use crate::commands;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench scaling --quick             three sizes of each, once: does it work?
  cargo xtask bench scaling --record scaling    everything; writes a record with a chart
  cargo xtask bench scaling --only L,B,leak     some of it

Each point is a process of its own, and sizes come in a shuffled order, so that a machine that slows down does
not look like growth.")]
pub(crate) struct Args {
    /// Some of L, B, V, V-all-tokens, D, corpus, documents, leak
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    only: Vec<String>,
    /// Three sizes of each, one round, a short run for leaks
    #[arg(long)]
    quick: bool,
    /// Times that each point is measured; the median counts
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Threads
    #[arg(long, default_value_t = 2, value_name = "N")]
    threads: u32,
    /// Write points, chart and tables to benches/records/DATE-NAME
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
}

/// One measurement at one size of one variable.
#[derive(Debug, Serialize)]
struct Point {
    variable: &'static str,
    size: u64,
    round: u32,
    /// What the program printed.
    values: Map<String, Value>,
}

/// All that was measured.
#[derive(Debug, Serialize)]
struct Measured {
    points: Vec<Point>,
    leaks: Vec<leak::Leak>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (variables, with_leak) = plan::chosen(&args.only)?;
    commands::set_up()?;
    let program = Program { path: build()?, threads: args.threads };
    let folder = tempfile::tempdir()?;
    let rounds = if args.quick { 1 } else { args.rounds };
    let tasks = plan::tasks(&variables, args.quick);
    prepare(&program, &tasks, folder.path())?;

    let mut points = Vec::new();
    for round in 1..=rounds {
        for (index, task) in plan::shuffled(&tasks, round).into_iter().enumerate() {
            let values = program.json(&task.work.arguments(folder.path()))?;
            crate::output::tell(format_args!(
                "round {round} of {rounds}, {} of {}: {} {}",
                index + 1,
                tasks.len(),
                task.variable,
                task.size
            ));
            points.push(Point { variable: task.variable, size: task.size, round, values });
        }
    }
    let leaks = if with_leak { leak::measure(&program, args.quick)? } else { Vec::new() };
    let measured = Measured { points, leaks };
    let growths = growth::growths(&measured.points);
    crate::output::line(record::tables(&growths, &measured.leaks)?)?;
    match &args.record {
        Some(name) => record::write(args, name, &measured, &growths),
        None => Ok(()),
    }
}

/// Writes what corpora are built from, once for all rounds.
fn prepare(program: &Program, tasks: &[plan::Task], folder: &Path) -> Result<()> {
    let mut written = Vec::new();
    for command in tasks.iter().flat_map(|task| task.work.preparations(folder)) {
        if !written.contains(&command) {
            program.output(&command)?;
            written.push(command);
        }
    }
    Ok(())
}

/// The program that measures a point.
struct Program {
    path: PathBuf,
    threads: u32,
}

impl Program {
    fn output(&self, arguments: &[String]) -> Result<Vec<u8>> {
        let mut command = Command::new(&self.path);
        command.args(arguments).env("RAYON_NUM_THREADS", self.threads.to_string());
        let verb = arguments.first().map(String::as_str);
        if matches!(verb, Some("step" | "leak")) {
            command.args(["--threads", &self.threads.to_string()]);
        }
        if verb == Some("leak") {
            // Not timed: its threads may sleep while they wait, and ten thousand steps end on a busy machine too.
            command.env("OMP_WAIT_POLICY", "PASSIVE");
        }
        commands::output(&mut command)
    }

    fn json(&self, arguments: &[String]) -> Result<Map<String, Value>> {
        let output = self.output(arguments)?;
        serde_json::from_slice(&output).with_context(|| format!("`{}` gave no JSON", arguments.join(" ")))
    }
}

/// Builds the program; gives its path, so that cargo does not run beside what is measured.
fn build() -> Result<PathBuf> {
    let build = ["build", "--release", "--package", "electra-benches", "--bin", "scaling"];
    commands::check(commands::cargo().args(build))?;
    let messages = commands::output(commands::cargo().args(build).arg("--message-format=json").arg("-q"))?;
    let messages = String::from_utf8(messages).context("cargo's messages are not UTF-8")?;
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    match executable {
        Some(path) => Ok(path),
        None => bail!("cargo does not say where it put the program `scaling`"),
    }
}
