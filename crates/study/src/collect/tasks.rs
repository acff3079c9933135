//! What the report says of the tasks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use electra_analysis::TaskFacts;
use electra_metrics::Metric;
use electra_tasks::{Content, Dataset, Kind, Label, Labels, Task};

use electra_store::Error as StoreError;
use sha2::{Digest, Sha256};

use super::provenance::sha256;
use crate::Error;
use crate::graph::Scope;
use crate::job::hex;
use crate::plan::Split;
use crate::source::TextSource;

/// Hexadecimal digits of a key of test sets: enough that two differ.
const KEY_DIGITS: usize = 16;

/// A task with what its predictions are read by.
#[derive(Clone, Debug)]
pub(crate) struct TaskToScore {
    pub(crate) facts: TaskFacts,
    pub(crate) kind: Kind,
    pub(crate) labels: Labels,
    /// The set that is scored.
    pub(crate) split: Split,
    pub(crate) file: PathBuf,
    /// The file of the set that is learnt from.
    pub(crate) train: PathBuf,
}

/// The tasks of those names that runs of a source are scored on, each with the set that is scored.
pub(crate) fn tasks(
    study: &Path,
    scope: &Scope<'_>,
    source: &TextSource,
    names: &[String],
) -> Result<Vec<TaskToScore>, Error> {
    // An absolute path stays what it is.
    let folder = study.join(scope.tasks_folder(source));
    names.iter().map(|name| read(scope, &folder, name)).collect()
}

/// A key of files that are scored: the same for the same files, byte for byte.
pub(super) fn key<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Result<String, Error> {
    let mut list = String::new();
    for file in files {
        list += &format!("{}\n", sha256(file)?);
    }
    Ok(hex(&Sha256::digest(list))[..KEY_DIGITS].to_owned())
}

fn read(scope: &Scope<'_>, folder: &Path, name: &str) -> Result<TaskToScore, Error> {
    let task = electra_tasks::find(name, Some(folder))?;
    let setting = |found: String, expected: String| StoreError::Setting {
        origin: scope.origin.into(),
        key: "tasks.names".into(),
        found,
        expected,
    };
    if task.name != *name {
        return Err(setting(name.into(), format!("{}, as the task is called", task.name)).into());
    }
    let split = match scope.split {
        Split::Dev => electra_tasks::Split::Dev,
        Split::Test => electra_tasks::Split::Test,
    };
    let dataset = task.read(&split)?;
    if !dataset.is_labelled() {
        let found = format!("{name}, whose {split} set has no labels");
        return Err(setting(found, "tasks with labels there, or tasks.evaluate = \"dev\"".into()).into());
    }
    let (chance, majority) = guesses(&task, &dataset);
    Ok(TaskToScore {
        facts: TaskFacts {
            name: task.name.clone(),
            title: task.title.clone(),
            metric: task.score(),
            positive: task.positive.unwrap_or(1) as u32,
            examples: dataset.examples.len(),
            chance,
            units: units(&dataset),
            majority,
        },
        kind: task.kind,
        labels: task.labels.clone(),
        split: scope.split,
        file: dataset.path,
        train: task.read(&electra_tasks::Split::Train)?.path,
    })
}

/// What the report says of tasks of which each source has its own: their best constant answers are means.
pub(super) fn common_facts(tasks: &[&[TaskFacts]]) -> Vec<TaskFacts> {
    let Some(first) = tasks.first() else { return Vec::new() };
    let common = |(place, facts): (usize, &TaskFacts)| {
        let majorities: Option<Vec<f64>> = tasks.iter().map(|tasks| tasks[place].majority).collect();
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        TaskFacts { majority: majorities.map(mean), ..facts.clone() }
    };
    first.iter().enumerate().map(common).collect()
}

/// Examples that share their first text, such as a premise, are one unit: what is right of one tells of the others.
fn units(dataset: &Dataset) -> Option<Vec<u32>> {
    fn text(content: &Content) -> Option<&str> {
        match content {
            Content::Sequence { text, pair: Some(_), .. } | Content::Choice { text, .. } => {
                Some(text.as_str())
            }
            Content::Spans { context, .. } => Some(context.as_str()),
            _ => None,
        }
    }
    let mut first: BTreeMap<&str, u32> = BTreeMap::new();
    let mut units = Vec::with_capacity(dataset.examples.len());
    for example in &dataset.examples {
        let next = first.len() as u32;
        units.push(*first.entry(text(&example.content)?).or_insert(next));
    }
    // Examples of which none shares anything are as they are.
    (first.len() < units.len()).then_some(units)
}

/// The scores of guessing at random and of the best constant answer, where they are known.
fn guesses(task: &Task, dataset: &Dataset) -> (Option<f64>, Option<f64>) {
    let classes = match &task.labels {
        Labels::Classes(classes) if matches!(task.kind, Kind::Sequence { .. }) => classes.len(),
        // Nothing that does not look at the example goes with its number.
        Labels::Values { .. } => return (Some(0.0), Some(0.0)),
        _ => return (None, None),
    };
    let mut counts = vec![0_u32; classes];
    for example in &dataset.examples {
        if let Content::Sequence { label: Some(Label::Class(class)), .. } = &example.content
            && let Some(count) = counts.get_mut(*class)
        {
            *count += 1;
        }
    }
    of_classes(task.score(), &counts, task.positive.unwrap_or(1))
}

/// The same where the scored examples have those counts of labels.
fn of_classes(metric: Metric, counts: &[u32], positive: usize) -> (Option<f64>, Option<f64>) {
    let (classes, examples) = (counts.len() as f64, counts.iter().sum::<u32>());
    let share = |count: u32| f64::from(count) / f64::from(examples);
    match metric {
        Metric::Accuracy => (Some(1.0 / classes), counts.iter().copied().max().map(share)),
        Metric::Matthews => (Some(0.0), Some(0.0)),
        Metric::F1 => {
            let positives = share(counts.get(positive).copied().unwrap_or(0));
            // Precision is the share of positives, recall the share of answers that are "positive". Of constant
            // answers that one is the best, however rare positives are: the others have an F1 of 0.
            let f1 = |answered: f64| 2.0 * positives * answered / (positives + answered);
            (Some(f1(1.0 / classes)), Some(f1(1.0)))
        }
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use electra_metrics::{accuracy, f1};

    use super::*;

    #[test]
    fn the_best_constant_answer_is_found_by_giving_it() {
        // "no" is commonest by a hair, and no answer for F1.
        for counts in [[1001, 999], [999, 1001], [1900, 100], [5, 0]] {
            let labels: Vec<usize> = (0..2).flat_map(|class| vec![class; counts[class] as usize]).collect();
            let best = |score: fn(&[usize], &[usize]) -> f64| {
                (0..2).map(|answer| score(&vec![answer; labels.len()], &labels)).fold(0.0, f64::max)
            };
            let found = |metric| of_classes(metric, &counts, 1).1.expect("it is known");
            let near = |found: f64, given: f64| assert!((found - given).abs() < 1e-12, "{found}, {given}");
            near(
                found(Metric::F1),
                best(|answers, labels| f1(answers, labels, 1).expect("there are examples")),
            );
            near(
                found(Metric::Accuracy),
                best(|answers, labels| accuracy(answers, labels).expect("there are some")),
            );
        }
        assert_eq!(of_classes(Metric::Accuracy, &[1, 2, 1], 1), (Some(1.0 / 3.0), Some(0.5)));
        assert_eq!(of_classes(Metric::Matthews, &[3, 1], 1), (Some(0.0), Some(0.0)));
    }
}
