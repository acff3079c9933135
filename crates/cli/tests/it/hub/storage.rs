//! A Xet storage server, which takes the large files of a commit in pieces.

use std::collections::BTreeMap;
use std::io::Cursor;

use sha2::{Digest, Sha256};
use xet_core_structures::metadata_shard::streaming_shard::MDBMinimalShard;
use xet_core_structures::xorb_object::deserialize_chunk;

/// What was uploaded.
#[derive(Default)]
pub(super) struct Storage {
    /// The chunks of each, by its hash.
    xorbs: BTreeMap<String, Vec<Vec<u8>>>,
    /// By their SHA-256, put together from the chunks.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl Storage {
    pub(super) fn add_xorb(&mut self, hash: &str, body: &[u8]) {
        let (mut reader, mut chunks) = (Cursor::new(body), Vec::new());
        // What follows the chunks is a list of them.
        while let Ok((chunk, ..)) = deserialize_chunk(&mut reader) {
            chunks.push(chunk);
        }
        self.xorbs.insert(hash.to_owned(), chunks);
    }

    /// A shard says which chunks a file is made of.
    pub(super) fn add_shard(&mut self, body: &[u8]) {
        let shard = MDBMinimalShard::from_reader(&mut Cursor::new(body), true, false).unwrap();
        for file in (0..shard.num_files()).map(|index| shard.file(index).unwrap()) {
            let mut bytes = Vec::new();
            for entry in (0..file.num_entries()).map(|index| file.entry(index)) {
                let chunks = &self.xorbs[&entry.xorb_hash.hex()];
                let range = entry.chunk_index_start as usize..entry.chunk_index_end as usize;
                chunks[range].iter().for_each(|chunk| bytes.extend(chunk));
            }
            self.files.insert(sha256(&bytes), bytes);
        }
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
