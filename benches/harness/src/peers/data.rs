//! From text to masked batches, against `tokenizers` and Python.

use super::job::{Figure, Job, OURS, cell};
use super::sides::{Sides, lines};
use super::{Args, Group};
use crate::commands;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write;

const PYTHON: &str = "python";

pub(super) fn run(args: &Args, sides: &Sides) -> Result<Vec<Job>> {
    let folder = sides.folder.join("data");
    std::fs::create_dir_all(&folder)?;
    let ours = |verb: &str| {
        let mut command = sides.ours("data_jobs");
        command.arg(verb).arg(&folder);
        if let Some(text) = &args.text {
            command.env("ELECTRA_BENCH_TEXT", std::path::absolute(text).unwrap_or_else(|_| text.clone()));
        }
        command
    };
    commands::check(&mut ours("prepare"))?;
    let mut jobs: Vec<Job> = Vec::new();
    for run in 1..=args.runs {
        crate::output::tell(format_args!("── data: run {run} of {}", args.runs));
        let mut python = sides.python("data_jobs.py");
        // It needs no torch, and reads batches as numpy's.
        python.arg(&folder).env_remove("PYTHONPATH");
        for (side, printed) in [(OURS, lines(&mut ours("run"))?), (PYTHON, lines(&mut python)?)] {
            for figures in printed {
                put(&mut jobs, side, figures)?;
            }
        }
    }
    match jobs.iter().find(|job| job.seconds(OURS).is_none() || job.seconds(PYTHON).is_none()) {
        Some(job) => bail!("the two sides do not do the same jobs: {}", job.name),
        None => Ok(jobs),
    }
}

/// Puts what a side printed of a job to what is known of that job.
fn put(jobs: &mut Vec<Job>, side: &'static str, printed: Value) -> Result<()> {
    let name = printed["job"].as_str().context("a job without a name")?.to_owned();
    let seconds = printed["seconds"].as_f64().context("a job without its time")?;
    let figure = Figure { seconds, work: printed["tokens"].as_u64(), printed };
    let index = match jobs.iter().position(|job| job.name == name) {
        Some(index) => index,
        None => {
            jobs.push(Job::new(Group::Data, name));
            jobs.len() - 1
        }
    };
    jobs[index].push(side, figure);
    Ok(())
}

pub(super) fn table(jobs: &[&Job]) -> String {
    let mut table = String::from(
        "| job | ours, s | M tokens/s | Python, s | ratio (least–most) |\n|---|---|---|---|---|\n",
    );
    for job in jobs {
        let seconds = |side| cell(job.seconds(side), |seconds| format!("{seconds:.3}"));
        let rate = cell(job.rate(OURS), |rate| format!("{:.1}", rate / 1e6));
        let ratio = cell(job.ratio(PYTHON), |ratio| ratio.to_string());
        let _ =
            writeln!(table, "| {} | {} | {rate} | {} | {ratio} |", job.name, seconds(OURS), seconds(PYTHON));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::job::tests::job;
    use serde_json::json;

    #[test]
    fn a_job_is_a_row() {
        let job = job(Group::Data, "a", &[(OURS, &[1.0, 2.0, 4.0]), (PYTHON, &[2.0, 8.0, 12.0])]);
        let table = table(&[&job]);
        assert!(table.ends_with("| a | 2.000 | 2.0 | 8.000 | 3.00 (2.00–4.00) |\n"), "{table}");
    }

    #[test]
    fn figures_go_to_the_job_of_their_name() {
        let mut jobs = Vec::new();
        for (side, name) in [(OURS, "a"), (OURS, "b"), (PYTHON, "a"), (OURS, "a")] {
            put(&mut jobs, side, json!({ "job": name, "seconds": 1.0 })).unwrap();
        }
        let count = |index: usize, side| jobs[index].sides.get(side).map_or(0, Vec::len);
        assert_eq!([count(0, OURS), count(0, PYTHON), count(1, OURS), count(1, PYTHON)], [2, 1, 1, 0]);
        assert!(put(&mut jobs, OURS, json!({ "job": "c" })).is_err());
    }
}
