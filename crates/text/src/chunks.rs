//! A file as the Parquet library reads it, with an end.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

/// A file that is read from its places.
pub(crate) struct Chunks(pub(crate) File);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<Ending<File>>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut reader = self.0.try_clone()?;
        reader.seek(SeekFrom::Start(start))?;
        Ok(BufReader::new(Ending(reader)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// A reader whose end is an error: what the library passes over of a forged header has no end otherwise, and nothing that
/// it reads so lies at the end of a file.
pub(crate) struct Ending<R>(R);

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 if !buffer.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}
