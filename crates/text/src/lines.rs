use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::str;

use crate::decompress::failed;
use crate::{Error, ReadConfig};

/// The lines of one decompressed stream, with the position that error messages need.
pub(crate) struct Lines {
    source: Box<dyn BufRead + Send>,
    pub(crate) path: PathBuf,
    /// Number of the line that was read last, from 1.
    pub(crate) line: u64,
    /// Bytes of the stream before the next line.
    offset: u64,
    /// Sequences of broken bytes replaced so far.
    pub(crate) replaced: u64,
    pub(crate) lossy: bool,
    max_line_bytes: usize,
    /// Name of the decoder, for the message about a truncated file.
    compression: Option<&'static str>,
}

impl Lines {
    pub(crate) fn new(
        source: Box<dyn BufRead + Send>,
        compression: Option<&'static str>,
        path: PathBuf,
        config: &ReadConfig,
    ) -> Self {
        Self {
            source,
            path,
            line: 0,
            offset: 0,
            replaced: 0,
            lossy: config.lossy,
            max_line_bytes: config.max_line_bytes,
            compression,
        }
    }

    /// The next line without its `\n` or `\r\n`, and without a byte order mark at the start of the file.
    pub(crate) fn next_line(&mut self) -> Result<Option<String>, Error> {
        let mut bytes = Vec::new();
        // One byte more than a line may have tells a line that is too long without reading all of it.
        let limit = (self.max_line_bytes as u64).saturating_add(1);
        let read = self.source.by_ref().take(limit).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| failed(&self.path, self.compression, source))?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        let mut start = self.offset;
        self.offset += read as u64;

        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        } else if bytes.len() > self.max_line_bytes {
            return Err(Error::LineTooLong {
                path: self.path.clone(),
                line: self.line,
                limit: self.max_line_bytes,
            });
        }
        if self.line == 1 && bytes.starts_with(b"\xEF\xBB\xBF") {
            bytes.drain(..3);
            start += 3;
        }
        match String::from_utf8(bytes) {
            Ok(line) => Ok(Some(line)),
            Err(error) if self.lossy => {
                let (line, replaced) = replace_broken(error.as_bytes());
                self.replaced += replaced;
                Ok(Some(line))
            }
            Err(error) => Err(Error::NotUtf8 {
                path: self.path.clone(),
                line: self.line,
                offset: start + error.utf8_error().valid_up_to() as u64,
            }),
        }
    }
}

/// Each maximal broken sequence becomes one U+FFFD, as in Python's `errors="replace"`; their number as well.
pub(crate) fn replace_broken(bytes: &[u8]) -> (String, u64) {
    let mut text = String::with_capacity(bytes.len() + 8);
    let mut replaced = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            replaced += 1;
        }
    }
    (text, replaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Separator;

    fn lines(bytes: &[u8], change: impl FnOnce(&mut ReadConfig)) -> Lines {
        let mut config = ReadConfig::new(Separator::Line);
        change(&mut config);
        Lines::new(Box::new(std::io::Cursor::new(bytes.to_vec())), None, "x.txt".into(), &config)
    }

    fn all(lines: &mut Lines) -> Vec<String> {
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    #[test]
    fn line_ends_and_the_mark_are_dropped() {
        assert_eq!(all(&mut lines(b"\xEF\xBB\xBFa\r\n\nb\rc\n d ", |_| ())), ["a", "", "b\rc", " d "]);
        assert_eq!(all(&mut lines("a\n\u{feff}b".as_bytes(), |_| ())), ["a", "\u{feff}b"]);
        assert!(all(&mut lines(b"", |_| ())).is_empty());
    }

    #[test]
    fn broken_bytes_are_located_in_the_stream() {
        let mut strict = lines(b"\xEF\xBB\xBFok\nab\xFFc\n", |_| ());
        assert_eq!(strict.next_line().unwrap().unwrap(), "ok");
        let message = strict.next_line().unwrap_err().to_string();
        assert!(message.starts_with("x.txt: line 2: not UTF-8 at byte 8"), "{message}");
        let message = lines(b"\xEF\xBB\xBFa\xFF", |_| ()).next_line().unwrap_err().to_string();
        assert!(message.contains("line 1: not UTF-8 at byte 4"), "{message}");
    }

    #[test]
    fn lossy_replaces_each_maximal_sequence_once() {
        // The expectation is Python's: b"...".decode("utf-8", errors="replace").
        let mut lossy = lines(b"a\xFF\xFEb\xE2\x82 \xF0\x9F\x98\n\xC0\xAF\xED\xA0\x80", |c| c.lossy = true);
        assert_eq!(
            all(&mut lossy),
            ["a\u{fffd}\u{fffd}b\u{fffd} \u{fffd}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"]
        );
        assert_eq!(lossy.replaced, 9);
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_byte_more_does_not() {
        assert_eq!(all(&mut lines(b"abcd\nabcd", |c| c.max_line_bytes = 4)), ["abcd", "abcd"]);
        let mut long = lines(b"abcd\nabcde\n", |c| c.max_line_bytes = 4);
        long.next_line().unwrap();
        let message = long.next_line().unwrap_err().to_string();
        assert!(message.starts_with("x.txt: line 2: longer than 4 bytes"), "{message}");
    }
}
