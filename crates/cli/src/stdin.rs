//! Standard input by lines, taken as it comes: nobody waits for an answer that could be given.

use std::io::{BufRead, BufReader, Read, Stdin};

use anyhow::{Context, Result, bail};

/// Bytes that are asked of the operating system at a time; more than standard input's own buffer, which is
/// then passed over.
const BUFFER: usize = 1 << 20;

/// Lines of a stream. Every line counts, blank ones too: line n of the output is line n's.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    lossy: bool,
    max_line_bytes: usize,
    line: u64,
    offset: u64,
}

impl Lines<Stdin> {
    /// With `lossy`, bytes that are not UTF-8 become U+FFFD; else they are an error.
    pub(crate) fn of_stdin(lossy: bool, max_line_bytes: usize) -> Self {
        Self::new(std::io::stdin(), lossy, max_line_bytes)
    }
}

impl<R: Read> Lines<R> {
    fn new(input: R, lossy: bool, max_line_bytes: usize) -> Self {
        let input = BufReader::with_capacity(BUFFER, input);
        Self { input, lossy, max_line_bytes, line: 0, offset: 0 }
    }

    /// The lines that are there, at least one unless at the end or before an error. It waits for the first
    /// alone; so a chunk is never longer than a buffer and a line.
    pub(crate) fn chunk(&mut self) -> (Vec<String>, Result<()>) {
        let mut lines = Vec::new();
        loop {
            match self.next() {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => return (lines, Ok(())),
                Err(error) => return (lines, Err(error)),
            }
            if !self.input.buffer().contains(&b'\n') {
                return (lines, Ok(()));
            }
        }
    }

    fn next(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        // One byte more than a line may have tells a line that is too long without reading all of it.
        let limit = (self.max_line_bytes as u64).saturating_add(1);
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut bytes);
        let read = read.context("reading standard input")?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        } else if bytes.len() > self.max_line_bytes {
            bail!(
                "standard input: line {}: longer than {} bytes: break the text into lines, or raise \
                 --max-line-bytes if memory allows",
                self.line,
                self.max_line_bytes
            );
        }
        let line = match String::from_utf8(bytes) {
            Ok(line) => line,
            Err(error) if self.lossy => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            Err(error) => bail!(
                "standard input: line {}: not UTF-8 at byte {}: convert it, or use --lossy",
                self.line,
                self.offset + error.utf8_error().valid_up_to() as u64
            ),
        };
        self.offset += read as u64;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what a pipe would: one piece a call.
    struct Pieces(Vec<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn a_chunk_ends_where_reading_would_wait() {
        let mut lines = Lines::new(Pieces(vec![b"a\nb\r\nc", b"c\n", b"\nd"]), false, 100);
        for expected in [&["a", "b"][..], &["cc"], &[""], &["d"], &[]] {
            let (chunk, outcome) = lines.chunk();
            outcome.unwrap();
            assert_eq!(chunk, expected);
        }
    }

    #[test]
    fn a_line_too_long_is_named_without_taking_it_in() {
        let mut lines = Lines::new(std::io::repeat(b'x'), false, 1000);
        let (chunk, outcome) = lines.chunk();
        assert!(chunk.is_empty());
        let message = outcome.unwrap_err().to_string();
        assert!(message.starts_with("standard input: line 1: longer than 1000 bytes"), "{message}");
    }
}
