//! Correlations of two lists of numbers.

use crate::Error;
use crate::error::{each, same_length};
use crate::rank::ranks;

/// Pearson's linear correlation.
///
/// 0 if one of the lists is constant, where the formula is 0/0 (scipy: NaN): a model that gives the same number for
/// everything has learnt nothing of what it was asked, and its score has to be a number that can be averaged.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`], [`Error::Value`] for what is not finite.
pub fn pearson(x: &[f64], y: &[f64]) -> Result<f64, Error> {
    same_length((x.len(), "numbers"), (y.len(), "numbers to compare them with"))?;
    for (what, values) in [("first list", x), ("second list", y)] {
        each(what, values, "a finite number", f64::is_finite)?;
    }
    Ok(match (direction(x), direction(y)) {
        (Some(x), Some(y)) => x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0),
        _ => 0.0,
    })
}

/// Spearman's correlation of ranks, which is Pearson's of the ranks; what ties has the mean of its ranks.
///
/// 0 if one of the lists is constant, as with [`pearson`]. Infinities have ranks, too.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`], [`Error::Value`] for NaN.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64, Error> {
    same_length((x.len(), "numbers"), (y.len(), "numbers to compare them with"))?;
    pearson(&ranks("first list", x)?, &ranks("second list", y)?)
}

/// The deviations from the mean, of length 1; none if there are none.
fn direction(values: &[f64]) -> Option<Vec<f64>> {
    // Scaled, so that no square is too great or too small for a float, and so that equal numbers are ones, whose mean
    // is exactly 1: the mean of equal numbers need not be that number when rounded.
    let scaled = scale(values.to_vec())?;
    let mean = scaled.iter().sum::<f64>() / scaled.len() as f64;
    let centred = scale(scaled.iter().map(|value| value - mean).collect())?;
    let length = centred.iter().map(|value| value * value).sum::<f64>().sqrt();
    Some(centred.iter().map(|value| value / length).collect())
}

/// Divided by the greatest of them.
fn scale(mut values: Vec<f64>) -> Option<Vec<f64>> {
    let greatest = values.iter().fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
    for value in &mut values {
        *value /= greatest;
    }
    (greatest > 0.0).then_some(values)
}
