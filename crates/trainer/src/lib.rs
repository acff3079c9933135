#![doc = include_str!("../README.md")]

mod batches;
mod checkpoint;
mod clock;
mod config;
mod environment;
mod error;
mod flat;
mod folder;
mod health;
mod init;
mod log;
mod optimizer;
mod parts;
mod ranks;
mod run;
mod saving;
mod start;
mod step;
mod train;
mod training;
mod validation;
mod writer;

pub use checkpoint::read_model;
pub use config::read_config;
// Types of other crates in this crate's own functions.
pub use electra_config::{Checkpoint, Config};
pub use error::{BoxError, Error};
pub use health::{Remark, RunState};
pub use init::first_values;
pub use ranks::{Host, Meeting, Ranks};
pub use run::{Event, Outcome, Rates, Run, Valid};
pub use train::train;
