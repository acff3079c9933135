//! Writing a shard from front to back.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use electra_store::{NewFile, io};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::format::{EXAMPLES_PER_BLOCK, HEADER, INDEX_ENTRY, ShardHeader, Trailer};
use crate::{Error, Example};

/// What a finished shard holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardSummary {
    /// The file's name in its folder.
    pub file: String,
    /// How many examples it holds.
    pub examples: u64,
    /// How many ids they have together, special tokens included.
    pub tokens: u64,
    /// The file's size.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// Writes a shard: to a temporary sibling, which takes the shard's name when it is whole.
///
/// Memory is that of one block and 16 bytes for each block written. Dropped before
/// [`finish`](ShardWriter::finish), it leaves nothing.
#[derive(Debug)]
pub struct ShardWriter {
    path: PathBuf,
    out: BufWriter<NewFile>,
    header: ShardHeader,
    hash: Sha256,
    offset: u64,
    ends: Vec<u32>,
    first_segments: Vec<u32>,
    ids: Vec<u8>,
    block_tokens: u32,
    index: Vec<u8>,
    examples: u64,
    tokens: u64,
}

impl ShardWriter {
    /// Begins a shard that will be found at `path`.
    ///
    /// # Errors
    /// [`Error::Store`] if the folder cannot be written to.
    pub fn create(path: &Path, header: ShardHeader) -> Result<Self, Error> {
        let file = NewFile::create(path)?;
        let mut writer = Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(1 << 20, file),
            header,
            hash: Sha256::new(),
            offset: 0,
            ends: Vec::new(),
            first_segments: Vec::new(),
            ids: Vec::new(),
            block_tokens: 0,
            index: Vec::new(),
            examples: 0,
            tokens: 0,
        };
        writer.write(&header.to_bytes())?;
        debug_assert_eq!(writer.offset, HEADER as u64);
        Ok(writer)
    }

    /// Adds an example.
    ///
    /// # Errors
    /// [`Error::TokenId`] for an id outside the vocabulary, [`Error::Config`] for an example that is empty,
    /// longer than L, or whose first segment is longer than itself, [`Error::Store`] if it cannot be written.
    pub fn push(&mut self, example: Example<'_>) -> Result<(), Error> {
        let Example { input_ids, first_segment } = example;
        let length = input_ids.len();
        if length == 0 || length > self.header.max_length as usize || first_segment > length {
            return Err(Error::Config {
                field: "example",
                found: format!("{length} tokens, {first_segment} in the first segment"),
                expected: format!("1 to {} tokens, no more in the first segment", self.header.max_length),
            });
        }
        if let Some(&id) = input_ids.iter().find(|&&id| id >= self.header.vocab_size) {
            return Err(Error::TokenId { id, vocab_size: self.header.vocab_size });
        }
        if self.header.id_bytes() == 2 {
            self.ids.extend(input_ids.iter().flat_map(|&id| (id as u16).to_le_bytes()));
        } else {
            self.ids.extend(input_ids.iter().flat_map(|&id| id.to_le_bytes()));
        }
        self.block_tokens += length as u32;
        self.ends.push(self.block_tokens);
        self.first_segments.push(first_segment as u32);
        self.examples += 1;
        self.tokens += length as u64;
        if self.ends.len() == EXAMPLES_PER_BLOCK as usize {
            self.end_block()?;
        }
        Ok(())
    }

    /// How many ids the shard holds so far.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Writes the index, makes the file durable and gives it its name.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be written; then there is no file of that name.
    pub fn finish(mut self) -> Result<ShardSummary, Error> {
        if !self.ends.is_empty() {
            self.end_block()?;
        }
        let index = std::mem::take(&mut self.index);
        let index_offset = self.offset;
        self.write(&index)?;
        let trailer = Trailer {
            examples: self.examples,
            tokens: self.tokens,
            blocks: (index.len() / INDEX_ENTRY) as u64,
            index_offset,
            file_length: self.offset + super::format::TRAILER as u64,
            index_checksum: crc32fast::hash(&index),
        };
        self.write(&trailer.to_bytes())?;

        let Self { path, out, hash, offset, examples, tokens, .. } = self;
        let file = out.into_inner().map_err(|error| io(&path, "writing it")(error.into_error()))?;
        file.finish()?;
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(ShardSummary { file, examples, tokens, bytes: offset, sha256: crate::hex(&hash.finalize()) })
    }

    fn end_block(&mut self) -> Result<(), Error> {
        let mut block = Vec::with_capacity(8 * self.ends.len() + self.ids.len() + 8);
        block.extend(self.ends.iter().flat_map(|end| end.to_le_bytes()));
        block.extend(self.first_segments.iter().flat_map(|end| end.to_le_bytes()));
        block.append(&mut self.ids);
        block.resize(block.len().next_multiple_of(8), 0);
        self.ends.clear();
        self.first_segments.clear();
        self.block_tokens = 0;
        self.index.extend(self.offset.to_le_bytes());
        self.index.extend((block.len() as u32).to_le_bytes());
        self.index.extend(crc32fast::hash(&block).to_le_bytes());
        self.write(&block)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.offset += bytes.len() as u64;
        Ok(self.out.write_all(bytes).map_err(io(&self.path, "writing it"))?)
    }
}
