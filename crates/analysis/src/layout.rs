//! How scores scatter, and the noise of a difference of two arms.
//!
//! A study with one test set is a one-way layout: score = arm + run. The variance of runs is each arm's own (Welch
//! 1947). A study with a language for each seed has languages as blocks: score = arm + language + run, see
//! [`Mixed`]. In both, several runs of an arm on one language count once, as their mean: what is generalised to is
//! languages.

use std::collections::BTreeMap;

use crate::mixed::Mixed;

/// A run's language, by its number, and its score.
pub(crate) type Scores = Vec<(usize, f64)>;

/// The scores of arms with their noise.
pub(crate) struct Layout {
    arms: Vec<Arm>,
    model: Model,
}

/// What languages do.
enum Model {
    /// Nothing: there is one test set, or the scores do not show it.
    OneWay,
    /// The same to all of several arms.
    Mixed(Box<Mixed>),
    /// The same to both of two arms: nothing but their differences within languages is free of it.
    Pair { first: usize, differences: Contrast, languages: f64 },
}

/// An arm by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arm {
    pub(crate) mean: f64,
    /// The variance of its scores; none with fewer than two.
    pub(crate) variance: Option<f64>,
    /// How many scores.
    pub(crate) count: usize,
}

/// A difference of two arms with the noise of runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Contrast {
    pub(crate) difference: f64,
    /// The variance of the difference.
    pub(crate) variance: f64,
    /// Degrees of freedom of that variance.
    pub(crate) degrees: f64,
    /// The standard deviation of a run, pooled over both arms.
    pub(crate) deviation: f64,
}

impl Layout {
    /// Of arms with one test set.
    pub(crate) fn one_way(scores: &[Scores], floor: f64) -> Self {
        let arms = scores.iter().map(|scores| arm(scores.iter().map(|(_, y)| *y), floor));
        Self { arms: arms.collect(), model: Model::OneWay }
    }

    /// Of arms with a language for each seed. No arm's variance is taken to be less than `floor`, which is that of
    /// rounding a score to whole examples.
    ///
    /// Two arms say too little of what languages do for it to be estimated: whoever takes the one-way layout where
    /// no effect of languages is seen errs too often there. They are compared within languages, always.
    pub(crate) fn blocks(scores: &[Scores], floor: f64) -> Self {
        let cells: Vec<Scores> = scores.iter().map(cells).collect();
        let one_way = Self::one_way(&cells, floor);
        let several: Vec<bool> = one_way.arms.iter().map(|arm| arm.variance.is_some()).collect();
        let indices: Vec<usize> = (0..cells.len()).filter(|index| several[*index]).collect();
        let model = match indices[..] {
            [first, second] => pair(&cells, (first, second), floor).unwrap_or(Model::OneWay),
            _ => Mixed::fit(&cells, &several, floor).map_or(Model::OneWay, |fit| Model::Mixed(Box::new(fit))),
        };
        Self { model, ..one_way }
    }

    pub(crate) fn arm(&self, index: usize) -> Arm {
        self.arms[index]
    }

    /// The standard deviation of languages; 0 where they make no difference that can be seen.
    pub(crate) fn language_deviation(&self) -> f64 {
        match &self.model {
            Model::OneWay => 0.0,
            Model::Mixed(mixed) => mixed.language_deviation(),
            Model::Pair { languages, .. } => *languages,
        }
    }

    /// The standard deviation of an arm's runs: on one language where several arms tell what languages do.
    pub(crate) fn run_deviation(&self, index: usize) -> Option<f64> {
        let variance = self.arms[index].variance;
        let of_runs = match &self.model {
            Model::OneWay => variance,
            Model::Mixed(mixed) => mixed.run_variance(index).or(variance),
            Model::Pair { differences, .. } => variance.map(|_| differences.deviation.powi(2)),
        };
        of_runs.map(f64::sqrt)
    }

    /// The difference `a − b`; needs two scores of each.
    pub(crate) fn contrast(&self, a: usize, b: usize) -> Option<Contrast> {
        let (of_a, of_b) = (self.run_deviation(a)?, self.run_deviation(b)?);
        let deviation = f64::midpoint(of_a.powi(2), of_b.powi(2)).sqrt();
        let contrast = match &self.model {
            Model::OneWay => welch(&self.arms[a], &self.arms[b])?,
            Model::Mixed(mixed) => mixed.contrast(a, b)?,
            Model::Pair { first, differences, .. } => {
                let sign = if a == *first { 1.0 } else { -1.0 };
                Contrast { difference: sign * differences.difference, ..*differences }
            }
        };
        Some(Contrast { deviation, ..contrast })
    }
}

/// Two arms by their differences within languages; needs two in common.
fn pair(cells: &[Scores], (first, second): (usize, usize), floor: f64) -> Option<Model> {
    let other =
        |language: usize| cells[second].iter().find(|(same, _)| *same == language).map(|(_, score)| *score);
    let both: Vec<(f64, f64)> =
        cells[first].iter().filter_map(|(language, score)| Some((*score, other(*language)?))).collect();
    let (differences, sums) = (
        arm(both.iter().map(|(a, b)| a - b), 2.0 * floor),
        arm(both.iter().map(|(a, b)| a + b), 2.0 * floor),
    );
    let (variance, of_sums) = (differences.variance?, sums.variance?);
    let contrast = Contrast {
        difference: differences.mean,
        variance: variance / differences.count as f64,
        degrees: (differences.count - 1) as f64,
        // A difference has the noise of two runs.
        deviation: (variance / 2.0).sqrt(),
    };
    // Var(a + b) − Var(a − b) = 4 Cov(a, b).
    Some(Model::Pair {
        first,
        differences: contrast,
        languages: ((of_sums - variance) / 4.0).max(0.0).sqrt(),
    })
}

/// Welch's (1947) variance of a difference of two means, with Satterthwaite's (1946) degrees of freedom.
fn welch(a: &Arm, b: &Arm) -> Option<Contrast> {
    let (of_a, of_b) = (a.variance? / a.count as f64, b.variance? / b.count as f64);
    let below = of_a.powi(2) / (a.count - 1) as f64 + of_b.powi(2) / (b.count - 1) as f64;
    Some(Contrast {
        difference: a.mean - b.mean,
        variance: of_a + of_b,
        degrees: (of_a + of_b).powi(2) / below,
        deviation: 0.0,
    })
}

fn arm(scores: impl Iterator<Item = f64>, floor: f64) -> Arm {
    let scores: Vec<f64> = scores.collect();
    let (count, n) = (scores.len(), scores.len() as f64);
    let mean = scores.iter().sum::<f64>() / n;
    let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
    Arm { mean, variance: (count > 1).then(|| (squares / (n - 1.0)).max(floor)), count }
}

/// An arm's mean on each of its languages.
fn cells(scores: &Scores) -> Scores {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (language, score) in scores {
        let sum = sums.entry(*language).or_default();
        *sum = (sum.0 + score, sum.1 + 1.0);
    }
    sums.into_iter().map(|(language, (sum, count))| (language, sum / count)).collect()
}
