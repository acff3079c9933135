#![doc = include_str!("../README.md")]

mod bootstrap;
mod classes;
mod correlation;
mod error;
mod metric;
mod permutation;
mod power;
mod random;
mod rank;
mod summary;

pub mod squad;

pub use bootstrap::{Bootstrap, Difference, Interval, Seeds, multi_bootstrap, multi_bootstrap_difference};
pub use classes::{accuracy, f1, matthews};
pub use correlation::{pearson, spearman};
pub use error::Error;
pub use metric::Metric;
pub use permutation::{holm, sign_flip_test};
pub use power::{Comparison, Design, minimum_detectable_difference, seeds_needed};
pub use rank::auc;
pub use summary::{Summary, summary};
