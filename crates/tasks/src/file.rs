//! Whole files as text with numbered lines.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use electra_store::{Foreign, read_to_limit, read_whole};
use flate2::read::MultiGzDecoder;

use crate::Error;

/// A file in memory: those of tasks are some hundred megabytes at most.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl File {
    /// Reads a file, unpacks gzip and zstd (known by their first bytes), and drops a byte order mark. It is not empty;
    /// `expected` is what it should hold.
    pub(crate) fn read(path: &Path, expected: &str) -> Result<Self, Error> {
        if path.is_dir() {
            let source = io::Error::new(ErrorKind::IsADirectory, "a folder; expected a file");
            return Err(Error::Io { path: path.to_owned(), source });
        }
        let bytes = read_whole(path).map_err(Error::io(path))?;
        let bytes = unpacked(bytes).map_err(Error::io(path))?;
        if let Some(foreign) = Foreign::of(&bytes) {
            let what = foreign.message("text, plain or in gzip or zstd");
            return Err(Error::Foreign { path: path.to_owned(), what });
        }
        let mut text = String::from_utf8(bytes).map_err(|error| {
            let end = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..end];
            let begin = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64;
            Error::NotUtf8 { path: path.to_owned(), line, byte: (end - begin) as u64 + 1 }
        })?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        if text.trim().is_empty() {
            return Err(Error::Empty { path: path.to_owned(), expected: expected.to_owned() });
        }
        Ok(Self { path: path.to_owned(), text })
    }

    /// Lines without their `\n` or `\r\n`, with their numbers from 1. Empty lines at the end are none.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        let text = self.text.trim_end_matches(['\n', '\r']);
        (1..).zip(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)))
    }

    /// Lines that are not blank, as in JSON Lines, where a blank one is nothing.
    pub(crate) fn lines_with_text(&self) -> impl Iterator<Item = (u64, &str)> {
        self.lines().filter(|(_, text)| !text.trim().is_empty())
    }

    /// The number of the last line that is not empty.
    pub(crate) fn last_line(&self) -> u64 {
        self.text.trim_end_matches(['\n', '\r']).split('\n').count() as u64
    }

    /// Whether the file's last line has no end and `line` is that line.
    pub(crate) fn ends_within(&self, line: u64) -> bool {
        !self.text.ends_with('\n') && self.text.split('\n').count() as u64 == line
    }
}

fn unpacked(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let (name, result) = match bytes[..] {
        [0x1f, 0x8b, ..] => ("gzip", read_to_limit(MultiGzDecoder::new(&bytes[..]), &mut text)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let mut decoder = zstd::stream::read::Decoder::new(&bytes[..])?;
            // `zstd --long=31` writes windows that the library refuses by default.
            decoder.window_log_max(31)?;
            ("zstd", read_to_limit(decoder, &mut text))
        }
        _ => return Ok(bytes),
    };
    match result {
        Ok(()) => Ok(text),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            format!("truncated: the {name} data ends too early; fetch or write the file again"),
        )),
        Err(error) => Err(error),
    }
}
