#![doc = include_str!("../README.md")]

#[cfg(feature = "parquet")]
mod caught;
#[cfg(feature = "parquet")]
mod chunks;
mod config;
mod decompress;
mod error;
mod extract;
mod inputs;
mod lines;
mod mend;
#[cfg(feature = "parquet")]
mod parquet;
mod progress;
mod reader;
mod runs;
mod sentences;

pub use config::{Format, ReadConfig, Separator};
pub use error::Error;
pub use inputs::{Input, Inputs};
pub use mend::from_json;
pub use progress::Progress;
pub use reader::{Event, Reader};
pub use sentences::sentences;
