#![doc = include_str!("../README.md")]

mod batches;
mod budget;
mod checkpoint;
mod environment;
mod error;
mod files;
mod folder;
mod init;
mod log;
mod optimizer;
mod run;
mod schedule;
mod skips;
mod start;
mod step;
mod train;

pub mod config;

pub use checkpoint::Checkpoint;
pub use config::{Config, Preset};
pub use error::{BoxError, Error};
pub use folder::RunFolder;
pub use run::{Event, Outcome, Rates, Run};
pub use schedule::Schedule;
pub use train::train;
