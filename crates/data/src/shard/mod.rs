//! Shards: files of examples with a checksum over every byte.

mod format;
mod reader;
mod writer;

pub use format::ShardHeader;
pub use reader::{ExampleRef, Shard};
pub use writer::{ShardSummary, ShardWriter};
