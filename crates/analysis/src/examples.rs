//! The chance of test examples, where all runs share one test set: the examples are drawn anew, the runs are held,
//! and the scatter of the arms' means is what another test set would have done.
//!
//! Runs are not drawn: their noise is estimated from their scores, which is right for few of them. Drawing both at
//! once (Sellam et al. 2022, arXiv 2106.16163) gives intervals that are too narrow by √((n − 1)/n) in the part of n
//! runs.

use std::collections::BTreeMap;

use electra_metrics::{Metric, f1, macro_f1, matthews, pearson, spearman};
use rayon::prelude::*;

use crate::draws::Draws;
use crate::error::Error;
use crate::findings::{AnalysisConfig, TestSets};
use crate::measurements::{CheckpointFacts, Measurements, Predictions, RunFacts, TaskFacts};
use crate::scores::median;

/// How far a score may be from what its predictions give: files round.
const ROUNDING: f64 = 1e-3;

/// Every run's score on each task in every draw of test examples.
pub(crate) struct Resampled<'a> {
    /// By arm and seed, then by task: the score in each draw, a share. Without predictions there is none.
    scores: BTreeMap<(&'a str, u64), BTreeMap<&'a str, Vec<f64>>>,
}

impl<'a> Resampled<'a> {
    /// Checks the predictions that there are of these tasks, and scores them on other examples if all runs share
    /// a test set.
    ///
    /// # Errors
    /// [`Error::Predictions`] if predictions do not give the score beside them, [`Error::Metrics`].
    pub(crate) fn new(
        measurements: &'a Measurements,
        tasks: &[&str],
        test_sets: TestSets,
        config: &AnalysisConfig,
    ) -> Result<Self, Error> {
        let tasks: Vec<&TaskFacts> =
            measurements.tasks.iter().filter(|task| tasks.contains(&task.name.as_str())).collect();
        let mut parts = Vec::new();
        for run in &measurements.runs {
            for (index, task) in tasks.iter().enumerate() {
                if let Some(predicted) = run.end().and_then(|end| predicted(end, task)) {
                    check(run, &predicted, task)?;
                    parts.push((run, index, predicted));
                }
            }
        }
        let units: Vec<Option<Units>> = tasks
            .iter()
            .enumerate()
            .map(|(index, task)| {
                let part = parts.iter().find(|(_, other, _)| *other == index)?;
                Some(Units::new(task, part.2[0].0.examples()))
            })
            .collect();
        let draws =
            if parts.is_empty() || test_sets == TestSets::OnePerLanguage { 0 } else { config.draws as u64 };
        let draws: Vec<Vec<f64>> = (0..draws)
            .into_par_iter()
            .map(|draw| {
                let drawn = |(index, units): (usize, &Option<Units>)| {
                    let random = Draws::new(&[config.seed, 1, draw, index as u64]);
                    units.as_ref().map_or_else(Vec::new, |units| units.draw(random))
                };
                let examples: Vec<Vec<usize>> = units.iter().enumerate().map(drawn).collect();
                let score = |(_, index, predicted): &(_, usize, Predicted<'_>)| {
                    score_of(predicted, tasks[*index], &examples[*index])
                };
                parts.iter().map(score).collect()
            })
            .collect::<Result<_, _>>()?;
        let mut scores: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (part, (run, index, _)) in parts.iter().enumerate().filter(|_| !draws.is_empty()) {
            let of_part = draws.iter().map(|draw| draw[part]).collect();
            let of_run = scores.entry((run.arm.as_str(), run.seed)).or_default();
            of_run.insert(tasks[*index].name.as_str(), of_part);
        }
        Ok(Self { scores })
    }

    /// How the mean of these tasks and runs moves with the examples; none if a run lacks predictions of any of the
    /// tasks.
    pub(crate) fn movement(&self, runs: &[(&str, u64)], tasks: &[&str]) -> Option<Movement> {
        let (n, share) = (runs.len() as f64, 100.0 / tasks.len() as f64);
        let (mut sum, mut of_runs): (Vec<f64>, f64) = (Vec::new(), 0.0);
        for run in runs {
            let of_run = self.scores.get(run)?;
            let mut score: Vec<f64> = Vec::new();
            for task in tasks {
                let of_task = of_run.get(task)?;
                score.resize(of_task.len(), 0.0);
                score.iter_mut().zip(of_task).for_each(|(score, of_task)| *score += share * of_task);
            }
            sum.resize(score.len(), 0.0);
            sum.iter_mut().zip(&score).for_each(|(sum, score)| *sum += score / n);
            of_runs += variance(&centred(score));
        }
        let deviations = centred(sum);
        // Σ over pairs of different runs is n² times the variance of their mean, less that of each run with itself.
        let all = variance(&deviations);
        let of_pairs = if runs.len() > 1 { (n * n * all - of_runs) / (n * (n - 1.0)) } else { all };
        (!deviations.is_empty()).then_some(Movement { own: (all - of_pairs).max(0.0), deviations })
    }
}

/// How an arm's mean moves with the draw of examples.
pub(crate) struct Movement {
    /// In each draw, how far it is from its mean over all draws.
    pub(crate) deviations: Vec<f64>,
    /// The part of its variance that is each run's own: another run of the arm does not share it. The noise between
    /// runs has that part already.
    own: f64,
}

impl Movement {
    /// The variance of the arm's mean that its runs share.
    pub(crate) fn variance(&self) -> f64 {
        (variance(&self.deviations) - self.own).max(0.0)
    }

    /// The same of a difference: both arms see the same examples in each draw.
    pub(crate) fn variance_of_difference(&self, other: &Self) -> f64 {
        let differences: Vec<f64> =
            self.deviations.iter().zip(&other.deviations).map(|(a, b)| a - b).collect();
        (variance(&differences) - self.own - other.own).max(0.0)
    }
}

fn centred(values: Vec<f64>) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.into_iter().map(|value| value - mean).collect()
}

/// Of deviations from their mean.
fn variance(deviations: &[f64]) -> f64 {
    deviations.iter().map(|deviation| deviation.powi(2)).sum::<f64>()
        / (deviations.len() as f64 - 1.0).max(1.0)
}

/// Examples that are drawn together.
struct Units(Vec<Vec<usize>>);

impl Units {
    fn new(task: &TaskFacts, examples: usize) -> Self {
        let Some(numbers) = &task.units else {
            return Self((0..examples).map(|example| vec![example]).collect());
        };
        let mut units: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (example, unit) in numbers.iter().enumerate() {
            units.entry(*unit).or_default().push(example);
        }
        Self(units.into_values().collect())
    }

    /// As many units as there are, with repetitions.
    fn draw(&self, mut random: Draws) -> Vec<usize> {
        let units = random.many(self.0.len(), self.0.len());
        units.into_iter().flat_map(|unit| self.0[unit].iter().copied()).collect()
    }
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
    for (predictions, score) in predicted {
        let all: Vec<usize> = (0..predictions.examples()).collect();
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
        (Predictions::Classes { labels, predictions }, Metric::MacroF1) => {
            macro_f1(&classes(predictions), &classes(labels))
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
