#![doc = include_str!("../README.md")]

mod conll;
mod definition;
mod error;
mod example;
mod file;
mod find;
mod form;
mod jsonl;
mod minimal_pairs;
mod multi_label;
mod record;
mod selection;
mod squad;
mod table;
mod task;
mod tsv;

pub use electra_metrics::{Metric, Scheme};
pub use error::Error;
pub use example::{Answer, Content, Dataset, Example, Label};
pub use find::find;
pub use minimal_pairs::{MinimalPair, minimal_pairs};
pub use table::{Entry, TABLE, Target};
pub use task::{Kind, Labels, Split, Task};
