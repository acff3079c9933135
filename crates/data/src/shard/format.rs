//! The bytes of a shard, as the crate's README lays them out.

pub(super) const MAGIC: [u8; 8] = *b"ELECTRA\x1a";
pub(super) const END_MAGIC: [u8; 8] = *b"\x1aARTCELE";
/// The only version that this program writes and reads.
pub(super) const VERSION: u32 = 1;
pub(super) const HEADER: usize = 64;
pub(super) const TRAILER: usize = 64;
/// Bytes of one block in the index: offset, length, checksum.
pub(super) const INDEX_ENTRY: usize = 16;
/// Examples in a block: large enough that the index is small, small enough that checking a block on its
/// first use costs little (128 KiB to 256 KiB of ids at L = 128).
pub(crate) const EXAMPLES_PER_BLOCK: u32 = 1024;
/// Bytes an example takes in its block beside its ids: where it ends, and where its first segment ends.
pub(super) const EXAMPLE_ENTRY: usize = 8;

/// What all shards of a corpus have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardHeader {
    /// V; ids are stored in two bytes where V ≤ 65,536, in four otherwise.
    pub vocab_size: u32,
    /// L, the length that no example exceeds.
    pub max_length: u32,
    /// SHA-256 that names the tokenizer.
    pub tokenizer: [u8; 32],
}

impl ShardHeader {
    /// Bytes of an id.
    pub(super) fn id_bytes(&self) -> usize {
        if self.vocab_size <= 1 << 16 { 2 } else { 4 }
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..8].copy_from_slice(&MAGIC);
        put(&mut bytes, 8, VERSION);
        put(&mut bytes, 12, self.id_bytes() as u32);
        put(&mut bytes, 16, self.vocab_size);
        put(&mut bytes, 20, self.max_length);
        put(&mut bytes, 24, EXAMPLES_PER_BLOCK);
        bytes[28..60].copy_from_slice(&self.tokenizer);
        let checksum = crc32fast::hash(&bytes[..60]);
        put(&mut bytes, 60, checksum);
        bytes
    }
}

/// What is known of a shard once its last block is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) examples: u64,
    pub(super) tokens: u64,
    pub(super) blocks: u64,
    pub(super) index_offset: u64,
    pub(super) file_length: u64,
    pub(super) index_checksum: u32,
}

impl Trailer {
    pub(super) fn to_bytes(self) -> [u8; TRAILER] {
        let mut bytes = [0; TRAILER];
        let words = [self.examples, self.tokens, self.blocks, self.index_offset, self.file_length];
        for (index, word) in words.into_iter().enumerate() {
            bytes[8 * index..8 * index + 8].copy_from_slice(&word.to_le_bytes());
        }
        put(&mut bytes, 40, self.index_checksum);
        bytes[56..64].copy_from_slice(&END_MAGIC);
        let checksum = crc32fast::hash(&bytes);
        put(&mut bytes, 44, checksum);
        bytes
    }

    /// The trailer, if its end mark and checksum are right.
    pub(super) fn from_bytes(bytes: &[u8; TRAILER]) -> Option<Self> {
        let mut plain = *bytes;
        put(&mut plain, 44, 0);
        if plain[56..64] != END_MAGIC || crc32fast::hash(&plain) != get(bytes, 44) {
            return None;
        }
        Some(Self {
            examples: get64(bytes, 0),
            tokens: get64(bytes, 8),
            blocks: get64(bytes, 16),
            index_offset: get64(bytes, 24),
            file_length: get64(bytes, 32),
            index_checksum: get(bytes, 40),
        })
    }
}

fn put(bytes: &mut [u8], offset: usize, value: u32) {
    bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

/// The little-endian u32 at a byte offset that the caller has checked.
pub(super) fn get(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("a slice of four bytes"))
}

/// The little-endian u64 at a byte offset that the caller has checked.
pub(super) fn get64(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("a slice of eight bytes"))
}
