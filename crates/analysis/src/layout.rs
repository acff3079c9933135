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
    mixed: Option<Mixed>,
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
        Self {
            arms: scores.iter().map(|scores| arm(scores.iter().map(|(_, y)| *y), floor)).collect(),
            mixed: None,
        }
    }

    /// Of arms with a language for each seed. No arm's variance is taken to be less than `floor`, which is that of
    /// rounding a score to whole examples.
    pub(crate) fn blocks(scores: &[Scores], floor: f64) -> Self {
        let cells: Vec<Scores> = scores.iter().map(cells).collect();
        let one_way = Self::one_way(&cells, floor);
        let several: Vec<bool> = one_way.arms.iter().map(|arm| arm.variance.is_some()).collect();
        let mixed = Mixed::fit(&cells, &several, floor);
        Self { mixed, ..one_way }
    }

    pub(crate) fn arm(&self, index: usize) -> Arm {
        self.arms[index]
    }

    /// The standard deviation of languages; 0 where they make no difference that can be seen.
    pub(crate) fn language_deviation(&self) -> f64 {
        self.mixed.as_ref().map_or(0.0, Mixed::language_deviation)
    }

    /// The standard deviation of an arm's runs on one language.
    pub(crate) fn run_deviation(&self, index: usize) -> Option<f64> {
        let of_mixed = self.mixed.as_ref().and_then(|mixed| mixed.run_variance(index));
        of_mixed.or(self.arms[index].variance).map(f64::sqrt)
    }

    /// The difference `a − b`; needs two scores of each.
    pub(crate) fn contrast(&self, a: usize, b: usize) -> Option<Contrast> {
        let (of_a, of_b) = (self.run_deviation(a)?, self.run_deviation(b)?);
        let deviation = f64::midpoint(of_a.powi(2), of_b.powi(2)).sqrt();
        match &self.mixed {
            Some(mixed) => mixed.contrast(a, b).map(|contrast| Contrast { deviation, ..contrast }),
            None => welch(&self.arms[a], &self.arms[b]).map(|contrast| Contrast { deviation, ..contrast }),
        }
    }
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
