//! The mean of the last values of a curve.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The last values of a curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Window(VecDeque<f64>);

impl Window {
    /// Takes a value, and gives the mean of the last `length`; none before there are as many.
    pub(super) fn mean(&mut self, value: f64, length: usize) -> Option<f64> {
        self.0.push_back(value);
        while self.0.len() > length {
            self.0.pop_front();
        }
        (self.0.len() == length).then(|| self.0.iter().sum::<f64>() / length as f64)
    }
}
