#![doc = include_str!("../README.md")]

mod classes;
mod correlation;
mod entities;
mod error;
mod metric;
mod rank;
mod squares;

pub mod multi_label;
pub mod squad;

pub use classes::{accuracy, f1, macro_f1, matthews};
pub use correlation::{pearson, spearman};
pub use entities::{Scheme, entity_f1};
pub use error::Error;
pub use metric::Metric;
pub use rank::auc;
pub use squares::mean_squared_error;
