//! Numbers at random, and what made-up predictions score.

use std::f64::consts::TAU;

use electra_analysis::Predictions;
use electra_metrics::{Metric, accuracy, f1, matthews, spearman};

/// `SplitMix64` (Steele, Lea and Flood 2014), keyed by words.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(words: &[u64]) -> Self {
        let mut random = Self(0);
        for word in words {
            random.0 ^= *word;
            random.0 = random.next();
        }
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform from 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal by Box and Muller (1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}

/// The metric of predictions.
pub(crate) fn score(metric: Metric, predictions: &Predictions) -> f64 {
    let wide = |values: &[u32]| values.iter().map(|value| *value as usize).collect::<Vec<_>>();
    match predictions {
        Predictions::Classes { labels, predictions } => {
            let (labels, predictions) = (wide(labels), wide(predictions));
            match metric {
                Metric::F1 => f1(&predictions, &labels, 1),
                Metric::Matthews => matthews(&predictions, &labels),
                _ => accuracy(&predictions, &labels),
            }
        }
        Predictions::Values { labels, predictions } => spearman(predictions, labels),
        Predictions::Scores(scores) => Ok(scores.iter().sum::<f64>() / scores.len() as f64),
    }
    .expect("made-up predictions have examples")
}
