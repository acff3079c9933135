//! Families of scores that need no fine-tuning: probes, embeddings and minimal pairs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use electra_analysis::{FamilyFacts, Predictions, TaskFacts, TaskScore};
use electra_metrics::Metric;
use electra_store::Error as StoreError;
use electra_tasks::minimal_pairs;
use serde::Deserialize;

use super::scores::{predictions, score_of};
use super::tasks::{self, TaskToScore};
use crate::files::read_json;
use crate::graph::{PlannedCheckpoint, Scope, embed_job, pairs_job, probe_job};
use crate::progress::Progress;
use crate::source::TextSource;
use crate::{Error, Plan};

/// The names of the families.
pub(super) const PROBES: &str = "probes";
pub(super) const EMBEDDINGS: &str = "embeddings";
pub(super) const ZERO_SHOT: &str = "zero-shot";

/// What runs of a source are scored on.
pub(crate) struct ToScore {
    pub(super) fine_tuned: Vec<TaskToScore>,
    pub(super) probes: Vec<TaskToScore>,
    /// Tasks whose score is Spearman's correlation, whatever it is elsewhere.
    pub(super) embeddings: Vec<TaskToScore>,
    /// Paradigms of minimal pairs, and their files.
    pub(super) pairs: Vec<TaskFacts>,
    pub(super) pair_files: Vec<PathBuf>,
}

impl ToScore {
    pub(crate) fn read(study: &Path, scope: &Scope<'_>, source: &TextSource) -> Result<Self, Error> {
        let of = |names: &[String]| tasks::tasks(study, scope, source, names);
        let plan = &scope.plan.tasks;
        let (mut pairs, mut pair_files) = (Vec::new(), Vec::new());
        if !plan.zero_shot.is_empty() {
            let folder = study.join(scope.pairs_folder(source));
            pairs = paradigms(scope, &folder)?;
            pair_files = jsonl_files(&folder)?;
        }
        let mut embeddings = of(&plan.embeddings)?;
        embeddings.iter_mut().for_each(|task| task.facts.metric = Metric::Spearman);
        Ok(Self { fine_tuned: of(&plan.names)?, probes: of(&plan.probes)?, embeddings, pairs, pair_files })
    }

    /// A key of all that is scored: the same for the same files, byte for byte.
    pub(super) fn key(&self) -> Result<String, Error> {
        let tasks = self.fine_tuned.iter().chain(&self.probes).chain(&self.embeddings);
        tasks::key(tasks.map(|task| &task.file).chain(&self.pair_files))
    }

    /// The facts of each family that there is.
    fn families(&self) -> Vec<(&'static str, Vec<TaskFacts>)> {
        let facts = |tasks: &[TaskToScore]| tasks.iter().map(|task| task.facts.clone()).collect::<Vec<_>>();
        let families = [
            (PROBES, facts(&self.probes)),
            (EMBEDDINGS, facts(&self.embeddings)),
            (ZERO_SHOT, self.pairs.clone()),
        ];
        families.into_iter().filter(|(_, tasks)| !tasks.is_empty()).collect()
    }
}

/// The paradigms of the plan, as they are in a folder of pairs.
fn paradigms(scope: &Scope<'_>, folder: &Path) -> Result<Vec<TaskFacts>, Error> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for pair in minimal_pairs(folder)? {
        *counts.entry(pair.paradigm).or_default() += 1;
    }
    let plan = &scope.plan.tasks;
    let number = |number: Option<u64>, unset| {
        number.map_or(unset, |number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    let (skip, limit) = (number(plan.pair_skip, 0), number(plan.pair_limit, usize::MAX));
    let facts = |name: &String| {
        let Some(count) = counts.get(name) else {
            let known: Vec<&str> = counts.keys().map(String::as_str).collect();
            return Err(Error::Store(StoreError::Setting {
                origin: scope.origin.into(),
                key: "tasks.zero_shot".into(),
                found: name.clone(),
                expected: format!("a paradigm of {}: {}", folder.display(), known.join(", ")),
            }));
        };
        if *count <= skip {
            return Err(Error::Store(StoreError::Setting {
                origin: scope.origin.into(),
                key: "tasks.pair_skip".into(),
                found: skip.to_string(),
                expected: format!("less than the {count} pairs of {name} in {}", folder.display()),
            }));
        }
        Ok(TaskFacts {
            name: name.clone(),
            title: name.clone(),
            metric: Metric::Accuracy,
            positive: 1,
            examples: limit.min(*count - skip),
            chance: Some(0.5),
            units: None,
            // What gives every sentence the same score has nothing but ties.
            majority: Some(0.5),
        })
    };
    plan.zero_shot.iter().map(facts).collect()
}

/// Whether all that does not come with a generated language can be read; before anything is made.
pub(crate) fn check_given(scope: &Scope<'_>) -> Result<(), Error> {
    let plan = &scope.plan.tasks;
    if plan.folder.is_some() {
        for names in [&plan.names, &plan.probes, &plan.embeddings] {
            tasks::tasks(Path::new(""), scope, &TextSource::Files, names)?;
        }
    }
    plan.pairs.as_ref().map_or(Ok(()), |folder| paradigms(scope, folder).map(drop))
}

/// The files of a folder of pairs, or the one file.
fn jsonl_files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(electra_store::io(path, "listing it"))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    Ok(files)
}

/// What of a study's families are its own scores: those of the first, where nothing is fine-tuned.
pub(super) fn own(plan: &Plan) -> Option<&'static str> {
    let tasks = &plan.tasks;
    let families =
        [(&tasks.names, None), (&tasks.probes, Some(PROBES)), (&tasks.embeddings, Some(EMBEDDINGS))];
    let first = families.into_iter().find(|(names, _)| !names.is_empty());
    first.map_or(Some(ZERO_SHOT), |(_, own)| own)
}

/// What the report says of the families beside the study's own scores, and of those scores if a family has them.
pub(super) fn facts(plan: &Plan, sources: &[&ToScore]) -> (Option<Vec<TaskFacts>>, Vec<FamilyFacts>) {
    let Some(first) = sources.first() else { return (None, Vec::new()) };
    let mut families = Vec::new();
    for (place, (name, _)) in first.families().into_iter().enumerate() {
        let of_each: Vec<Vec<TaskFacts>> =
            sources.iter().map(|source| source.families()[place].1.clone()).collect();
        let tasks = tasks::common_facts(&of_each.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let title = match name {
            PROBES => "Frozen probes",
            EMBEDDINGS => "Embeddings",
            _ => "Minimal pairs",
        };
        families.push(FamilyFacts { name: name.into(), title: title.into(), tasks });
    }
    let own = own(plan).and_then(|own| families.iter().position(|family| family.name == own));
    let own = own.map(|place| families.remove(place).tasks);
    (own, families)
}

/// What is read of the `scores.json` of a probe or of embeddings.
#[derive(Deserialize)]
struct Scored {
    scores: BTreeMap<String, BTreeMap<String, f64>>,
}

/// What is read of the output of `electra minimal-pairs`.
#[derive(Deserialize)]
struct Paired {
    outcomes: BTreeMap<String, Vec<f64>>,
}

/// The scores of a checkpoint by family; of those whose job failed, none.
pub(super) fn scores(
    study: &Path,
    checkpoint: &PlannedCheckpoint,
    to_score: &ToScore,
    progress: &Progress,
) -> Result<BTreeMap<String, Vec<TaskScore>>, Error> {
    let mut families = BTreeMap::new();
    for (name, tasks, (id, output), whose) in [
        (PROBES, &to_score.probes, probe_job(&checkpoint.name), "the probe"),
        (EMBEDDINGS, &to_score.embeddings, embed_job(&checkpoint.name), "the embeddings"),
    ] {
        if progress.is_done(&id) {
            let of_task =
                |task: &TaskToScore| scored(&study.join(&output).join(&task.facts.name), task, whose);
            families.insert(name.to_owned(), tasks.iter().map(of_task).collect::<Result<Vec<_>, _>>()?);
        }
    }
    let (id, output) = pairs_job(&checkpoint.name);
    if progress.is_done(&id) {
        families.insert(ZERO_SHOT.to_owned(), paired(&study.join(output), &to_score.pairs)?);
    }
    Ok(families)
}

fn scored(folder: &Path, task: &TaskToScore, whose: &str) -> Result<TaskScore, Error> {
    let path = folder.join("scores.json");
    let metrics = read_json::<Scored>(&path)?.scores;
    let (score, metrics) = score_of(&metrics, task, &path, whose)?;
    let file = folder.join(format!("predictions-{}.tsv", task.split.name()));
    let predictions = predictions(&file, task)?;
    Ok(TaskScore { task: task.facts.name.clone(), finetune_seed: 0, score, metrics, predictions })
}

fn paired(path: &Path, paradigms: &[TaskFacts]) -> Result<Vec<TaskScore>, Error> {
    let mut outcomes = read_json::<Paired>(path)?.outcomes;
    let of_paradigm = |facts: &TaskFacts| {
        let wrong = |what: String| Error::Result { path: path.to_owned(), what };
        let found = outcomes.remove(&facts.name).unwrap_or_default();
        if found.is_empty() || found.len() != facts.examples {
            let (pairs, expected) = (found.len(), facts.examples);
            return Err(wrong(format!("{pairs} outcomes of {}; expected {expected}", facts.name)));
        }
        let score = found.iter().sum::<f64>() / found.len() as f64;
        let metrics = BTreeMap::from([(facts.metric.name().to_owned(), score)]);
        let predictions = Some(Predictions::Scores(found));
        Ok(TaskScore { task: facts.name.clone(), finetune_seed: 0, score, metrics, predictions })
    };
    paradigms.iter().map(of_paradigm).collect()
}
