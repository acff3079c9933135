use std::io;
use std::path::PathBuf;

/// Why a tokenizer could not be loaded, saved or trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A tokenizer could not be written.
    #[error(transparent)]
    Store(#[from] electra_store::Error),

    /// A folder holds neither `tokenizer.json` nor `vocab.txt`.
    #[error("{}: no tokenizer in this folder: expected tokenizer.json or vocab.txt", folder.display())]
    NoTokenizer {
        /// The folder.
        folder: PathBuf,
    },

    /// A tokenizer's file is not UTF-8.
    #[error("{}: not UTF-8 at byte {offset}", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first broken byte, from 0.
        offset: usize,
    },

    /// A tokenizer's file is of a format that is not read.
    #[error("{}: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The format, and what was expected in its place.
        what: String,
    },

    /// A JSON file is malformed or has another shape than expected.
    #[error("{}: line {line}, column {column}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1; 0 where the parser cannot tell.
        line: usize,
        /// Column, counted from 1; 0 where the parser cannot tell.
        column: usize,
        /// What was found and expected.
        reason: String,
    },

    /// The tokenizer's model is of another kind.
    #[error("{}: model: expected WordPiece, found {found}", path.display())]
    NotWordPiece {
        /// The file.
        path: PathBuf,
        /// The model's type.
        found: String,
    },

    /// The tokenizer has a normalizer or pre-tokenizer that a BERT-shaped tokenizer does not have.
    #[error("{}: {part}: expected one of {expected}, found {found}", path.display())]
    Pipeline {
        /// The file.
        path: PathBuf,
        /// `normalizer` or `pre_tokenizer`.
        part: &'static str,
        /// Its type.
        found: String,
        /// The types that are supported.
        expected: String,
    },

    /// The tokenizer puts something else around texts than special tokens of its vocabulary.
    #[error("{}: post_processor: {what}", path.display())]
    PostProcessor {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },

    /// A word may be so long that looking it up takes for ever.
    #[error("{}: model: max_input_chars_per_word: {found}; expected at most {most}", path.display())]
    LongWordLimit {
        /// The file.
        path: PathBuf,
        /// The limit that the file has.
        found: usize,
        /// The largest that works.
        most: usize,
    },

    /// The vocabulary has no token at all.
    #[error("{}: empty vocabulary: expected one token a line", path.display())]
    EmptyVocabulary {
        /// The file.
        path: PathBuf,
    },

    /// Two lines of a `vocab.txt` hold the same token, so that one id could never occur.
    #[error("{}: line {second_line}: token {token:?} is already on line {first_line}", path.display())]
    DuplicateToken {
        /// The file.
        path: PathBuf,
        /// The token.
        token: String,
        /// Where it stands first, counted from 1.
        first_line: usize,
        /// Where it stands again.
        second_line: usize,
    },

    /// Two tokens of a `tokenizer.json` have the same id.
    #[error("{}: tokens {first:?} and {second:?} share the id {id}", path.display())]
    DuplicateId {
        /// The file.
        path: PathBuf,
        /// The id.
        id: u32,
        /// The token that sorts first.
        first: String,
        /// The other token.
        second: String,
    },

    /// A special token is not in the vocabulary.
    #[error("{}: no token {token:?} in the vocabulary: expected one to serve as {role}", path.display())]
    MissingSpecialToken {
        /// The file.
        path: PathBuf,
        /// The token as configured.
        token: String,
        /// `pad_token`, `unk_token`, `cls_token`, `sep_token` or `mask_token`.
        role: &'static str,
    },

    /// A file beside the vocabulary says other than the vocabulary, so that other programs would give other
    /// ids for the same folder.
    #[error("{}: {field}: found {found}, expected {expected}", path.display())]
    Contradiction {
        /// The file, such as `tokenizer_config.json`.
        path: PathBuf,
        /// Its field.
        field: String,
        /// What it says.
        found: String,
        /// What the vocabulary or pipeline says, and what to do.
        expected: String,
    },

    /// A vocabulary begins with a byte order mark.
    #[error("{}: begins with a byte order mark, which would be a part of the first token: remove it", path.display())]
    ByteOrderMark {
        /// The file.
        path: PathBuf,
    },

    /// A folder stands where a tokenizer's file is expected.
    #[error("{}: expected a file, found a folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },

    /// An id does not fit the id type of tensors, a signed 32-bit integer.
    #[error("{}: vocabulary too large: expected ids up to {limit}, found {id}", path.display())]
    VocabularyTooLarge {
        /// The file.
        path: PathBuf,
        /// The largest id.
        id: u32,
        /// The largest id that works.
        limit: u32,
    },

    /// The vocabulary cannot be written as `vocab.txt`, whose line numbers are the ids.
    #[error("vocab.txt: {reason}")]
    VocabTxt {
        /// The token or id at fault and what was expected.
        reason: String,
    },

    /// A field of [`TrainConfig`](crate::TrainConfig) has a value that cannot work.
    #[error("train config: {field}: expected {expected}, found {found}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// The values that work.
        expected: &'static str,
        /// The value.
        found: String,
    },

    /// Special tokens and single characters alone fill more than the vocabulary.
    #[error(
        "vocab_size: expected at least {minimum} (5 special tokens and {characters} characters with their ## \
         forms), found {vocab_size}: raise it, or lower alphabet_limit or character_coverage"
    )]
    VocabularyTooSmall {
        /// The size asked for.
        vocab_size: usize,
        /// The smallest size that this text can do with.
        minimum: usize,
        /// Characters in the alphabet.
        characters: usize,
    },

    /// The training text has no word.
    #[error("no words to train on: the text is empty or holds only white space and control characters")]
    NoWords,

    /// Every word of the training text is longer than WordPiece looks into.
    #[error(
        "no words to train on: all {words} words are longer than 100 characters, which WordPiece maps to [UNK]: put \
         spaces where words or parts of them end"
    )]
    LongWords {
        /// How many words there are.
        words: u64,
    },

    /// The training files could not be read.
    #[error(transparent)]
    Text(#[from] electra_text::Error),

    /// The iterator of training text gave an error.
    #[error("training text: {0}")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
}
