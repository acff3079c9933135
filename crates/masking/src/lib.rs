#![doc = include_str!("../README.md")]

mod choose;
mod config;
mod error;
mod masker;
mod rng;
mod unigram;
mod vocabulary;

pub use config::{Choice, CountRule, MaskingConfig, Shares};
pub use error::Error;
pub use masker::{MaskedRows, Masker, Scratch};
pub use rng::{KeyedRng, Stream};
pub use unigram::unigram_loss;
pub use vocabulary::Vocabulary;
