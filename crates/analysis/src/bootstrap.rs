//! The multi-bootstrap (Sellam et al. 2022, arXiv 2106.16163): pre-training seeds and test examples are
//! drawn anew, together, and what is of interest is computed of each draw. Examples are the same for all arms in a
//! draw, seeds are the same for both of a pair.

use std::collections::BTreeMap;

use electra_metrics::{Metric, f1, matthews, pearson, spearman};
use rayon::prelude::*;

use crate::draws::Draws;
use crate::error::Error;
use crate::findings::{AnalysisConfig, Range};
use crate::measurements::{CheckpointFacts, Measurements, Predictions, RunFacts, TaskFacts};
use crate::scores::{end, median};

/// How far a score may be from what its predictions give: files round.
const ROUNDING: f64 = 1e-3;

/// Every run's score on each task in every draw of test examples.
pub(crate) struct Resampled<'a> {
    config: &'a AnalysisConfig,
    /// By arm and seed, then by task: the score in each draw, a share. Without predictions there is none.
    scores: BTreeMap<(&'a str, u64), BTreeMap<&'a str, Vec<f64>>>,
}

impl<'a> Resampled<'a> {
    /// Scores the predictions that there are of these tasks.
    ///
    /// # Errors
    /// [`Error::Predictions`] if predictions do not give the score beside them, [`Error::Metrics`].
    pub(crate) fn new(
        measurements: &'a Measurements,
        tasks: &[&str],
        config: &'a AnalysisConfig,
    ) -> Result<Self, Error> {
        let tasks: Vec<&TaskFacts> =
            measurements.tasks.iter().filter(|task| tasks.contains(&task.name.as_str())).collect();
        let mut parts = Vec::new();
        for run in &measurements.runs {
            for (index, task) in tasks.iter().enumerate() {
                if let Some(predicted) = end(run).and_then(|end| predicted(end, task)) {
                    check(run, &predicted, task)?;
                    parts.push((run, index, predicted));
                }
            }
        }
        let draws = if parts.is_empty() { 0 } else { config.draws as u64 };
        let draws: Vec<Vec<f64>> = (0..draws)
            .into_par_iter()
            .map(|draw| {
                let of_task = |(index, task): (usize, &&TaskFacts)| {
                    Draws::new(&[config.seed, 1, draw, index as u64]).many(task.examples, task.examples)
                };
                let examples: Vec<Vec<usize>> = tasks.iter().enumerate().map(of_task).collect();
                let score = |(_, index, predicted): &(_, usize, Predicted<'_>)| {
                    score_of(predicted, tasks[*index], &examples[*index])
                };
                parts.iter().map(score).collect()
            })
            .collect::<Result<_, _>>()?;
        let mut scores: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (part, (run, index, _)) in parts.iter().enumerate() {
            let of_part = draws.iter().map(|draw| draw[part]).collect();
            let of_run = scores.entry((run.arm.as_str(), run.seed)).or_default();
            of_run.insert(tasks[*index].name.as_str(), of_part);
        }
        Ok(Self { config, scores })
    }

    /// The mean of these tasks × 100, of the runs that have predictions of all of them.
    pub(crate) fn mean_of(&self, tasks: &[&str]) -> Bootstrap<'a> {
        let mut scores: BTreeMap<&str, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
        for ((arm, seed), of_run) in &self.scores {
            let of_tasks: Option<Vec<&Vec<f64>>> = tasks.iter().map(|task| of_run.get(*task)).collect();
            if let Some(of_tasks) = of_tasks {
                let mean = |draw: usize| {
                    100.0 * of_tasks.iter().map(|scores| scores[draw]).sum::<f64>() / tasks.len() as f64
                };
                let draws = of_tasks.first().map_or(0, |scores| scores.len());
                scores.entry(*arm).or_default().insert(*seed, (0..draws).map(mean).collect());
            }
        }
        Bootstrap { config: self.config, scores }
    }
}

/// Every run's score in every draw of test examples, be it of one task or the mean of several.
pub(crate) struct Bootstrap<'a> {
    config: &'a AnalysisConfig,
    /// By arm, then by seed: the score in each draw.
    scores: BTreeMap<&'a str, BTreeMap<u64, Vec<f64>>>,
}

impl Bootstrap<'_> {
    /// The interval of an arm's mean over these seeds, if each of them has predictions, and there are two.
    pub(crate) fn arm(&self, arm: &str, seeds: &[u64]) -> Option<Range> {
        let of_seeds = self.of_seeds(arm, seeds)?;
        self.interval(|draw| mean(&of_seeds, draw, &self.seeds(draw, 1, seeds.len())))
    }

    /// The interval of `a − b` over seeds that both have.
    pub(crate) fn paired(&self, a: &str, b: &str, seeds: &[u64]) -> Option<Range> {
        let (a, b) = (self.of_seeds(a, seeds)?, self.of_seeds(b, seeds)?);
        self.interval(|draw| {
            let drawn = self.seeds(draw, 1, seeds.len());
            mean(&a, draw, &drawn) - mean(&b, draw, &drawn)
        })
    }

    /// The interval of `a − b` over seeds that have nothing to do with each other.
    pub(crate) fn unpaired(&self, (a, of_a): (&str, &[u64]), (b, of_b): (&str, &[u64])) -> Option<Range> {
        let (a, b) = (self.of_seeds(a, of_a)?, self.of_seeds(b, of_b)?);
        self.interval(|draw| {
            mean(&a, draw, &self.seeds(draw, 1, of_a.len()))
                - mean(&b, draw, &self.seeds(draw, 2, of_b.len()))
        })
    }

    fn of_seeds(&self, arm: &str, seeds: &[u64]) -> Option<Vec<&[f64]>> {
        let runs = self.scores.get(arm)?;
        let of_seeds: Option<Vec<&[f64]>> =
            seeds.iter().map(|seed| runs.get(seed).map(Vec::as_slice)).collect();
        of_seeds.filter(|of_seeds| of_seeds.len() > 1)
    }

    fn seeds(&self, draw: usize, side: u64, count: usize) -> Vec<usize> {
        Draws::new(&[self.config.seed, 2, draw as u64, side]).many(count, count)
    }

    /// The middle of the draws.
    fn interval(&self, of_draw: impl Fn(usize) -> f64) -> Option<Range> {
        let mut values: Vec<f64> = (0..self.config.draws).map(of_draw).collect();
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)? as f64;
        let quantile = |share: f64| {
            let place = share * last;
            let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
            low + (high - low) * place.fract()
        };
        let tail = (1.0 - self.config.level) / 2.0;
        Some(Range { low: quantile(tail), high: quantile(1.0 - tail) })
    }
}

fn mean(of_seeds: &[&[f64]], draw: usize, drawn: &[usize]) -> f64 {
    drawn.iter().map(|seed| of_seeds[*seed][draw]).sum::<f64>() / drawn.len() as f64
}

/// By fine-tuning: the predictions, and the score beside them.
type Predicted<'a> = Vec<(&'a Predictions, f64)>;

/// None if any fine-tuning is without predictions.
fn predicted<'a>(end: &'a CheckpointFacts, task: &TaskFacts) -> Option<Predicted<'a>> {
    let scores = end.scores.iter().filter(|score| score.task == task.name);
    let predictions: Option<Predicted<'_>> =
        scores.map(|score| Some((score.predictions.as_ref()?, score.score))).collect();
    predictions.filter(|predictions| !predictions.is_empty())
}

fn check(run: &RunFacts, predicted: &Predicted<'_>, task: &TaskFacts) -> Result<(), Error> {
    let all: Vec<usize> = (0..task.examples).collect();
    for (predictions, score) in predicted {
        let found = metric(task, predictions, &all)?;
        if (found - score).abs() > ROUNDING {
            let field = format!("{}, seed {}: predictions of {}", run.arm, run.seed, task.name);
            let what =
                format!("they give {} {found}; expected the score beside them, {score}", task.metric.name());
            return Err(Error::Predictions { field, what });
        }
    }
    Ok(())
}

/// The task's score on the examples drawn: the median over fine-tunings.
fn score_of(predicted: &Predicted<'_>, task: &TaskFacts, examples: &[usize]) -> Result<f64, Error> {
    let mut scores = Vec::with_capacity(predicted.len());
    for (predictions, _) in predicted {
        scores.push(metric(task, predictions, examples)?);
    }
    Ok(median(&mut scores))
}

fn metric(task: &TaskFacts, predictions: &Predictions, examples: &[usize]) -> Result<f64, Error> {
    let classes = |all: &[u32]| examples.iter().map(|example| all[*example] as usize).collect::<Vec<_>>();
    let values = |all: &[f64]| examples.iter().map(|example| all[*example]).collect::<Vec<_>>();
    let computed = match (predictions, task.metric) {
        (Predictions::Classes { labels, predictions }, Metric::Accuracy) => {
            let right = examples.iter().filter(|example| labels[**example] == predictions[**example]).count();
            return Ok(right as f64 / examples.len() as f64);
        }
        (Predictions::Scores(scores), _) => {
            return Ok(values(scores).iter().sum::<f64>() / examples.len() as f64);
        }
        (Predictions::Classes { labels, predictions }, Metric::F1) => {
            f1(&classes(predictions), &classes(labels), task.positive as usize)
        }
        (Predictions::Classes { labels, predictions }, Metric::Matthews) => {
            matthews(&classes(predictions), &classes(labels))
        }
        (Predictions::Values { labels, predictions }, Metric::Pearson) => {
            pearson(&values(predictions), &values(labels))
        }
        (Predictions::Values { labels, predictions }, Metric::Spearman) => {
            spearman(&values(predictions), &values(labels))
        }
        _ => {
            let what = format!("they are not of the kind that {} is computed from", task.metric.name());
            return Err(Error::Predictions { field: format!("predictions of {}", task.name), what });
        }
    };
    computed.map_err(|source| Error::Metrics { field: format!("predictions of {}", task.name), source })
}
