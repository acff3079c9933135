#![doc = include_str!("../README.md")]

mod batch;
mod build;
mod corpus;
mod corpus_writer;
mod error;
mod example;
mod files;
mod map;
mod order;
mod vocabulary;

pub mod masking;
pub mod rng;
pub mod shard;

pub use batch::{Batch, Loader};
pub use build::{Progress, build};
pub use corpus::{Corpus, Counts, Manifest, Source, Unit};
pub use corpus_writer::{CorpusConfig, CorpusWriter};
pub use error::Error;
pub use example::{Example, ExampleBuilder, ExampleConfig, Overflow};
pub use masking::MaskingConfig;
pub use order::{Order, Permutation};
pub use vocabulary::Vocabulary;

/// Bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
