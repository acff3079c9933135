//! Scores and predictions of fine-tuned encoders.

use std::collections::BTreeMap;
use std::path::Path;

use electra_analysis::{Predictions, TaskScore};
use electra_metrics::Metric;
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

/// Reads `index  prediction  label …`. None for kinds whose answers are no classes and no numbers, and for several
/// labels unless each example is right or wrong as a whole: F1 of all of them is not a mean over examples.
pub(super) fn predictions(path: &Path, task: &TaskToScore) -> Result<Option<Predictions>, Error> {
    let wrong = |line: usize, what: String| Error::Result {
        path: path.to_owned(),
        what: format!("line {}: {what}", line + 1),
    };
    let is_known = match &task.labels {
        Labels::Classes(_) => matches!(task.kind, Kind::Sequence { .. }),
        Labels::Values { .. } => true,
        Labels::MultiLabel(_) => task.facts.metric == Metric::Accuracy,
        Labels::Within => task.kind == Kind::Choice,
    };
    if !is_known {
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
        Labels::Within | Labels::MultiLabel(_) => {
            // Which of an example's own choices, or a list of labels: right or wrong is each example's own score.
            let right = |(prediction, label): &(&str, &str)| f64::from(u8::from(prediction == label));
            Predictions::Scores(pairs.iter().map(right).collect())
        }
    }))
}

#[cfg(test)]
mod tests {
    use electra_analysis::TaskFacts;

    use super::*;
    use crate::plan::Split;

    #[test]
    fn several_labels_are_right_or_wrong_as_a_whole_or_not_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("predictions-dev.tsv");
        let lines = "index\tprediction\tlabel\tscore_a\tscore_b\n0\ta,b\ta,b\t.9\t.8\n1\ta\ta,b\t.7\t.1\n2\t\t\t0\t0\n";
        std::fs::write(&path, lines).expect("a file in it");
        let read = |metric| {
            let facts = TaskFacts {
                name: "seen".into(),
                title: "Seen".into(),
                metric,
                positive: 1,
                examples: 3,
                chance: None,
                units: None,
                majority: None,
            };
            let task = TaskToScore {
                facts,
                kind: Kind::Sequence { pair: false },
                labels: Labels::MultiLabel(vec!["a".into(), "b".into()]),
                split: Split::Dev,
                file: path.clone(),
                train: path.clone(),
            };
            predictions(&path, &task).expect("the file is of the right form")
        };
        assert_eq!(read(Metric::Accuracy), Some(Predictions::Scores(vec![1.0, 0.0, 1.0])));
        assert_eq!(read(Metric::MicroF1), None);
    }
}
