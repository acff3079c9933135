//! From fine-tunings to the scores of runs, and from those to estimates.

use std::collections::BTreeMap;

use statrs::distribution::ContinuousCDF;

use crate::check::at_end;
use crate::findings::{Estimate, Range, SeedScore};
use crate::measurements::{CheckpointFacts, RunFacts, Schedule, TaskFacts, TaskScore};
use crate::take_off::{Threshold, took_off};
use crate::verdict::student;

/// Each task's score × 100 at a checkpoint: the median over fine-tuning seeds (paper, §3.1: "the median of 10
/// fine-tuning runs from the same pre-trained checkpoint").
pub(crate) fn of_tasks(checkpoint: &CheckpointFacts) -> BTreeMap<String, f64> {
    by_task(&checkpoint.scores)
}

/// The same of any scores.
pub(crate) fn by_task(all: &[TaskScore]) -> BTreeMap<String, f64> {
    let mut scores: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for score in all {
        scores.entry(score.task.clone()).or_default().push(100.0 * score.score);
    }
    scores.into_iter().map(|(task, mut scores)| (task, median(&mut scores))).collect()
}

/// The middle one, or the mean of the two in the middle. Not of nothing.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    f64::midpoint(low, high)
}

/// The plain mean of the tasks, if all of them are there.
pub(crate) fn mean_of_tasks(scores: &BTreeMap<String, f64>, tasks: &[&str]) -> Option<f64> {
    let of_each: Option<Vec<f64>> = tasks.iter().map(|task| scores.get(*task).copied()).collect();
    of_each.filter(|scores| !scores.is_empty()).map(|scores| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// The scores of complete runs, by arm and seed, on some of the tasks.
pub(crate) fn of_seeds(runs: &[&RunFacts], tasks: &[&TaskFacts], take_off: &[Threshold]) -> Vec<SeedScore> {
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let mut seeds: Vec<SeedScore> = runs
        .iter()
        .filter_map(|run| {
            let scores = of_tasks(run.end()?);
            Some(SeedScore {
                arm: run.arm.clone(),
                seed: run.seed,
                test_sets: run.test_sets.clone(),
                score: mean_of_tasks(&scores, &names)?,
                above_chance: above_chance(&scores, tasks),
                took_off: took_off(run, take_off),
                tasks: scores,
            })
        })
        .collect();
    // An arm's own runs first, then those of its controls.
    seeds.sort_by_key(|seed| seed.seed);
    seeds.sort_by_key(|seed| runs.iter().position(|run| run.arm == seed.arm));
    seeds
}

/// The mean of the tasks as they are above chance, × 100: (score − chance) / (1 − chance).
fn above_chance(scores: &BTreeMap<String, f64>, tasks: &[&TaskFacts]) -> Option<f64> {
    let normalised = |task: &&TaskFacts| {
        let chance = task.chance.filter(|chance| *chance < 1.0)?;
        Some((scores.get(&task.name)? - 100.0 * chance) / (1.0 - chance))
    };
    let normalised: Option<Vec<f64>> = tasks.iter().map(normalised).collect();
    normalised.map(|scores| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// A mean over runs with Student's interval; of nothing, none.
pub(crate) fn estimate(values: &[f64], level: f64) -> Option<Estimate> {
    estimate_with(values, None, level)
}

/// The same, with the variance of the mean that comes from the choice of test examples.
pub(crate) fn estimate_with(values: &[f64], examples: Option<f64>, level: f64) -> Option<Estimate> {
    let n = values.len() as f64;
    let spread = mean_and_variance(values);
    let mean = values.iter().sum::<f64>() / n;
    (!values.is_empty()).then(|| Estimate {
        runs: values.len(),
        mean,
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        standard_deviation: spread.map(|(_, variance)| variance.sqrt()),
        interval: spread.map(|(mean, variance)| {
            let (of_runs, of_examples) = (variance / n, examples.unwrap_or(0.0));
            let all = of_runs + of_examples;
            let degrees = if of_runs > 0.0 { (n - 1.0) * (all / of_runs).powi(2) } else { n - 1.0 };
            let half = student(degrees).inverse_cdf(0.5 + level / 2.0) * all.sqrt();
            Range { low: mean - half, high: mean + half }
        }),
        examples: examples.map(f64::sqrt),
    })
}

/// The mean and the variance (n − 1) of at least two numbers.
fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    Some((mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)))
}

/// The variance of a mean of tasks that comes from rounding each score to whole examples: a step of 100/n has the
/// variance step²/12. Scores that happen to be equal are no surer than that.
pub(crate) fn rounding(tasks: &[&TaskFacts]) -> f64 {
    let step = |task: &&TaskFacts| 100.0 / task.examples.max(1) as f64;
    tasks.iter().map(|task| step(task).powi(2) / 12.0).sum::<f64>() / (tasks.len() as f64).powi(2)
}

/// The schedules a checkpoint belongs to: the end of the budget is on both curves.
pub(crate) fn is_on(checkpoint: &CheckpointFacts, schedule: Schedule) -> bool {
    checkpoint.schedule == schedule || at_end(checkpoint)
}
