#![doc = include_str!("../README.md")]

mod batch;
mod build;
mod corpus;
mod corpus_writer;
mod error;
mod example;
mod loader;
mod map;
mod masked;
mod order;
mod view;

pub mod shard;

pub use batch::Batch;
pub use build::{Progress, build};
pub use corpus::{Corpus, Counts, Manifest, Source, Unit};
pub use corpus_writer::{CorpusConfig, CorpusWriter};
pub use error::Error;
// Types of other crates in this crate's own functions.
pub use electra_masking::{MaskingConfig, Shares, Vocabulary};
pub use example::{Example, ExampleBuilder, ExampleConfig, Overflow};
pub use loader::Loader;
pub use map::on_lost_shard;
pub use order::{Order, Permutation};
pub use view::{Cells, Column, ColumnData, ColumnKind, Data, Key, Row, View};

/// Bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
