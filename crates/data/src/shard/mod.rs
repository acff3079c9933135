//! Shards: files of examples with a checksum over every byte.

mod format;
mod reader;
mod writer;

pub(crate) use format::EXAMPLES_PER_BLOCK;
pub use format::ShardHeader;
pub use reader::{ExampleRef, Shard};
pub use writer::{ShardSummary, ShardWriter};
