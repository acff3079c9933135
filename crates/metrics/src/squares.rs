//! How far predicted numbers are from the right ones.

use crate::Error;
use crate::error::{each, same_length};

/// The mean of the squared differences, in the square of the labels' unit. Less is better, and there is no worst.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`], [`Error::Value`] for what is not finite, a square among it.
pub fn mean_squared_error(predictions: &[f64], labels: &[f64]) -> Result<f64, Error> {
    same_length((predictions.len(), "predictions"), (labels.len(), "labels"))?;
    for (what, values) in [("predictions", predictions), ("labels", labels)] {
        each(what, values, "a finite number", f64::is_finite)?;
    }
    let squares: Vec<f64> = predictions.iter().zip(labels).map(|(p, l)| (p - l).powi(2)).collect();
    each("squared errors", &squares, "a finite number", f64::is_finite)?;
    // Divided before they are added: the sum of what is finite need not be.
    let count = squares.len() as f64;
    Ok(squares.iter().map(|square| square / count).sum())
}
