#![doc = include_str!("../README.md")]

mod choose;
mod config;
mod error;
mod masker;
mod rate;
mod rng;
mod unigram;
mod vocabulary;

pub use config::{Choice, CountRule, MaskingConfig, Shares, Weighting};
pub use error::Error;
pub use masker::{MaskedRows, Masker, Scratch};
pub use rate::MaskRate;
pub use rng::{KeyedRng, Stream};
pub use unigram::unigram_loss;
pub use vocabulary::Vocabulary;
