//! Inference and fine-tuning of one checkpoint, against transformers.

use super::job::{Figure, Job, OURS, cell};
use super::sides::{Sides, line};
use super::{Args, Group};
use crate::commands;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;

/// transformers as people use it.
pub(super) const PLAIN: &str = "transformers";
/// The same with examples sorted by length.
const SORTED: &str = "sorted";
/// Texts of these lengths.
const SETS: [&str; 2] = ["sst-2", "mnli"];
/// How far logarithms of probabilities may be apart that two programs compute from one checkpoint.
const TOLERANCE: f64 = 1e-4;

/// The folder of the inputs, which the first caller has written.
pub(super) fn prepared(args: &Args, sides: &Sides) -> Result<PathBuf> {
    let folder = sides.folder.join("classify");
    if !folder.exists() {
        let mut prepare = sides.ours("classify");
        prepare.arg("prepare").arg(&folder).args(["--examples", &args.examples.to_string()]);
        commands::check(&mut prepare)?;
    }
    Ok(folder)
}

pub(super) fn run(group: Group, args: &Args, sides: &Sides) -> Result<Vec<Job>> {
    let folder = prepared(args, sides)?;
    let (verb, peers): (_, &[(&'static str, &str)]) = match group {
        Group::Finetune => ("finetune", &[(PLAIN, "finetune")]),
        _ => ("infer", &[(PLAIN, "infer"), (SORTED, "infer-sorted")]),
    };
    let threads = args.threads.to_string();
    let mut jobs = Vec::new();
    for set in SETS {
        let mut job = Job::new(group, set);
        for run in 1..=args.runs {
            crate::output::tell(format_args!("── {verb}, lengths of {set}: run {run} of {}", args.runs));
            let mut ours = sides.ours("classify");
            ours.arg(verb).arg(&folder).args([set, "--threads", &threads]);
            let mut printed = line(&mut ours)?;
            let our_logs = logs(&mut printed);
            job.push(OURS, figure(printed)?);
            for (side, verb) in peers {
                let mut python = sides.python("classify.py");
                python.arg(&folder).args([set, verb, "--threads", &threads]);
                let mut printed = line(&mut python)?;
                let theirs = logs(&mut printed);
                if group == Group::Infer {
                    printed["log_probabilities_differ_by"] = agree(&our_logs, &theirs)?.into();
                }
                job.push(side, figure(printed)?);
            }
        }
        jobs.push(job);
    }
    Ok(jobs)
}

pub(super) fn figure(printed: Value) -> Result<Figure> {
    let seconds = printed["seconds"].as_f64().context("a job without its time")?;
    Ok(Figure { seconds, work: printed["examples"].as_u64(), printed })
}

/// Takes the numbers that are compared out of what a side printed: a record need not have them.
pub(super) fn logs(printed: &mut Value) -> Value {
    printed.as_object_mut().and_then(|fields| fields.remove("logs")).unwrap_or_default()
}

/// By how much two sides' logarithms of probabilities differ at most; an error if it is much.
fn agree(ours: &Value, theirs: &Value) -> Result<f64> {
    let rows = |value: &Value| serde_json::from_value::<Vec<Vec<f64>>>(value.clone());
    let (ours, theirs) = (rows(ours)?.concat(), rows(theirs)?.concat());
    if ours.len() != theirs.len() || ours.is_empty() {
        bail!("{} numbers of ours and {} of the peer's; expected as many", ours.len(), theirs.len());
    }
    let most = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    if most > TOLERANCE {
        bail!("the two sides' log-probabilities differ by {most:e}; expected {TOLERANCE:e} at most");
    }
    Ok(most)
}

pub(super) fn table(jobs: &[&Job]) -> String {
    let sorted = jobs.iter().any(|job| job.sides.contains_key(SORTED));
    let sides: &[&str] = if sorted { &[OURS, PLAIN, SORTED] } else { &[OURS, PLAIN] };
    let mut table = String::from("ELECTRA-Small; examples a second; memory at most in MiB.");
    if sorted {
        table += " Log-probabilities of both sides agree to 1e-4. `sorted` is transformers with the examples sorted \
                  by length.";
    }
    let columns =
        |each: &dyn Fn(&str) -> String| sides.iter().map(|side| each(side)).collect::<Vec<_>>().join(" | ");
    let ratios = |each: &dyn Fn(&str) -> String| {
        sides[1..].iter().map(|side| each(side)).collect::<Vec<_>>().join(" | ")
    };
    let _ = writeln!(
        table,
        "\n\n| lengths as in | {} | {} | {} |\n|---|{}",
        columns(&|side| side.to_owned()),
        ratios(&|side| format!("ours : {side}")),
        columns(&|side| format!("memory {side}")),
        "---|".repeat(3 * sides.len() - 1)
    );
    for job in jobs {
        let memory = |side: &str| job.number(side, "peak_memory_bytes");
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} |",
            job.name,
            columns(&|side| cell(job.rate(side), |rate| format!("{rate:.1}"))),
            ratios(&|side| cell(job.ratio(side), |ratio| ratio.to_string())),
            columns(&|side| cell(memory(side), |bytes| format!("{:.0}", bytes / 1_048_576.0)))
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::job::tests::job;
    use serde_json::json;

    #[test]
    fn a_set_is_a_row() {
        let job = job(Group::Finetune, "mnli", &[(OURS, &[1.0]), (PLAIN, &[2.0])]);
        let table = table(&[&job]);
        let end = "| lengths as in | ours | transformers | ours : transformers | memory ours | memory transformers |\n\
                   |---|---|---|---|---|---|\n\
                   | mnli | 4000000.0 | 2000000.0 | 2.00 (2.00–2.00) | 1024 | 1024 |\n";
        assert!(table.ends_with(end), "{table}");
    }

    #[test]
    fn answers_that_differ_are_refused() {
        let ours = json!([[-1.0, -2.0], [-3.0, -4.0]]);
        assert!(agree(&ours, &json!([[-1.0, -2.0], [-3.0, -4.00005]])).unwrap() < 1e-4);
        let error = agree(&ours, &json!([[-1.0, -2.0], [-3.0, -4.1]])).unwrap_err().to_string();
        assert!(error.contains("differ by 9.99"), "{error}");
        assert!(agree(&ours, &json!([[-1.0, -2.0]])).unwrap_err().to_string().starts_with("4 numbers"));
    }
}
