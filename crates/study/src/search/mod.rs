//! Settings that are searched for each objective.

mod hold_out;
mod points;

use std::collections::BTreeMap;
use std::path::Path;

use electra_analysis::{Failure, Trial};
use electra_store::write;
use toml::Value;

use crate::Error;
use crate::collect::{scores, tasks};
use crate::graph::{Graph, Scope};
use crate::plan::Split;
use crate::progress::Progress;

pub(crate) use points::{Points, number};

/// Where the choice is kept, with the scores that it follows from.
const CHOSEN: &str = "search.json";

/// Where the search scores: on the dev sets if the report has the test sets, else on a part of the train sets
/// that is held out of them, in a folder of its own.
pub(crate) fn scope<'a>(report: &Scope<'a>, study: &Path) -> Result<Scope<'a>, Error> {
    let held_out = report.split == Split::Dev;
    if held_out {
        for source in report.plan.searched_sources() {
            hold_out::write_tasks(report, &source, study)?;
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

/// What a search has come to.
#[derive(Default)]
pub(crate) struct Choice {
    /// The settings of each arm whose runs did best, the first of equals.
    pub(crate) settings: BTreeMap<String, BTreeMap<String, Value>>,
    /// Arms of which no settings have all their runs.
    pub(crate) lost: Vec<String>,
    /// All that was tried.
    pub(crate) trials: Vec<Trial>,
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
    points: &Points,
    graph: &Graph,
    progress: &Progress,
) -> Result<Choice, Error> {
    let mut choice = Choice::default();
    let Some(search) = &scope.plan.search else { return Ok(choice) };
    let names = search.tasks.as_ref().unwrap_or(&scope.plan.tasks.names);
    let mut tasks_of = BTreeMap::new();
    for source in scope.plan.searched_sources() {
        tasks_of.insert(source.clone(), tasks(study, scope, &source, names)?);
    }
    let mut tried: Vec<Trial> = Vec::new();
    let arms: Vec<String> = graph.runs.iter().map(|run| run.arm.name.clone()).collect();
    for arm in scope.plan.pretrained_arms().into_iter().filter(|arm| arms.contains(&arm.name)) {
        let mut best: Option<(f64, usize)> = None; // mean score, place among the points
        let first = tried.len();
        for (point, settings) in points.of_arm(&arm.name).iter().enumerate() {
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
                best = Some((mean, point));
            }
            let shown = settings.iter().map(|(key, value)| (key.clone(), value.to_string())).collect();
            tried.push(Trial { arm: arm.name.clone(), settings: shown, scores: means, chosen: false });
        }
        match best {
            Some((_, best)) => {
                tried[first + best].chosen = true;
                choice.settings.insert(arm.name.clone(), points.of_arm(&arm.name)[best].clone());
            }
            None => choice.lost.push(arm.name.clone()),
        }
    }
    let text = serde_json::to_string_pretty(&tried).expect("its keys are strings");
    write(&study.join(CHOSEN), format!("{text}\n"))?;
    choice.trials = tried;
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
