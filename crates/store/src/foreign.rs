//! Files of a format that nothing here reads, known by their first bytes.

use std::fmt;

/// How many bytes of a file [`Foreign::of`] looks at.
pub const FOREIGN_HEAD: usize = 512;

/// Where a tar archive has its mark.
const TAR: std::ops::Range<usize> = 257..262;

/// Formats by the bytes that every file of theirs begins with.
const MARKS: [(&[u8], &str); 13] = [
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"%PDF-", "PDF"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
];

/// A format that nothing here reads, though its files are met where others are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// What a repository that was cloned without its large files has in their place.
    Pointer,
    /// A compression, an archive or an encoding, by its name.
    Format(&'static str),
}

impl Foreign {
    /// The format whose mark the first bytes of a file have; none if they have no mark that is known. gzip and
    /// zstd, which are read, are not among them.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"version https://git-lfs.github.com/spec/") {
            return Some(Self::Pointer);
        }
        if head.get(TAR) == Some(b"ustar") {
            return Some(Self::Format("a tar archive"));
        }
        let (_, name) = MARKS.iter().find(|(mark, _)| head.starts_with(mark))?;
        // A text may begin with these letters; bzip2's next byte is the size of its blocks.
        let is_text = *name == "bzip2" && !matches!(head.get(3..10), Some([b'1'..=b'9', 0x31 | 0x17, ..]));
        (!is_text).then_some(Self::Format(name))
    }

    /// What a message says of the file; `expected` are the formats that could be read in its place.
    #[must_use]
    pub fn message(self, expected: &str) -> String {
        match self {
            Self::Pointer => self.to_string(),
            Self::Format(_) => format!("{self}; expected {expected}"),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer => {
                f.write_str("a pointer of Git LFS, not the file itself: fetch it with git lfs pull")
            }
            Self::Format(name) => write!(f, "{name}, which is not read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_other_programs_write() {
        let mut tar = b"dir/a.txt\0".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\0");
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        for (head, expected) in [
            // The head of what `printf a | bzip2` and `printf '' | bzip2` write.
            (&b"BZh91AY&SY\x19\x93\x9b\x6b"[..], Some("bzip2")),
            (b"BZh9\x17rE8P\x90\0\0\0\0", Some("bzip2")),
            (b"BZhou is a place", None),
            (b"\xfd7zXZ\0\0\x04", Some("xz")),
            (b"PK\x03\x04\x14\0", Some("a zip archive")),
            (b"PAR1\x15\x04", Some("Parquet")),
            (b"\xff\xfea\0", Some("UTF-16")),
            (b"\xef\xbb\xbfa", None),
            (b"\x1f\x8b\x08", None),
            (b"a text", None),
            (b"", None),
        ] {
            assert_eq!(Foreign::of(head), expected.map(Foreign::Format), "{head:?}");
        }
        assert_eq!(Foreign::of(&tar), Some(Foreign::Format("a tar archive")));
        assert_eq!(Foreign::of(pointer), Some(Foreign::Pointer));
        assert_eq!(
            Foreign::Format("xz").message("plain text, gzip or zstd"),
            "xz, which is not read; expected plain text, gzip or zstd"
        );
        assert!(Foreign::Pointer.message("text").ends_with("fetch it with git lfs pull"));
    }
}
