//! Scores of predicted classes.

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::error::same_length;

/// The share of predictions that are right.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`].
pub fn accuracy(predictions: &[usize], labels: &[usize]) -> Result<f64, Error> {
    check(predictions, labels)?;
    Ok(right(predictions, labels) as f64 / labels.len() as f64)
}

/// The harmonic mean of precision and recall of the class `positive`: 2 TP / (2 TP + FP + FN) (van Rijsbergen 1979).
///
/// 0 if no prediction of the class is right, also where it is neither predicted nor a label: as scikit-learn with
/// `zero_division=0`.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`].
pub fn f1(predictions: &[usize], labels: &[usize], positive: usize) -> Result<f64, Error> {
    check(predictions, labels)?;
    let (mut both, mut either) = (0_u64, 0_u64);
    for (prediction, label) in predictions.iter().zip(labels) {
        let (predicted, expected) = (*prediction == positive, *label == positive);
        both += u64::from(predicted && expected);
        either += u64::from(predicted) + u64::from(expected);
    }
    Ok(if both == 0 { 0.0 } else { 2.0 * both as f64 / either as f64 })
}

/// The mean of [`f1`] over the classes that are a label or predicted, each counting alike.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`].
pub fn macro_f1(predictions: &[usize], labels: &[usize]) -> Result<f64, Error> {
    check(predictions, labels)?;
    let classes: BTreeSet<usize> = predictions.iter().chain(labels).copied().collect();
    let mut sum = 0.0;
    for class in &classes {
        sum += f1(predictions, labels, *class)?;
    }
    Ok(sum / classes.len() as f64)
}

/// Matthews's correlation of two classifications (1975), for any number of classes (Gorodkin 2004).
///
/// With s examples, c of them right, and class k predicted p(k) times and a label t(k) times:
/// (c s − Σ p t) / √((s² − Σ p²) (s² − Σ t²)).
///
/// 0 if all predictions, or all labels, are the same class, as scikit-learn has it, which GLUE's numbers come from:
/// such predictions tell nothing about the labels.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`].
pub fn matthews(predictions: &[usize], labels: &[usize]) -> Result<f64, Error> {
    check(predictions, labels)?;
    let mut counts: BTreeMap<usize, (i128, i128)> = BTreeMap::new();
    for (prediction, label) in predictions.iter().zip(labels) {
        counts.entry(*prediction).or_default().0 += 1;
        counts.entry(*label).or_default().1 += 1;
    }
    // Whole numbers, so that "no variance" is 0 and not nearly so.
    let sum = |term: fn(&(i128, i128)) -> i128| counts.values().map(term).sum::<i128>();
    let all = labels.len() as i128;
    let both = right(predictions, labels) as i128 * all - sum(|(p, t)| p * t);
    let of_predictions = all * all - sum(|(p, _)| p * p);
    let of_labels = all * all - sum(|(_, t)| t * t);
    if of_predictions == 0 || of_labels == 0 {
        return Ok(0.0);
    }
    let correlation = both as f64 / ((of_predictions as f64).sqrt() * (of_labels as f64).sqrt());
    Ok(correlation.clamp(-1.0, 1.0))
}

fn right(predictions: &[usize], labels: &[usize]) -> usize {
    predictions.iter().zip(labels).filter(|(prediction, label)| prediction == label).count()
}

fn check(predictions: &[usize], labels: &[usize]) -> Result<(), Error> {
    same_length((predictions.len(), "predictions"), (labels.len(), "labels"))
}
