//! Whether measurements are right: every name known and used once, every number in its range.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::findings::AnalysisConfig;
use crate::measurements::{
    ArmFacts, CheckpointFacts, Measurements, Predictions, ReplacementFacts, Role, RunFacts, TaskFacts,
};

/// The most draws of test examples: each keeps a score of every run and task.
const MOST_DRAWS: usize = 1_000_000;

/// # Errors
/// Any [`Error`] but [`Error::Metrics`].
pub(crate) fn check(measurements: &Measurements, config: &AnalysisConfig) -> Result<(), Error> {
    config.check()?;
    let Measurements { tasks, arms, runs, plan, provenance, language, .. } = measurements;
    for (field, empty) in [("tasks", tasks.is_empty()), ("arms", arms.is_empty())] {
        if empty {
            return Err(Error::Empty { field });
        }
    }
    once("tasks", tasks.iter().map(|task| &task.name))?;
    once("arms", arms.iter().map(|arm| &arm.name))?;
    let families: Vec<&String> = measurements.families.iter().map(|family| &family.name).collect();
    once("families", families.iter())?;
    for family in
        runs.iter().flat_map(|run| &run.checkpoints).flat_map(|checkpoint| checkpoint.families.keys())
    {
        if !families.contains(&family) {
            let known = families.into_iter().cloned().collect();
            return Err(Error::Unknown { field: "checkpoints.families".into(), name: family.clone(), known });
        }
    }
    once("objectives", measurements.objectives.iter().map(|objective| &objective.name))?;
    known("plan.baseline", &plan.baseline, arms)?;
    at_least_0("provenance.seconds".into(), provenance.seconds)?;
    if let Some(language) = language {
        at_least_0("language.entropy".into(), language.entropy)?;
        share("language.certain".into(), Some(language.certain))?;
    }
    for (index, task) in tasks.iter().enumerate() {
        for (name, value) in [("chance", task.chance), ("majority", task.majority)] {
            finite(format!("tasks[{index}].{name}"), value.unwrap_or(0.0))?;
        }
        let units = task.units.as_ref().map_or(task.examples, Vec::len);
        if units != task.examples {
            let field = format!("tasks[{index}].units");
            return Err(Error::Value { field, found: units as f64, expected: "one for each example" });
        }
    }
    for (index, objective) in measurements.objectives.iter().enumerate() {
        finite(format!("objectives[{index}].paper_glue"), objective.paper_glue.unwrap_or(0.0))?;
    }
    for (index, arm) in arms.iter().enumerate() {
        finite(format!("arms[{index}].paper_glue"), arm.paper_glue.unwrap_or(0.0))?;
        if let Role::Control { arm, .. } = &arm.role {
            known(&format!("arms[{index}].role.of"), arm, arms)?;
        }
        if let Some(other) = &arm.continues {
            known(&format!("arms[{index}].continues"), other, arms)?;
        }
        if let Some(other) = &arm.flops_of {
            known(&format!("arms[{index}].flops_of"), other, arms)?;
        }
        if let (Some(setting), true) = (&plan.sweep, arm.role != Role::Scratch) {
            let found = arm.number(setting).unwrap_or(f64::NAN);
            finite(format!("arms[{index}].settings.{setting}"), found)?;
        }
    }
    once("runs", runs.iter().map(|run| format!("{}, seed {}", run.arm, run.seed)))?;
    runs.iter()
        .enumerate()
        .try_for_each(|(index, run)| check_run(&format!("runs[{index}]"), run, tasks, arms))?;
    same_examples(runs)
}

/// Runs with the same key of test sets have predictions of the same examples: as many, with the same labels.
fn same_examples(runs: &[RunFacts]) -> Result<(), Error> {
    let mut first: BTreeMap<(&str, &str), (&RunFacts, &Predictions)> = BTreeMap::new();
    for run in runs {
        for score in run.checkpoints.iter().flat_map(|checkpoint| &checkpoint.scores) {
            let Some(predictions) = &score.predictions else { continue };
            let (other, known) = first.entry((&run.test_sets, &score.task)).or_insert((run, predictions));
            if !known.same_labels(predictions) {
                let field = format!("{}, seed {}: predictions of {}", run.arm, run.seed, score.task);
                let what = format!(
                    "other labels than those of {}, seed {}; expected the same ones, as both have test_sets {:?}",
                    other.arm, other.seed, run.test_sets,
                );
                return Err(Error::Predictions { field, what });
            }
        }
    }
    Ok(())
}

impl AnalysisConfig {
    /// Whether every number is in its range.
    ///
    /// # Errors
    /// [`Error::Value`] for the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        for (field, found) in [("level", self.level), ("power", self.power)] {
            if !(found > 0.0 && found < 1.0) {
                return Err(Error::Value { field: field.into(), found, expected: "above 0 and below 1" });
            }
        }
        if let Some(found) = self.margin.filter(|margin| !(*margin > 0.0 && margin.is_finite())) {
            return Err(Error::Value {
                field: "margin".into(),
                found,
                expected: "a number of points above 0",
            });
        }
        if self.draws > MOST_DRAWS {
            let found = self.draws as f64;
            return Err(Error::Value { field: "draws".into(), found, expected: "at most 1000000" });
        }
        for (index, threshold) in self.take_off.iter().enumerate() {
            let field = format!("take_off[{index}].{}", threshold.metric);
            match (threshold.at_least, threshold.at_most) {
                (Some(found), None) | (None, Some(found)) => finite(field, found)?,
                (at_least, _) => {
                    let expected = "one of at_least and at_most";
                    return Err(Error::Value { field, found: at_least.unwrap_or(f64::NAN), expected });
                }
            }
        }
        Ok(())
    }
}

fn check_run(field: &str, run: &RunFacts, tasks: &[TaskFacts], arms: &[ArmFacts]) -> Result<(), Error> {
    known(&format!("{field}.arm"), &run.arm, arms)?;
    at_least_0(format!("{field}.flops_paper"), run.flops_paper)?;
    at_least_0(format!("{field}.flops_executed"), run.flops_executed)?;
    at_least_0(format!("{field}.seconds"), run.seconds)?;
    at_least_0(format!("{field}.unigram_loss"), run.unigram_loss.unwrap_or(0.0))?;
    once(
        &format!("{field}.checkpoints"),
        run.checkpoints.iter().map(|checkpoint| {
            // The end of the budget is the same place by either schedule.
            if at_end(checkpoint) {
                "the end".into()
            } else {
                format!("{:?} at {}", checkpoint.schedule, checkpoint.share)
            }
        }),
    )?;
    for (index, checkpoint) in run.checkpoints.iter().enumerate() {
        check_checkpoint(&format!("{field}.checkpoints[{index}]"), checkpoint, tasks)?;
    }
    run.replacements
        .as_ref()
        .map_or(Ok(()), |of_run| check_replacements(&format!("{field}.replacements"), of_run))
}

fn check_replacements(field: &str, of_run: &ReplacementFacts) -> Result<(), Error> {
    at_least_0(format!("{field}.masked_lm_loss"), of_run.masked_lm_loss.unwrap_or(0.0))?;
    once(&format!("{field}.kinds"), of_run.kinds.iter().map(|kind| &kind.kind))?;
    for kind in &of_run.kinds {
        let field = |what: &str| format!("{field}.kinds.{}.{what}", kind.kind);
        share(field("share"), Some(kind.share))?;
        share(field("recall"), kind.recall)?;
        share(field("auc"), kind.auc)?;
    }
    if let Some(all) = of_run.detection {
        for (what, found) in [
            ("recall", all.recall),
            ("auc", all.auc),
            ("false_alarms", all.false_alarms),
            ("masked_auc", all.masked_auc),
            ("class_auc", all.class_auc),
        ] {
            share(format!("{field}.detection.{what}"), found)?;
        }
    }
    Ok(())
}

fn check_checkpoint(field: &str, checkpoint: &CheckpointFacts, tasks: &[TaskFacts]) -> Result<(), Error> {
    if !(checkpoint.share > 0.0 && checkpoint.share <= 1.0 + END) {
        let expected = "above 0 and at most 1";
        return Err(Error::Value { field: format!("{field}.share"), found: checkpoint.share, expected });
    }
    at_least_0(format!("{field}.flops_paper"), checkpoint.flops_paper)?;
    at_least_0(format!("{field}.flops_executed"), checkpoint.flops_executed)?;
    let name = |task: &str, seed| format!("{task}, fine-tuning seed {seed}");
    once(
        &format!("{field}.scores"),
        checkpoint.scores.iter().map(|score| name(&score.task, score.finetune_seed)),
    )?;
    for (index, score) in checkpoint.scores.iter().enumerate() {
        let field = format!("{field}.scores[{index}]");
        let Some(task) = tasks.iter().find(|task| task.name == score.task) else {
            let known = tasks.iter().map(|task| task.name.clone()).collect();
            return Err(Error::Unknown { field: format!("{field}.task"), name: score.task.clone(), known });
        };
        if !(-1.0..=1.0).contains(&score.score) {
            let expected = "a share from -1 to 1, not times 100";
            return Err(Error::Value { field: format!("{field}.score"), found: score.score, expected });
        }
        for (metric, value) in &score.metrics {
            finite(format!("{field}.metrics.{metric}"), *value)?;
        }
        if let Some(predictions) = &score.predictions {
            check_predictions(format!("{field}.predictions"), predictions, task)?;
        }
    }
    Ok(())
}

fn check_predictions(field: String, predictions: &Predictions, task: &TaskFacts) -> Result<(), Error> {
    let (labels, predicted, finite) = match predictions {
        Predictions::Classes { labels, predictions } => (labels.len(), predictions.len(), true),
        Predictions::Values { labels, predictions } => {
            (labels.len(), predictions.len(), labels.iter().chain(predictions).all(|value| value.is_finite()))
        }
        Predictions::Scores(scores) => {
            (scores.len(), scores.len(), scores.iter().all(|score| score.is_finite()))
        }
    };
    if labels != predicted || labels == 0 {
        let what = format!(
            "{labels} labels and {predicted} predictions; expected one of each for every example of {}",
            task.name,
        );
        return Err(Error::Predictions { field, what });
    }
    if finite { Ok(()) } else { Err(Error::Predictions { field, what: "not all are numbers".into() }) }
}

/// How far from 1 a share may be and still be the end.
const END: f64 = 1e-9;

/// Whether this is the end of the budget.
pub(crate) fn at_end(checkpoint: &CheckpointFacts) -> bool {
    checkpoint.share >= 1.0 - END
}

fn once(field: &str, names: impl Iterator<Item = impl AsRef<str>>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for name in names {
        let name = name.as_ref();
        if !seen.insert(name.to_owned()) {
            return Err(Error::Twice { field: field.into(), name: name.into() });
        }
    }
    Ok(())
}

fn known(field: &str, name: &str, arms: &[ArmFacts]) -> Result<(), Error> {
    if arms.iter().any(|arm| arm.name == name) {
        return Ok(());
    }
    let known = arms.iter().map(|arm| arm.name.clone()).collect();
    Err(Error::Unknown { field: field.into(), name: name.into(), known })
}

fn share(field: String, found: Option<f64>) -> Result<(), Error> {
    match found {
        Some(found) if !(0.0..=1.0).contains(&found) => {
            Err(Error::Value { field, found, expected: "a share from 0 to 1" })
        }
        _ => Ok(()),
    }
}

fn finite(field: String, found: f64) -> Result<(), Error> {
    if found.is_finite() { Ok(()) } else { Err(Error::Value { field, found, expected: "a number" }) }
}

fn at_least_0(field: String, found: f64) -> Result<(), Error> {
    if found.is_finite() && found >= 0.0 {
        return Ok(());
    }
    Err(Error::Value { field, found, expected: "a number of at least 0" })
}
