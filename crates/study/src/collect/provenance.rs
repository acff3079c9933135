//! What is needed to do a study again.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use electra_report::{Fact, Hash, Provenance};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::TaskToScore;
use crate::graph::Graph;
use crate::job::hex;
use crate::study::Progress;
use crate::{Error, Plan, files};

pub(super) fn provenance(
    study: &Path,
    plan: &Plan,
    graph: &Graph,
    tasks: &[TaskToScore],
    progress: &Progress,
    command: &str,
) -> Result<Provenance, Error> {
    let environment = environment(study, graph, progress);
    let of = |key: &str| environment[key].as_str().unwrap_or("unknown").to_owned();
    let number = |key: &str| environment[key].as_f64().unwrap_or(0.0);
    let hardware = format!(
        "{}, {} cores; computed on {}; matrix products at {:.1} GFLOP/s for one job alone or beside others",
        of("cpu"),
        number("cores"),
        of("device"),
        number("peak_flops_per_s") / 1e9,
    );
    let side_by_side = plan.slots();
    let threads = format!(
        "{} for each job, {side_by_side} {} side by side",
        plan.run.threads,
        if side_by_side == 1 { "job" } else { "jobs" },
    );
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let executed: f64 = graph.runs.iter().map(|run| run.steps as f64 * run.cost.flops_executed).sum();
    let paper: f64 = graph.runs.iter().map(|run| run.steps as f64 * run.cost.flops_paper).sum();
    Ok(Provenance {
        command: command.into(),
        code_version: version(),
        date: Some(today()),
        hardware,
        threads,
        libtorch: of("libtorch"),
        seconds: progress.seconds(),
        hashes: hashes(study, plan, tasks)?,
        facts: vec![
            fact("operating system", of("os")),
            fact("precision", of("precision")),
            fact("pre-training FLOPs of all runs, as the paper counts", format!("{paper:.3e}")),
            fact("pre-training FLOPs of all runs, as executed", format!("{executed:.3e}")),
            fact("diagnostics", "means over consecutive log lines, about sixty points a run".into()),
        ],
    })
}

/// This program's version, with its commit where that is known.
fn version() -> String {
    match option_env!("ELECTRA_COMMIT") {
        Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// What the first run that is done was computed by; null if there is none.
fn environment(study: &Path, graph: &Graph, progress: &Progress) -> Json {
    let done = graph.runs.iter().find(|run| progress.is_done(&format!("pretrain-{}", run.name)));
    let read = |path: PathBuf| files::read_json::<Json>(&path).ok()?.as_array()?.last().cloned();
    done.and_then(|run| read(study.join("runs").join(&run.name).join("environment.json")))
        .unwrap_or(Json::Null)
}

fn hashes(study: &Path, plan: &Plan, tasks: &[TaskToScore]) -> Result<Vec<Hash>, Error> {
    let mut wanted: Vec<(String, PathBuf)> = Vec::new();
    match &plan.data.text {
        Some(text) => {
            let files = text.iter().filter(|path| path.is_file());
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            wanted.extend(files.map(|path| (format!("text {}", name(path)), path.clone())));
        }
        None => wanted.push(("text".into(), study.join("data/corpus.txt"))),
    }
    wanted.push(("corpus".into(), study.join("corpus/corpus.json")));
    wanted.push(("vocabulary".into(), study.join("corpus/tokenizer/vocab.txt")));
    let scored = |task: &TaskToScore| {
        (format!("task {}, {} set", task.facts.name, task.split.name()), task.file.clone())
    };
    wanted.extend(tasks.iter().map(scored));
    wanted.into_iter().map(|(of, path)| Ok(Hash { of, sha256: sha256(&path)? })).collect()
}

fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io(path, "opening it"))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(Error::io(path, "reading it"))? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// The date in UTC, as 2026-01-31.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    date((seconds / 86_400) as i64)
}

/// The date of a day, counted from 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: i64) -> String {
    let shifted = days + 719_468; // days since 0000-03-01
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // from March
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year_of_era + era * 400 + carry)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_their_dates() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (20_818, "2026-12-31"),
        ] {
            assert_eq!(date(day), expected);
        }
    }
}
