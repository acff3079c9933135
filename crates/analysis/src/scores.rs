//! From fine-tunings to the scores of runs, and from those to estimates.

use std::collections::BTreeMap;

use statrs::distribution::ContinuousCDF;

use crate::check::at_end;
use crate::findings::{Estimate, Range, SeedScore};
use crate::measurements::{CheckpointFacts, RunFacts, Schedule};
use crate::verdict::{mean_and_variance, student};

/// The state at the end of the budget.
pub(crate) fn end(run: &RunFacts) -> Option<&CheckpointFacts> {
    run.checkpoints.iter().find(|checkpoint| at_end(checkpoint))
}

/// Each task's score × 100 at a checkpoint: the median over fine-tuning seeds (paper, §3.1: "the median of 10
/// fine-tuning runs from the same pre-trained checkpoint").
pub(crate) fn of_tasks(checkpoint: &CheckpointFacts) -> BTreeMap<String, f64> {
    let mut scores: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for score in &checkpoint.scores {
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

/// The scores of an arm's complete runs, by seed.
pub(crate) fn of_seeds<'a>(runs: impl Iterator<Item = &'a RunFacts>, tasks: &[&str]) -> Vec<SeedScore> {
    let mut seeds: Vec<SeedScore> = runs
        .filter_map(|run| {
            let scores = of_tasks(end(run)?);
            Some(SeedScore { seed: run.seed, score: mean_of_tasks(&scores, tasks)?, tasks: scores })
        })
        .collect();
    seeds.sort_unstable_by_key(|seed| seed.seed);
    seeds
}

/// A mean over seeds with Student's interval; of nothing, none.
pub(crate) fn estimate(values: &[f64], level: f64) -> Option<Estimate> {
    let n = values.len() as f64;
    let spread = mean_and_variance(values);
    let mean = values.iter().sum::<f64>() / n;
    (!values.is_empty()).then(|| Estimate {
        seeds: values.len(),
        mean,
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        standard_deviation: spread.map(|(_, variance)| variance.sqrt()),
        interval: spread.map(|(mean, variance)| {
            let half = student(n - 1.0).inverse_cdf(0.5 + level / 2.0) * (variance / n).sqrt();
            Range { low: mean - half, high: mean + half }
        }),
        bootstrap: None,
    })
}

/// The schedules a checkpoint belongs to: the end of the budget is on both curves.
pub(crate) fn is_on(checkpoint: &CheckpointFacts, schedule: Schedule) -> bool {
    checkpoint.schedule == schedule || at_end(checkpoint)
}
