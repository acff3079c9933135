//! Scores and predictions of fine-tuned encoders.

use std::collections::BTreeMap;
use std::path::Path;

use electra_analysis::{Predictions, TaskScore};
use electra_store::read_to_string;
use electra_tasks::{Kind, Labels};
use serde::Deserialize;

use super::TaskToScore;
use crate::Error;
use crate::files::read_json;
use crate::graph::PlannedCheckpoint;

/// What is read of a task's `results.json`.
#[derive(Deserialize)]
struct Results {
    seeds: Vec<Seed>,
}

#[derive(Deserialize)]
struct Seed {
    seed: u64,
    /// Metrics by set.
    scores: BTreeMap<String, BTreeMap<String, f64>>,
}

/// The scores of a checkpoint on the tasks that it was to have, seed by seed.
pub(crate) fn scores(
    study: &Path,
    checkpoint: &PlannedCheckpoint,
    tasks: &[TaskToScore],
) -> Result<Vec<TaskScore>, Error> {
    let mut scores = Vec::new();
    for task in tasks.iter().filter(|task| checkpoint.tasks.contains(&task.facts.name)) {
        let folder = study.join("finetuned").join(&checkpoint.name).join(&task.facts.name);
        let path = folder.join("results.json");
        let results: Results = read_json(&path)?;
        let split = task.split.name();
        for &seed in &checkpoint.finetuning_seeds {
            let whose = format!("seed {seed}");
            let found = results.seeds.iter().find(|scored| scored.seed == seed);
            let nothing = BTreeMap::new();
            let of_seed = found.map_or(&nothing, |found| &found.scores);
            let (score, metrics) = score_of(of_seed, task, &path, &whose)?;
            let predictions =
                predictions(&folder.join(format!("seed-{seed}/predictions-{split}.tsv")), task)?;
            let task = task.facts.name.clone();
            scores.push(TaskScore { task, finetune_seed: seed, score, metrics, predictions });
        }
    }
    Ok(scores)
}

/// The task's score among the metrics of the scored set, and all of these.
pub(super) fn score_of(
    sets: &BTreeMap<String, BTreeMap<String, f64>>,
    task: &TaskToScore,
    path: &Path,
    whose: &str,
) -> Result<(f64, BTreeMap<String, f64>), Error> {
    let (metric, split) = (task.facts.metric.name(), task.split.name());
    let missing = || Error::Result {
        path: path.to_owned(),
        what: format!("{whose}: no {metric} on {split}; expected it"),
    };
    let metrics = sets.get(split).ok_or_else(missing)?.clone();
    Ok((*metrics.get(metric).ok_or_else(missing)?, metrics))
}

/// Reads `index  prediction  label …`. None for kinds whose answers are no classes and no numbers.
pub(super) fn predictions(path: &Path, task: &TaskToScore) -> Result<Option<Predictions>, Error> {
    let wrong = |line: usize, what: String| Error::Result {
        path: path.to_owned(),
        what: format!("line {}: {what}", line + 1),
    };
    let is_class = matches!((task.kind, &task.labels), (Kind::Sequence { .. }, Labels::Classes(_)));
    if !is_class && !matches!(task.labels, Labels::Values { .. }) && task.kind != Kind::Choice {
        return Ok(None);
    }
    let text = read_to_string(path)?;
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let mut columns = line.split('\t').skip(1);
        match (columns.next(), columns.next()) {
            (Some(prediction), Some(label)) => pairs.push((prediction, label)),
            _ => return Err(wrong(index, "expected the columns index, prediction and label".into())),
        }
    }
    let both = |read: &dyn Fn(usize, &str) -> Result<f64, Error>| -> Result<(Vec<f64>, Vec<f64>), Error> {
        let read = |(index, (prediction, label)): (usize, &(&str, &str))| {
            Ok((read(index + 1, label)?, read(index + 1, prediction)?))
        };
        pairs.iter().enumerate().map(read).collect()
    };
    let number = |index: usize, text: &str| {
        text.trim().parse::<f64>().map_err(|_| wrong(index, format!("{text:?}; expected a number")))
    };
    let whole = |values: Vec<f64>| values.into_iter().map(|value| value as u32).collect();
    Ok(Some(match &task.labels {
        Labels::Values { .. } => {
            let (labels, predictions) = both(&number)?;
            Predictions::Values { labels, predictions }
        }
        Labels::Classes(classes) => {
            let class = |index: usize, text: &str| {
                let place = classes.iter().position(|class| class == text);
                let expected = || format!("{text:?}; expected one of {}", classes.join(", "));
                place.map(|place| place as f64).ok_or_else(|| wrong(index, expected()))
            };
            let (labels, predictions) = both(&class)?;
            Predictions::Classes { labels: whole(labels), predictions: whole(predictions) }
        }
        Labels::Within => {
            // Which of an example's own choices: what is right or wrong is each example's own score.
            let right = |(prediction, label): &(&str, &str)| f64::from(u8::from(prediction == label));
            Predictions::Scores(pairs.iter().map(right).collect())
        }
    }))
}
