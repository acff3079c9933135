#![doc = include_str!("../README.md")]
mod document;
mod error;
mod forms;
mod language;
mod lexicon;
mod nested;
mod random;
mod sentence;
mod tasks;
mod world;
mod write;

pub use document::Document;
pub use error::Error;
pub use language::{Entry, Language};
pub use nested::NestedClauses;
pub use sentence::Word;
pub use write::{Sizes, Summary};
