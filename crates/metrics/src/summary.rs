//! A few numbers in place of many.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::each;

/// What a list of scores is like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many scores there are.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// Standard deviation with n − 1: of the scores that could have been, not of these alone. None for a single
    /// score, which says nothing of how others would be.
    pub standard_deviation: Option<f64>,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// Summarises scores.
///
/// # Errors
/// [`Error::Empty`], [`Error::Value`] for what is not finite.
pub fn summary(values: &[f64]) -> Result<Summary, Error> {
    if values.is_empty() {
        return Err(Error::Empty { what: "scores" });
    }
    each("scores", values, "a finite number", f64::is_finite)?;
    let n = values.len();
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Ok(Summary {
        n,
        mean,
        median: f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]),
        standard_deviation: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()),
        min: sorted[0],
        max: sorted[n - 1],
    })
}
