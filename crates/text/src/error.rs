use std::io;
use std::path::PathBuf;

/// Why text could not be found or read. Standard input is named `<stdin>`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The list of inputs was empty.
    #[error("no input: name at least one file, folder, glob pattern, or `-` for standard input")]
    NoInput,

    /// A named file or folder does not exist.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// What was named.
        path: PathBuf,
    },

    /// A glob pattern matched no file.
    #[error("{pattern}: no file matches this pattern")]
    NoMatch {
        /// The pattern as given.
        pattern: String,
    },

    /// A glob pattern could not be understood.
    #[error("{pattern}: not a glob pattern: {reason}")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it, and where.
        reason: String,
    },

    /// A folder holds no file with a known extension that is not a part of a tokenizer or corpus.
    #[error(
        "{}: no text in this folder: expected files named .txt, .text, .jsonl, .ndjson (also with .gz or \
         .zst) or .parquet, found {left_out} others",
        folder.display()
    )]
    NoText {
        /// The folder.
        folder: PathBuf,
        /// How many files and hidden folders it holds that were left out.
        left_out: usize,
    },

    /// The same file is reached by two of the inputs.
    #[error(
        "{}: named twice (by {first} and by {second}): name each file once, or copy it if its text shall \
         count double",
        path.display()
    )]
    Repeated {
        /// The file.
        path: PathBuf,
        /// The input that named it first.
        first: String,
        /// The input that named it again.
        second: String,
    },

    /// A file could not be opened or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system, or the decoder of a damaged file, said.
        source: io::Error,
    },

    /// A compressed file ends before its data does.
    #[error("{}: truncated: the {compression} data ends too early; fetch or write the file again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// `gzip` or `zstd`.
        compression: &'static str,
    },

    /// A file is of a format that is not read.
    #[error("{}: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The format, and what was expected in its place.
        what: String,
    },

    /// A line is not UTF-8, and the configuration is not lossy.
    #[error(
        "{}: line {line}: not UTF-8 at byte {offset}: convert the file, or read it lossily, which replaces \
         broken bytes by U+FFFD",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// Offset of the first broken byte in the decompressed file, from 0.
        offset: u64,
    },

    /// A line is longer than [`ReadConfig::max_line_bytes`](crate::ReadConfig::max_line_bytes).
    #[error(
        "{}: line {line}: longer than {limit} bytes: break the text into lines, or raise max_line_bytes if \
         memory allows",
        path.display()
    )]
    LineTooLong {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },

    /// A line of a JSON Lines file is not a JSON object.
    #[error("{}: line {line}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// What was expected and what the parser said, with its column.
        reason: String,
    },

    /// A record lacks the text field, or the field is not a string.
    #[error("{}: line {line}: expected a string in field {field:?}, found {found}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Line, or row of a Parquet file, counted from 1.
        line: u64,
        /// The field's name.
        field: String,
        /// What was found instead.
        found: String,
    },

    /// A Parquet file is damaged or has no such column of strings.
    #[error("{}: {reason}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        reason: String,
    },

    /// Reading this file needs a feature of `electra-text` that this build lacks.
    #[error("{}: this build cannot read {feature} files: build electra-text with its feature `{feature}`", path.display())]
    MissingFeature {
        /// The file.
        path: PathBuf,
        /// The feature's name.
        feature: &'static str,
    },

    /// A field of [`ReadConfig`](crate::ReadConfig) has a value that cannot work.
    #[error("read config: {field}: expected {expected}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// The values that work.
        expected: &'static str,
    },
}
