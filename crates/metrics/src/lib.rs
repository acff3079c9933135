#![doc = include_str!("../README.md")]

mod classes;
mod correlation;
mod error;
mod metric;
mod rank;

pub mod squad;

pub use classes::{accuracy, f1, matthews};
pub use correlation::{pearson, spearman};
pub use error::Error;
pub use metric::Metric;
pub use rank::auc;
