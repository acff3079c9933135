//! What a report is made from: `results.json`, and `measurements.json` with its predictions.

#[path = "../../../crates/report/examples/fabricate/study.rs"]
mod study;

use electra_analysis::{AnalysisConfig, Measurements, analyse};
use electra_report::{read, read_measurements, write, write_measurements};
use sha2::{Digest, Sha256};

use crate::{Outcome, Reader, place};

/// `results.json`, of which the report is written anew.
pub(super) const RESULTS: Reader = Reader { name: "results_json", seeds: findings, check: results };
/// `measurements.json` and two files of predictions, whose hashes are made right.
pub(super) const MEASUREMENTS: Reader = Reader { name: "measurements", seeds: measured, check: measurements };

/// Draws of test examples, in place of a thousand.
const DRAWS: usize = 3;

/// A small part of the study that the report's example makes up.
fn small(arms: &[&str], tasks: usize) -> Measurements {
    let mut study = study::fabricated(2, 3);
    study.plan.baseline = arms[0].into();
    study.tasks.truncate(tasks);
    study.arms.retain(|arm| arms.contains(&&*arm.name));
    study.runs.retain(|run| arms.contains(&&*run.arm));
    study.plan.trials.retain(|trial| arms.contains(&&*trial.arm));
    for run in &mut study.runs {
        run.diagnostics.truncate(2);
        let last = run.checkpoints.len().saturating_sub(1);
        run.checkpoints.drain(..last);
        for checkpoint in &mut run.checkpoints {
            checkpoint.scores.retain(|score| study.tasks.iter().any(|task| task.name == score.task));
            checkpoint.scores.truncate(tasks);
        }
    }
    study
}

fn config() -> AnalysisConfig {
    AnalysisConfig { draws: DRAWS, ..AnalysisConfig::standard() }
}

fn findings() -> Vec<Vec<u8>> {
    [small(&["mlm", "electra"], 1), small(&["electra", "electra-again", "scratch"], 1)]
        .map(|study| {
            let findings = analyse(&study, &config()).expect("a made-up study can be analysed");
            let place = place::files(&[]);
            write(&findings, place.path()).expect("a report can be written");
            std::fs::read(place.path().join("results.json")).expect("it was written")
        })
        .into()
}

fn results(bytes: &[u8]) -> Outcome {
    let findings = read(&place::file("results.json", bytes)).map_err(|error| error.to_string())?;
    let place = place::files(&[]);
    write(&findings, place.path()).expect("a report can be written of what is read");
    let written = || std::fs::read(place.path().join("results.json")).expect("it was written");
    let first = written();
    let again = read(&place.path().join("results.json")).expect("what is written is read again");
    write(&again, place.path()).expect("a report can be written of what is read");
    assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&written()));
    Ok(())
}

const NAMES: [&str; 2] = ["predictions/run-0/task-0.json", "predictions/run-1/task-0.json"];

fn measured() -> Vec<Vec<u8>> {
    let place = place::files(&[]);
    let mut study = small(&["mlm", "electra"], 1);
    let others = study.runs[NAMES.len()..].iter_mut().flat_map(|run| &mut run.checkpoints);
    others.flat_map(|checkpoint| &mut checkpoint.scores).for_each(|score| score.predictions = None);
    write_measurements(&study, place.path()).expect("measurements can be written");
    let file = |name: &str| std::fs::read(place.path().join(name)).expect("it was written");
    vec![place::join(&[&file("measurements.json"), &file(NAMES[0]), &file(NAMES[1])])]
}

fn measurements(bytes: &[u8]) -> Outcome {
    let [main, first, second] = place::split::<3>(bytes);
    let mut main = String::from_utf8_lossy(main.unwrap_or_default()).into_owned();
    for (name, bytes) in NAMES.iter().zip([first, second]) {
        sign(&mut main, name, bytes.unwrap_or_default());
    }
    let place =
        place::files(&[("measurements.json", Some(main.as_bytes())), (NAMES[0], first), (NAMES[1], second)]);
    let measurements = read_measurements(place.path()).map_err(|error| error.to_string())?;
    match analyse(&measurements, &config()) {
        Ok(findings) => write(&findings, place.path()).expect("a report can be written of what is found"),
        // It knows no file.
        Err(error) => crate::check_length(&error.to_string()),
    }
    Ok(())
}

/// Puts a file's hash behind its name, where it was.
fn sign(main: &mut String, name: &str, bytes: &[u8]) {
    const BETWEEN: &str = "\",\"sha256\":\"";
    let Some(at) = main.find(&format!("{name}{BETWEEN}")) else { return };
    let start = at + name.len() + BETWEEN.len();
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if main.get(start..start + digits.len()).is_some() {
        main.replace_range(start..start + digits.len(), &digits);
    }
}
