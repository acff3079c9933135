//! Settings that are searched for each objective.

use std::collections::BTreeMap;
use std::path::Path;

use electra_analysis::Failure;
use electra_store::{create_folder, read_to_string, write};
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::Error;
use crate::collect::{scores, tasks};
use crate::graph::{Graph, Scope};
use crate::plan::Split;
use crate::source::TextSource;
use crate::study::Progress;

/// Where the choice is kept, with the scores that it follows from.
const CHOSEN: &str = "search.json";
/// Every so-manieth example of a train set is held out where the report has the dev sets.
const HELD_OUT: usize = 5;

/// A point of the grid and how it did.
#[derive(Serialize, Deserialize)]
struct Tried {
    arm: String,
    settings: BTreeMap<String, Value>,
    /// Means over the tasks, a run each; what failed is not there.
    scores: Vec<f64>,
    chosen: bool,
}

/// Where the search scores: on the dev sets if the report has the test sets, else on a part of the train sets
/// that is held out of them, in a folder of its own.
pub(crate) fn scope<'a>(report: &Scope<'a>, study: &Path) -> Result<Scope<'a>, Error> {
    let held_out = report.split == Split::Dev;
    if held_out {
        for source in report.plan.searched_sources() {
            hold_out(report, &source, study)?;
        }
    }
    let vocab_sizes = report.vocab_sizes.clone();
    Ok(Scope {
        plan: report.plan,
        origin: report.origin,
        objectives: report.objectives,
        vocab_sizes,
        held_out,
        split: Split::Dev,
    })
}

/// Writes each task's train set in two parts, one in five examples as its dev set.
fn hold_out(report: &Scope<'_>, source: &TextSource, study: &Path) -> Result<(), Error> {
    let whole = study.join(report.tasks_folder(source));
    for name in &report.plan.tasks.names {
        let task = electra_tasks::find(name, Some(&whole))?;
        let train = task.read(&electra_tasks::Split::Train)?.path;
        let dev = task.read(&electra_tasks::Split::Dev)?.path;
        let folder = study.join(source.folder("search-tasks")).join(name);
        create_folder(&folder)?;
        let text = read_to_string(&train)?;
        let refuse = |what: &str| Error::Result { path: train.clone(), what: what.into() };
        if train.extension().is_none_or(|extension| extension != "tsv") {
            return Err(refuse("a search needs a .tsv to hold examples out of, where tasks.evaluate is dev"));
        }
        let definition = whole.join(name).join("task.toml");
        let definition = definition.exists().then(|| read_to_string(&definition)).transpose()?;
        let bare = match &definition {
            Some(text) => text
                .parse::<toml::Table>()
                .is_ok_and(|table| table.get("header") == Some(&Value::Boolean(false))),
            // CoLA's official file has no header; it is the one of the table that has four columns.
            None => name == "CoLA" && text.lines().next().is_some_and(|line| line.split('\t').count() == 4),
        };
        let (header, rows) = match text.split_once('\n') {
            Some((header, rows)) if !bare => (format!("{header}\n"), rows),
            _ => (String::new(), text.as_str()),
        };
        let (mut training, mut held) = (header.clone(), header);
        for (index, row) in rows.lines().enumerate() {
            let part = if index % HELD_OUT == 0 { &mut held } else { &mut training };
            part.push_str(row);
            part.push('\n');
        }
        for (original, text) in [(&train, &training), (&dev, &held)] {
            let name = original.file_name().expect("it was read, so it is a file");
            write(&folder.join(name), text)?;
        }
        if let Some(text) = definition {
            write(&folder.join("task.toml"), &text)?;
        }
    }
    Ok(())
}

/// What a search has come to.
#[derive(Default)]
pub(crate) struct Choice {
    /// The settings of each arm whose runs did best, the first of equals.
    pub(crate) settings: BTreeMap<String, BTreeMap<String, Value>>,
    /// Arms of which no settings have all their runs.
    pub(crate) lost: Vec<String>,
}

impl Choice {
    /// What the report says of the arms that are lost.
    pub(crate) fn failures(&self) -> impl Iterator<Item = Failure> {
        let message = "no settings of the search have all their runs, so none can be chosen, and the arm is left out \
            with its controls";
        self.lost.iter().map(move |arm| Failure { job: arm.clone(), message: message.into() })
    }
}

/// Chooses for each arm, and keeps what was tried.
pub(crate) fn choose(
    study: &Path,
    scope: &Scope<'_>,
    graph: &Graph,
    progress: &Progress,
) -> Result<Choice, Error> {
    let mut choice = Choice::default();
    let Some(search) = &scope.plan.search else { return Ok(choice) };
    let combinations = search.combinations();
    let names = search.tasks.as_ref().unwrap_or(&scope.plan.tasks.names);
    let mut tasks_of = BTreeMap::new();
    for source in scope.plan.searched_sources() {
        tasks_of.insert(source.clone(), tasks(study, scope, &source, names)?);
    }
    let mut tried: Vec<Tried> = Vec::new();
    let arms: Vec<String> = graph.runs.iter().map(|run| run.arm.name.clone()).collect();
    for arm in scope.plan.pretrained_arms().into_iter().filter(|arm| arms.contains(&arm.name)) {
        let mut best: Option<(f64, usize)> = None;
        for (point, settings) in combinations.iter().enumerate() {
            let prefix = format!("search-{}-{}-", arm.name, point + 1);
            let mut means = Vec::new();
            for run in
                graph.runs.iter().filter(|run| run.arm.name == arm.name && run.name.starts_with(&prefix))
            {
                for checkpoint in &run.checkpoints {
                    if progress.is_done(&format!("finetune-{}", checkpoint.name)) {
                        let scores = scores(study, checkpoint, &tasks_of[&run.source])?;
                        means.push(scores.iter().map(|score| score.score).sum::<f64>() / scores.len() as f64);
                    }
                }
            }
            let mean = means.iter().sum::<f64>() / means.len() as f64;
            // A point that has lost a run is not compared by what is left of it.
            let is_whole = means.len() == search.pretraining_seeds.len();
            if is_whole && best.is_none_or(|(best, _)| mean > best) {
                best = Some((mean, tried.len()));
            }
            let (arm, settings) = (arm.name.clone(), settings.clone());
            tried.push(Tried { arm, settings, scores: means, chosen: false });
        }
        match best {
            Some((_, best)) => {
                tried[best].chosen = true;
                choice.settings.insert(arm.name.clone(), tried[best].settings.clone());
            }
            None => choice.lost.push(arm.name.clone()),
        }
    }
    let text = serde_json::to_string_pretty(&tried).expect("its keys are strings");
    write(&study.join(CHOSEN), format!("{text}\n"))?;
    Ok(choice)
}

/// The choice as a line.
pub(crate) fn describe(choice: &Choice) -> String {
    let shown = |settings: &BTreeMap<String, Value>| {
        settings.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
    };
    let chosen = choice.settings.iter().map(|(arm, settings)| format!("{arm}: {}", shown(settings)));
    let lost = choice.lost.iter().map(|arm| format!("{arm}: none, as no settings have all their runs"));
    let arms: Vec<String> = chosen.chain(lost).collect();
    format!("chosen by the search: {}", arms.join("; "))
}
