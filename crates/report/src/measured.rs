//! Measurements as files, so that anyone can compute the findings anew: `measurements.json`, and under `predictions/`
//! one file for each run and task with what was predicted at the end of its budget.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use electra_analysis::{Hash, Measurements, Predictions, RunFacts};
use electra_store::{create_folder, read_to_string, remove};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// What `measurements.json` says of its form.
const FORMAT: &str = "electra-measurements/1";
const FILE: &str = "measurements.json";
const PREDICTIONS: &str = "predictions";

/// `measurements.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    measurements: Measurements,
    /// By task: which examples belong together.
    units: BTreeMap<String, Vec<u32>>,
    /// The files of predictions with their SHA-256.
    predictions: Vec<Hash>,
}

/// What a run predicted on a task at the end of its budget.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicted {
    arm: String,
    seed: u64,
    test_sets: String,
    /// Of another family of scores than the study's own, its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    task: String,
    kind: Kind,
    /// What is right, example by example; of scores nothing.
    labels: Vec<f64>,
    /// By seed of fine-tuning: what was predicted, or each example's own score.
    predictions: BTreeMap<u64, Vec<f64>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Classes,
    Values,
    Scores,
}

/// Writes `measurements.json` and `predictions/`; what lies there under these names is replaced.
///
/// # Errors
/// [`Error::Store`] if a file cannot be written.
pub fn write_measurements(measurements: &Measurements, folder: &Path) -> Result<(), Error> {
    remove(&folder.join(PREDICTIONS))?;
    let mut hashes = Vec::new();
    for (number, run) in measurements.runs.iter().enumerate() {
        for (place, family, task) in tasks(measurements) {
            let Some(predicted) = predicted(run, family, task) else { continue };
            // A name can be any text; a number is always the name of a file.
            let name = format!("{PREDICTIONS}/run-{number}/{place}.json");
            let path = folder.join(&name);
            create_folder(path.parent().unwrap_or(folder))?;
            let json = serde_json::to_string(&predicted).expect("numbers under string keys are JSON") + "\n";
            electra_store::write(&path, &json)?;
            hashes.push(Hash { name, sha256: sha256(&json) });
        }
    }
    let of_families = measurements.families.iter().flat_map(|family| &family.tasks);
    let units = measurements.tasks.iter().chain(of_families);
    let units = units.filter_map(|task| Some((task.name.clone(), task.units.clone()?)));
    let file = File {
        format: FORMAT.into(),
        units: units.collect(),
        predictions: hashes,
        measurements: without_gaps(measurements),
    };
    let json = serde_json::to_string(&file).expect("measurements are plain data with string keys") + "\n";
    Ok(electra_store::write(&folder.join(FILE), json)?)
}

/// What is scored, with the name of a file for it: the study's own tasks, then those of each family.
fn tasks(measurements: &Measurements) -> Vec<(String, Option<&str>, &str)> {
    let own = measurements.tasks.iter().enumerate();
    let own = own.map(|(index, task)| (format!("task-{index}"), None, &*task.name));
    let of_families = measurements.families.iter().enumerate().flat_map(|(number, family)| {
        let name = move |index: usize| format!("family-{number}-task-{index}");
        let tasks = family.tasks.iter().enumerate();
        tasks.map(move |(index, task)| (name(index), Some(&*family.name), &*task.name))
    });
    own.chain(of_families).collect()
}

/// Reads what [`write_measurements`] has written.
///
/// # Errors
/// [`Error::Store`]; [`Error::Format`] if a file is of another form, or not the one that was written.
pub fn read_measurements(folder: &Path) -> Result<Measurements, Error> {
    let path = folder.join(FILE);
    let wrong = |path: &Path, what: String| Error::Format { path: path.to_owned(), what };
    let text = read_to_string(&path)?;
    let File { format, mut measurements, units, predictions } =
        serde_json::from_str(&text).map_err(|error| wrong(&path, format!("{error}; expected a {FILE}")))?;
    if format != FORMAT {
        return Err(wrong(&path, format!("format {format:?}; expected {FORMAT:?}")));
    }
    let of_families = measurements.families.iter_mut().flat_map(|family| &mut family.tasks);
    for task in measurements.tasks.iter_mut().chain(of_families) {
        task.units = units.get(&task.name).cloned();
    }
    for Hash { name, sha256: expected } in predictions {
        if !is_inside(&name) {
            let what =
                format!("predictions: {name:?}; expected a file in the folder {PREDICTIONS} beside it");
            return Err(wrong(&path, what));
        }
        let path = folder.join(&name);
        let text = read_to_string(&path)?;
        let found = sha256(&text);
        if found != expected {
            return Err(wrong(
                &path,
                format!("its SHA-256 is {found}; expected {expected}, as {FILE} has it"),
            ));
        }
        let predicted: Predicted = serde_json::from_str(&text)
            .map_err(|error| wrong(&path, format!("{error}; expected predictions")))?;
        let run =
            measurements.runs.iter_mut().find(|run| run.arm == predicted.arm && run.seed == predicted.seed);
        let run = run.ok_or_else(|| {
            wrong(&path, format!("no run of {} with seed {}", predicted.arm, predicted.seed))
        })?;
        let scores = run.end_mut().and_then(|end| match &predicted.family {
            None => Some(&mut end.scores),
            Some(family) => end.families.get_mut(family),
        });
        for score in scores.map_or(&mut [][..], Vec::as_mut_slice) {
            if let Some(values) =
                predicted.predictions.get(&score.finetune_seed).filter(|_| score.task == predicted.task)
            {
                score.predictions = Some(predictions_of(predicted.kind, &predicted.labels, values));
            }
        }
    }
    Ok(measurements)
}

/// Whether a name is of a file in the folder of predictions: one that somebody else wrote must not lead elsewhere.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    parts.next() == Some(Component::Normal(PREDICTIONS.as_ref()))
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// What a run predicted on a task; none where any fine-tuning has no predictions.
fn predicted(run: &RunFacts, family: Option<&str>, task: &str) -> Option<Predicted> {
    let end = run.end()?;
    let scores = match family {
        None => &end.scores,
        Some(family) => end.families.get(family)?,
    };
    let scores = scores.iter().filter(|score| score.task == task);
    let all: Option<Vec<(u64, &Predictions)>> =
        scores.map(|score| Some((score.finetune_seed, score.predictions.as_ref()?))).collect();
    let all = all.filter(|all| !all.is_empty())?;
    let wide = |classes: &[u32]| classes.iter().map(|class| f64::from(*class)).collect::<Vec<f64>>();
    let parts = |predictions: &Predictions| match predictions {
        Predictions::Classes { labels, predictions } => (Kind::Classes, wide(labels), wide(predictions)),
        Predictions::Values { labels, predictions } => (Kind::Values, labels.clone(), predictions.clone()),
        Predictions::Scores(scores) => (Kind::Scores, Vec::new(), scores.clone()),
    };
    let (kind, labels, _) = parts(all[0].1);
    Some(Predicted {
        arm: run.arm.clone(),
        seed: run.seed,
        test_sets: run.test_sets.clone(),
        family: family.map(Into::into),
        task: task.into(),
        kind,
        labels,
        predictions: all.into_iter().map(|(seed, predictions)| (seed, parts(predictions).2)).collect(),
    })
}

fn predictions_of(kind: Kind, labels: &[f64], values: &[f64]) -> Predictions {
    let classes = |values: &[f64]| values.iter().map(|value| *value as u32).collect();
    match kind {
        Kind::Classes => Predictions::Classes { labels: classes(labels), predictions: classes(values) },
        Kind::Values => Predictions::Values { labels: labels.into(), predictions: values.into() },
        Kind::Scores => Predictions::Scores(values.into()),
    }
}

/// JSON has no word for what is not finite: such a value of a diagnostic is left out.
fn without_gaps(measurements: &Measurements) -> Measurements {
    let mut measurements = measurements.clone();
    for point in measurements.runs.iter_mut().flat_map(|run| &mut run.diagnostics) {
        point.values.retain(|_, value| value.is_finite());
    }
    measurements
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}
