//! Scores where an example may have several labels, one or none.
//!
//! Predictions and labels are scikit-learn's indicator matrices: a row for each example, and in it for each label whether
//! the example has it. Every function returns [`Error::Empty`] where there is no example or no label and
//! [`Error::Lengths`] where predictions and labels are not of one shape.

use crate::Error;
use crate::error::same_length;

/// The share of examples whose labels are all predicted and no others: scikit-learn's `accuracy_score`, also called
/// subset accuracy and exact match ratio.
///
/// # Errors
/// As the module says.
pub fn accuracy(predictions: &[Vec<bool>], labels: &[Vec<bool>]) -> Result<f64, Error> {
    shape(predictions, labels)?;
    let right = predictions.iter().zip(labels).filter(|(predicted, expected)| predicted == expected);
    Ok(right.count() as f64 / labels.len() as f64)
}

/// F1 of all decisions together: 2 TP / (2 TP + FP + FN) over every label of every example. 0 if nothing is predicted
/// rightly, also where nothing is to be: as scikit-learn with `zero_division=0`.
///
/// # Errors
/// As the module says.
pub fn micro_f1(predictions: &[Vec<bool>], labels: &[Vec<bool>]) -> Result<f64, Error> {
    shape(predictions, labels)?;
    let mut all = Counts::default();
    for (predicted, expected) in predictions.iter().zip(labels) {
        all.add_row(predicted, expected);
    }
    Ok(all.f1())
}

/// The mean of the F1 of each label, all counting alike. A label that is never predicted rightly has 0, also one that no
/// example has: as scikit-learn with `zero_division=0`.
///
/// # Errors
/// As the module says.
pub fn macro_f1(predictions: &[Vec<bool>], labels: &[Vec<bool>]) -> Result<f64, Error> {
    let count = shape(predictions, labels)?;
    let mut of_labels = vec![Counts::default(); count];
    for (predicted, expected) in predictions.iter().zip(labels) {
        for ((counts, &predicted), &expected) in of_labels.iter_mut().zip(predicted).zip(expected) {
            counts.add(predicted, expected);
        }
    }
    Ok(of_labels.into_iter().map(Counts::f1).sum::<f64>() / count as f64)
}

/// The mean of the F1 of each example's labels. An example without a label and without a prediction has 0: as
/// scikit-learn with `zero_division=0`.
///
/// # Errors
/// As the module says.
pub fn samples_f1(predictions: &[Vec<bool>], labels: &[Vec<bool>]) -> Result<f64, Error> {
    shape(predictions, labels)?;
    let of_row = |(predicted, expected): (&Vec<bool>, &Vec<bool>)| {
        let mut counts = Counts::default();
        counts.add_row(predicted, expected);
        counts.f1()
    };
    Ok(predictions.iter().zip(labels).map(of_row).sum::<f64>() / labels.len() as f64)
}

/// The share of wrong decisions among those on every label of every example. Less is better.
///
/// # Errors
/// As the module says.
pub fn hamming_loss(predictions: &[Vec<bool>], labels: &[Vec<bool>]) -> Result<f64, Error> {
    let count = shape(predictions, labels)?;
    let decisions = predictions.iter().flatten().zip(labels.iter().flatten());
    let wrong = decisions.filter(|(predicted, expected)| predicted != expected).count();
    Ok(wrong as f64 / (count * labels.len()) as f64)
}

/// What an F1 is made of.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// TP
    both: u64,
    /// 2 TP + FP + FN
    either: u64,
}

impl Counts {
    fn add(&mut self, predicted: bool, expected: bool) {
        self.both += u64::from(predicted && expected);
        self.either += u64::from(predicted) + u64::from(expected);
    }

    fn add_row(&mut self, predicted: &[bool], expected: &[bool]) {
        for (&predicted, &expected) in predicted.iter().zip(expected) {
            self.add(predicted, expected);
        }
    }

    fn f1(self) -> f64 {
        if self.both == 0 { 0.0 } else { 2.0 * self.both as f64 / self.either as f64 }
    }
}

/// Checks that all rows have the same number of labels, and gives that number.
fn shape(predictions: &[Vec<bool>], labels: &[Vec<bool>]) -> Result<usize, Error> {
    same_length((predictions.len(), "predictions"), (labels.len(), "labels"))?;
    let count = labels[0].len();
    for row in predictions.iter().chain(labels) {
        same_length((row.len(), "labels of an example"), (count, "labels of the first"))?;
    }
    Ok(count)
}
