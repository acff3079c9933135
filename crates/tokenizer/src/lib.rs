#![doc = include_str!("../README.md")]

mod agree;
mod cache;
mod error;
mod fingerprint;
mod frame;
mod json;
mod load;
mod long;
mod pipeline;
mod plain;
mod save;
mod special;
mod tokenizer;
mod train;
mod vocab;
mod word_piece;

pub use error::Error;
pub use special::SpecialTokens;
pub use tokenizer::{Encoding, Tokenizer};
pub use train::{TrainConfig, TrainReport, Trained, Trainer, train, train_from_files};
