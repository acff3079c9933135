//! What the report says of the tasks.

use std::path::{Path, PathBuf};

use electra_metrics::Metric;
use electra_report::TaskFacts;
use electra_tasks::{Content, Dataset, Kind, Label, Labels, Task};

use crate::Error;
use crate::graph::Scope;
use crate::plan::Split;

/// A task with what its predictions are read by.
#[derive(Clone, Debug)]
pub(crate) struct TaskToScore {
    pub(crate) facts: TaskFacts,
    pub(crate) kind: Kind,
    pub(crate) labels: Labels,
    /// The set that is scored.
    pub(crate) split: Split,
    pub(crate) file: PathBuf,
}

/// The tasks of those names, each with the set that is scored.
pub(crate) fn tasks(study: &Path, scope: &Scope<'_>, names: &[String]) -> Result<Vec<TaskToScore>, Error> {
    // An absolute path stays what it is.
    let folder = study.join(&scope.tasks);
    names.iter().map(|name| read(scope, &folder, name)).collect()
}

fn read(scope: &Scope<'_>, folder: &Path, name: &str) -> Result<TaskToScore, Error> {
    let task = electra_tasks::find(name, Some(folder))?;
    let setting = |found: String, expected: String| Error::Setting {
        origin: scope.origin.into(),
        key: "tasks.names".into(),
        found,
        expected,
    };
    if task.name != *name {
        return Err(setting(name.into(), format!("{}, as the task is called", task.name)));
    }
    let split = match scope.split {
        Split::Dev => electra_tasks::Split::Dev,
        Split::Test => electra_tasks::Split::Test,
    };
    let dataset = task.read(&split)?;
    if !dataset.is_labelled() {
        let found = format!("{name}, whose {split} set has no labels");
        return Err(setting(found, "tasks with labels there, or tasks.evaluate = \"dev\"".into()));
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
            majority,
        },
        kind: task.kind,
        labels: task.labels.clone(),
        split: scope.split,
        file: dataset.path,
    })
}

/// The scores of guessing at random and of always giving the commonest label, where they are known.
fn guesses(task: &Task, dataset: &Dataset) -> (Option<f64>, Option<f64>) {
    let classes = match &task.labels {
        Labels::Classes(classes) if matches!(task.kind, Kind::Sequence { .. }) => classes.len(),
        // Nothing that does not look at the example goes with its number.
        Labels::Values { .. } => return (Some(0.0), Some(0.0)),
        _ => return (None, None),
    };
    let mut counts = vec![0_u32; classes];
    for example in &dataset.examples {
        if let Content::Sequence { label: Some(Label::Class(class)), .. } = example.content
            && let Some(count) = counts.get_mut(class)
        {
            *count += 1;
        }
    }
    let share = |count: u32| f64::from(count) / dataset.examples.len() as f64;
    let commonest = counts.iter().copied().max().unwrap_or(0);
    match task.score() {
        Metric::Accuracy => (Some(1.0 / classes as f64), Some(share(commonest))),
        Metric::Matthews => (Some(0.0), Some(0.0)),
        Metric::F1 => {
            let positive = counts.get(task.positive.unwrap_or(1)).copied().unwrap_or(0);
            // Precision is the share of positives, recall the share of answers that are "positive".
            let f1 = |answered: f64| 2.0 * share(positive) * answered / (share(positive) + answered);
            (Some(f1(1.0 / classes as f64)), Some(if positive == commonest { f1(1.0) } else { 0.0 }))
        }
        _ => (None, None),
    }
}
