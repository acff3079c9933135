#![doc = include_str!("../README.md")]

mod chart;
mod document;
mod error;
mod escape;
mod families;
mod format;
mod groups;
mod html;
mod markdown;
mod measured;
mod palette;
mod replacements;
mod sentences;
mod series;
mod table;
mod tables;
mod trials;
mod write;

pub use chart::{GrowthPanel, growth_chart};
pub use error::Error;
pub use format::count;
pub use measured::{read_measurements, write_measurements};
pub use sentences::{Conclusion, conclude};
pub use write::{FORMAT, read, write};
