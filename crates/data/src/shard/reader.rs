//! Reading a shard through a memory map.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use electra_store::io;
use sha2::{Digest, Sha256};

use super::format::{
    EXAMPLE_ENTRY, EXAMPLES_PER_BLOCK, HEADER, INDEX_ENTRY, MAGIC, ShardHeader, TRAILER, Trailer, VERSION,
    get, get64,
};
use crate::Error;
use crate::map::Map;

/// An opened shard.
///
/// Opening checks the header, the trailer and the index. A block is checked against its checksum on its
/// first use, once; so what is read is what was written, or an [`Error::Damaged`] with the place. A file that another
/// program writes to all the same never makes this one read out of bounds, and
/// [`check_unchanged`](Self::check_unchanged) notices it. One that is cut short ends the program by a signal, unless it
/// has called [`on_lost_shard`](crate::on_lost_shard).
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    bytes: Map,
    header: ShardHeader,
    trailer: Trailer,
    /// The blocks, as the index had them when it was checked.
    blocks: Vec<Block>,
    checked: Vec<AtomicBool>,
    /// When the file was written to last, before it was opened.
    modified: Option<SystemTime>,
}

/// An entry of the index.
#[derive(Clone, Copy, Debug)]
struct Block {
    offset: u64,
    length: u32,
    checksum: u32,
}

/// An example of a shard: its ids lie in the mapped file.
#[derive(Clone, Copy, Debug)]
pub struct ExampleRef<'a> {
    bytes: &'a [u8],
    id_bytes: usize,
    first_segment: usize,
}

impl<'a> ExampleRef<'a> {
    /// How many ids the example has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes.len() / self.id_bytes
    }

    /// How many of them have token type 0.
    #[must_use]
    pub fn first_segment(&self) -> usize {
        self.first_segment
    }

    /// The ids.
    #[must_use]
    pub fn input_ids(&self) -> Vec<u32> {
        let mut ids = vec![0; self.length()];
        self.copy_to(&mut ids);
        ids
    }

    /// Writes the ids to a slice of the example's length.
    ///
    /// # Panics
    /// If the slice has another length.
    pub fn copy_to<T: From<u32>>(&self, ids: &mut [T]) {
        assert_eq!(ids.len(), self.length(), "room for the example's ids");
        if self.id_bytes == 2 {
            for (id, bytes) in ids.iter_mut().zip(self.bytes.chunks_exact(2)) {
                *id = T::from(u32::from(u16::from_le_bytes([bytes[0], bytes[1]])));
            }
        } else {
            for (id, bytes) in ids.iter_mut().zip(self.bytes.chunks_exact(4)) {
                *id = T::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
            }
        }
    }
}

impl Shard {
    /// Opens a shard.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be read, [`Error::Format`] if it is not a shard, or is one of another version,
    /// [`Error::Damaged`] if its header, index or trailer is not what was written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(io(path, "opening it"))?;
        // Some file systems do not know it.
        let modified = file.metadata().map_err(io(path, "asking for its time"))?.modified().ok();
        let bytes = Map::new(path, &file)?;
        let header = read_header(path, &bytes)?;
        let trailer = read_trailer(path, &bytes)?;
        let blocks = read_index(path, &bytes, &trailer)?;
        let checked = blocks.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self { path: path.to_owned(), bytes, header, trailer, blocks, checked, modified })
    }

    /// Checks that the file is as long as when it was opened and was not written to since. A block is compared with its
    /// checksum once; what is written to it later is seen here alone.
    ///
    /// # Errors
    /// [`Error::Format`] if it was changed, [`Error::Store`] if the system does not say.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        let now = std::fs::metadata(&self.path).map_err(io(&self.path, "asking for its length and time"))?;
        if now.len() == self.bytes.len() as u64 && now.modified().ok() == self.modified {
            return Ok(());
        }
        let what = "was written to while it was read, so what was read of it may be of both; expected a file that stays \
                    as it is";
        Err(Error::Format { path: self.path.clone(), what: what.to_owned() })
    }

    /// What the shard says of itself.
    #[must_use]
    pub fn header(&self) -> &ShardHeader {
        &self.header
    }

    /// How many examples it holds.
    #[must_use]
    pub fn examples(&self) -> u64 {
        self.trailer.examples
    }

    /// How many ids they have together.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.trailer.tokens
    }

    /// An example.
    ///
    /// # Errors
    /// [`Error::Damaged`] if its block is not what was written.
    ///
    /// # Panics
    /// If `example` is not below [`examples`](Self::examples).
    pub fn example(&self, example: u64) -> Result<ExampleRef<'_>, Error> {
        assert!(example < self.trailer.examples, "example {example} of {}", self.trailer.examples);
        let block = (example / u64::from(EXAMPLES_PER_BLOCK)) as usize;
        if !self.checked[block].load(Ordering::Relaxed) {
            self.check_block(block)?;
            self.checked[block].store(true, Ordering::Relaxed);
        }
        let bytes = self.block(block);
        let count = self.examples_in(block);
        let index = (example % u64::from(EXAMPLES_PER_BLOCK)) as usize;
        let start = if index == 0 { 0 } else { get(bytes, 4 * (index - 1)) as usize };
        let end = get(bytes, 4 * index) as usize;
        let first_segment = get(bytes, 4 * (count + index)) as usize;
        let id_bytes = self.header.id_bytes();
        let ids =
            bytes[EXAMPLE_ENTRY * count..].get(start.saturating_mul(id_bytes)..end.saturating_mul(id_bytes));
        // True of a block that was checked, unless the file was written to since.
        let is_example = |ids: &&[u8]| {
            let length = ids.len() / id_bytes;
            (1..=self.header.max_length as usize).contains(&length) && first_segment <= length
        };
        let Some(ids) = ids.filter(is_example) else {
            let what = format!("example {index} of block {block} has no valid length any more");
            return Err(self.damaged(self.blocks[block].offset, &what));
        };
        Ok(ExampleRef { bytes: ids, id_bytes, first_segment })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the whole file, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        crate::hex(&Sha256::digest(&*self.bytes))
    }

    /// Checks every block now, not on its first use.
    ///
    /// # Errors
    /// [`Error::Damaged`] for the first block that is not what was written, or if all of them hold another number of ids
    /// than the trailer has.
    pub fn verify(&self) -> Result<(), Error> {
        let mut tokens = 0;
        for block in 0..self.checked.len() {
            tokens += self.check_block(block)?;
        }
        if tokens == self.trailer.tokens {
            return Ok(());
        }
        let what = format!("the trailer speaks of {} ids, the blocks hold {tokens}", self.trailer.tokens);
        Err(self.damaged((self.bytes.len() - TRAILER) as u64, &what))
    }

    /// The bytes of a block.
    fn block(&self, block: usize) -> &[u8] {
        let Block { offset, length, .. } = self.blocks[block];
        &self.bytes[offset as usize..][..length as usize]
    }

    fn examples_in(&self, block: usize) -> usize {
        let before = block as u64 * u64::from(EXAMPLES_PER_BLOCK);
        (self.trailer.examples - before).min(u64::from(EXAMPLES_PER_BLOCK)) as usize
    }

    /// The block's checksum, and that its contents are a block's: a program that writes shards wrongly but
    /// with the right checksum must not make this one read out of bounds. Gives the number of its ids.
    fn check_block(&self, block: usize) -> Result<u64, Error> {
        let Block { offset, checksum, .. } = self.blocks[block];
        let bytes = self.block(block);
        let found = crc32fast::hash(bytes);
        if found != checksum {
            let what = format!("block {block} has the checksum {found:08x} and not {checksum:08x}");
            return Err(self.damaged(offset, &what));
        }
        let count = self.examples_in(block);
        let entries = EXAMPLE_ENTRY * count;
        if bytes.len() < entries {
            return Err(self.damaged(offset, &format!("block {block} is too short for its {count} examples")));
        }
        let capacity = (bytes.len() - entries) / self.header.id_bytes();
        let mut start = 0;
        for index in 0..count {
            let end = get(bytes, 4 * index);
            let first_segment = get(bytes, 4 * (count + index));
            let length = end.checked_sub(start).filter(|&length| {
                (1..=self.header.max_length).contains(&length)
                    && first_segment <= length
                    && end as usize <= capacity
            });
            if length.is_none() {
                return Err(
                    self.damaged(offset, &format!("example {index} of block {block} has no valid length"))
                );
            }
            start = end;
        }
        let ids = ExampleRef {
            bytes: &bytes[entries..][..start as usize * self.header.id_bytes()],
            id_bytes: self.header.id_bytes(),
            first_segment: 0,
        };
        match ids.input_ids().into_iter().max() {
            Some(id) if id >= self.header.vocab_size => {
                let vocab_size = self.header.vocab_size;
                Err(self.damaged(offset, &format!("token id {id} in a vocabulary of {vocab_size}")))
            }
            _ => Ok(u64::from(start)),
        }
    }

    fn damaged(&self, offset: u64, what: &str) -> Error {
        damaged(&self.path, offset, what)
    }
}

fn damaged(path: &Path, offset: u64, what: &str) -> Error {
    Error::Damaged { path: path.to_owned(), offset, what: what.into() }
}

fn read_header(path: &Path, bytes: &[u8]) -> Result<ShardHeader, Error> {
    let format = |what: String| Error::Format { path: path.to_owned(), what };
    if bytes.len() < 12 || bytes[..8] != MAGIC {
        return Err(format(
            "is not a shard of a corpus; a shard begins with the eight bytes \"ELECTRA\\x1a\"".into(),
        ));
    }
    let version = get(bytes, 8);
    if version != VERSION {
        return Err(format(format!("is a shard of version {version}; this program reads version {VERSION}")));
    }
    if bytes.len() < HEADER + TRAILER {
        let what = format!("truncated: {} bytes; the smallest shard has {}", bytes.len(), HEADER + TRAILER);
        return Err(damaged(path, bytes.len() as u64, &what));
    }
    let header = ShardHeader {
        vocab_size: get(bytes, 16),
        max_length: get(bytes, 20),
        tokenizer: bytes[28..60].try_into().expect("a slice of 32 bytes"),
    };
    // The header has one spelling, so comparing it whole checks its checksum and its constants.
    if header.to_bytes() != bytes[..HEADER] {
        return Err(damaged(path, 0, "the header does not have its checksum"));
    }
    Ok(header)
}

fn read_trailer(path: &Path, bytes: &[u8]) -> Result<Trailer, Error> {
    let start = bytes.len() - TRAILER;
    let raw: &[u8; TRAILER] = bytes[start..].try_into().expect("a slice of the trailer's length");
    let Some(trailer) = Trailer::from_bytes(raw) else {
        let what =
            format!("truncated or damaged: the file ends at byte {} without a shard's trailer", bytes.len());
        return Err(damaged(path, start as u64, &what));
    };
    let index = trailer.blocks.checked_mul(INDEX_ENTRY as u64);
    let end = index.and_then(|index| trailer.index_offset.checked_add(index));
    if trailer.file_length != bytes.len() as u64 || end != Some(start as u64) {
        let what =
            format!("the trailer speaks of {} bytes, the file has {}", trailer.file_length, bytes.len());
        return Err(damaged(path, start as u64, &what));
    }
    if trailer.index_offset < HEADER as u64 {
        return Err(damaged(path, start as u64, "the index begins inside the header"));
    }
    Ok(trailer)
}

/// The blocks, if the index has its checksum and they follow one another from the header to the index.
fn read_index(path: &Path, bytes: &[u8], trailer: &Trailer) -> Result<Vec<Block>, Error> {
    let Trailer { blocks, index_offset, index_checksum, examples, .. } = *trailer;
    // A copy, so that what is checked is what is used.
    let index = bytes[index_offset as usize..bytes.len() - TRAILER].to_vec();
    let damaged = |what: &str| damaged(path, index_offset, what);
    if crc32fast::hash(&index) != index_checksum {
        return Err(damaged("the index does not have its checksum"));
    }
    if blocks != examples.div_ceil(u64::from(EXAMPLES_PER_BLOCK)) {
        return Err(damaged("the number of blocks is not that of the examples"));
    }
    let mut next = HEADER as u64;
    let mut found = Vec::with_capacity(index.len() / INDEX_ENTRY);
    for entry in index.chunks_exact(INDEX_ENTRY) {
        let block = Block { offset: get64(entry, 0), length: get(entry, 8), checksum: get(entry, 12) };
        if block.offset != next {
            return Err(damaged("the blocks do not follow one another"));
        }
        next += u64::from(block.length);
        found.push(block);
    }
    if next != index_offset {
        return Err(damaged("the blocks do not end where the index begins"));
    }
    Ok(found)
}
