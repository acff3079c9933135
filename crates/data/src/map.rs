//! The one place of this crate with `unsafe`.

use std::fs::File;

/// Maps a file into memory, read only.
#[allow(unsafe_code)]
pub(crate) fn map(file: &File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the bytes of a map change when another process writes to the file. Shards are written once,
    // under a temporary name, and never in place; a program that overwrites one all the same makes reads
    // give other bytes (caught by the block's checksum unless it was checked before), and one that cuts it
    // short makes them fail with SIGBUS. A reader that could not be disturbed would need a copy of the
    // corpus in memory, which is what the map is for avoiding.
    unsafe { memmap2::Mmap::map(file) }
}
