//! Reading a shard through a memory map.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use electra_store::io;
use memmap2::Mmap;
use sha2::{Digest, Sha256};

use super::format::{
    EXAMPLE_ENTRY, EXAMPLES_PER_BLOCK, HEADER, INDEX_ENTRY, MAGIC, ShardHeader, TRAILER, Trailer, VERSION,
    get, get64,
};
use crate::Error;

/// An opened shard.
///
/// Opening checks the header, the trailer and the index. A block is checked against its checksum on its
/// first use, once; so what is read is what was written, or an [`Error::Damaged`] with the place.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    bytes: Mmap,
    header: ShardHeader,
    trailer: Trailer,
    checked: Vec<AtomicBool>,
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
    /// [`Error::Store`] if it cannot be read, [`Error::Format`] if it is no shard or one of another version,
    /// [`Error::Damaged`] if its header, index or trailer is not what was written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(io(path, "opening it"))?;
        let bytes = crate::map::map(&file).map_err(io(path, "mapping it into memory"))?;
        let header = read_header(path, &bytes)?;
        let trailer = read_trailer(path, &bytes)?;
        let checked = (0..trailer.blocks).map(|_| AtomicBool::new(false)).collect();
        let shard = Self { path: path.to_owned(), bytes, header, trailer, checked };
        shard.check_index()?;
        Ok(shard)
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
        let (_, bytes, _) = self.block(block);
        let count = self.examples_in(block);
        let index = (example % u64::from(EXAMPLES_PER_BLOCK)) as usize;
        let start = if index == 0 { 0 } else { get(bytes, 4 * (index - 1)) as usize };
        let end = get(bytes, 4 * index) as usize;
        let id_bytes = self.header.id_bytes();
        let ids = &bytes[EXAMPLE_ENTRY * count..];
        Ok(ExampleRef {
            bytes: &ids[start * id_bytes..end * id_bytes],
            id_bytes,
            first_segment: get(bytes, 4 * (count + index)) as usize,
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the whole file, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        crate::hex(&Sha256::digest(&self.bytes))
    }

    /// Checks every block now, not on its first use.
    ///
    /// # Errors
    /// [`Error::Damaged`] for the first block that is not what was written.
    pub fn verify(&self) -> Result<(), Error> {
        (0..self.checked.len()).try_for_each(|block| self.check_block(block))
    }

    /// A block's offset, bytes and checksum, as the index has them.
    fn block(&self, block: usize) -> (u64, &[u8], u32) {
        let entry = &self.bytes[self.trailer.index_offset as usize + INDEX_ENTRY * block..];
        let (offset, length) = (get64(entry, 0), get(entry, 8));
        (offset, &self.bytes[offset as usize..][..length as usize], get(entry, 12))
    }

    fn examples_in(&self, block: usize) -> usize {
        let before = block as u64 * u64::from(EXAMPLES_PER_BLOCK);
        (self.trailer.examples - before).min(u64::from(EXAMPLES_PER_BLOCK)) as usize
    }

    /// The index's checksum, and that its blocks follow one another from the header to the index.
    fn check_index(&self) -> Result<(), Error> {
        let Trailer { blocks, index_offset, index_checksum, examples, .. } = self.trailer;
        let index = &self.bytes[index_offset as usize..self.bytes.len() - TRAILER];
        let damaged = |what: &str| self.damaged(index_offset, what);
        if crc32fast::hash(index) != index_checksum {
            return Err(damaged("the index does not have its checksum"));
        }
        if blocks != examples.div_ceil(u64::from(EXAMPLES_PER_BLOCK)) {
            return Err(damaged("the number of blocks is not that of the examples"));
        }
        let mut next = HEADER as u64;
        for entry in index.chunks_exact(INDEX_ENTRY) {
            if get64(entry, 0) != next {
                return Err(damaged("the blocks do not follow one another"));
            }
            next += u64::from(get(entry, 8));
        }
        if next != index_offset {
            return Err(damaged("the blocks do not end where the index begins"));
        }
        Ok(())
    }

    /// The block's checksum, and that its contents are a block's: a program that writes shards wrongly but
    /// with the right checksum must not make this one read out of bounds.
    fn check_block(&self, block: usize) -> Result<(), Error> {
        let (offset, bytes, checksum) = self.block(block);
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
            _ => Ok(()),
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
