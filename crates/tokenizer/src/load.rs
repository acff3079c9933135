use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tokenizers::models::wordpiece::WordPiece;

use crate::agree::{add_named, check_normalization};
use crate::frame;
use crate::json::{Beside, parse, read};
use crate::pipeline::{NORMALIZERS, Normalization, PRE_TOKENIZERS, Pipeline, bert};
use crate::special::SpecialNames;
use crate::vocab::{check_types, checked};
use crate::{Error, Tokenizer};

impl Tokenizer {
    /// Loads a tokenizer from a folder, from a `tokenizer.json`, or from a BERT `vocab.txt` (any file whose
    /// name does not end in `.json`).
    ///
    /// A folder's `tokenizer.json` is preferred to its `vocab.txt`. A vocabulary alone gets the pipeline of
    /// `transformers`' `BertTokenizerFast`, with `do_lower_case`, `strip_accents` and
    /// `tokenize_chinese_chars` of the `tokenizer_config.json` beside it, uncased without one. The names of
    /// the special tokens come from `tokenizer_config.json` or `special_tokens_map.json`, and are BERT's
    /// without either.
    ///
    /// # Errors
    /// A file that is missing, malformed, not UTF-8, not WordPiece, without one of the five special tokens,
    /// with duplicate tokens or ids, or with an id of 2³¹ or more; and files beside it that contradict it
    /// ([`Error::Contradiction`]).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        if path.is_dir() {
            let files = [path.join("tokenizer.json"), path.join("vocab.txt")];
            let Some(file) = files.iter().find(|file| file.exists()) else {
                return Err(Error::NoTokenizer { folder: path.to_owned() });
            };
            return Self::load_file(file);
        }
        Self::load_file(path)
    }

    fn load_file(path: &Path) -> Result<Self, Error> {
        let text = read(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let beside = Beside::read(folder)?;
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            from_json(path, &text, &beside, folder)
        } else {
            if text.starts_with('\u{feff}') {
                return Err(Error::ByteOrderMark { path: path.to_owned() });
            }
            let (normalization, names) = (beside.config.normalization(), beside.config.names());
            let mut pipeline = from_tokens(lines(&text), normalization, &names.unk, path)?;
            add_named(&mut pipeline, &beside, folder)?;
            checked(pipeline, names, path)
        }
    }

    /// BERT's tokenizer for a vocabulary in memory, in the order of the ids, with `[PAD]`, `[UNK]`, `[CLS]`,
    /// `[SEP]` and `[MASK]` somewhere in it. `lowercase` strips accents as well.
    ///
    /// # Errors
    /// As [`load`](Self::load); messages name the file `<vocabulary>`.
    pub fn from_vocab<S: AsRef<str>>(tokens: &[S], lowercase: bool) -> Result<Self, Error> {
        let normalization = Normalization { lowercase, strip_accents: None, tokenize_chinese_chars: true };
        let tokens = tokens.iter().map(AsRef::as_ref);
        let (names, origin) = (SpecialNames::bert(), Path::new("<vocabulary>"));
        checked(from_tokens(tokens, normalization, &names.unk, origin)?, names, origin)
    }
}

/// Lines as Python's text files have them. Only the line end is taken off: a token may be any white space.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
        .map(|line| line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line)))
}

fn from_tokens<'t>(
    tokens: impl Iterator<Item = &'t str>,
    normalization: Normalization,
    unk_token: &str,
    path: &Path,
) -> Result<Pipeline, Error> {
    let mut vocab = HashMap::new();
    for (index, token) in tokens.enumerate() {
        let Ok(id) = u32::try_from(index) else {
            return Err(Error::VocabularyTooLarge {
                path: path.to_owned(),
                id: u32::MAX,
                limit: i32::MAX as u32,
            });
        };
        match vocab.entry(token.to_owned()) {
            Entry::Vacant(entry) => entry.insert(id),
            Entry::Occupied(entry) => {
                return Err(Error::DuplicateToken {
                    path: path.to_owned(),
                    token: token.to_owned(),
                    first_line: *entry.get() as usize + 1,
                    second_line: index + 1,
                });
            }
        };
    }
    Ok(bert(word_piece(vocab, unk_token), normalization.bert()))
}

/// BERT's model: `##` continues a word, words over 100 characters are unknown.
pub(crate) fn word_piece(vocab: HashMap<String, u32>, unk_token: &str) -> WordPiece {
    WordPiece::builder()
        .vocab(vocab.into_iter().collect::<ahash::AHashMap<_, _>>())
        .unk_token(unk_token.to_owned())
        .continuing_subword_prefix("##".to_owned())
        .max_input_chars_per_word(100)
        .build()
        .expect("building from a vocabulary in memory reads no file")
}

/// As much of a tokenizer.json as tells what it is.
#[derive(Deserialize)]
struct Kind {
    model: ModelKind,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
}

/// The longest word that is looked up: the time that it takes grows with the third power of its length.
const MOST_WORD_CHARS: usize = 1000;

#[derive(Deserialize)]
struct ModelKind {
    /// Absent in old files, where the other fields tell.
    r#type: Option<Value>,
}

fn from_json(path: &Path, text: &str, beside: &Beside, folder: &Path) -> Result<Tokenizer, Error> {
    let kind: Kind = parse(path, text)?;
    match kind.model.r#type {
        None => {}
        Some(Value::String(name)) if name == "WordPiece" => {}
        Some(Value::String(found)) => return Err(Error::NotWordPiece { path: path.to_owned(), found }),
        Some(other) => return Err(Error::NotWordPiece { path: path.to_owned(), found: other.to_string() }),
    }
    // The library panics at some parts that it does not like, so they are looked at before it reads them.
    check_types("normalizer", Some(&kind.normalizer), NORMALIZERS, path)?;
    check_types("pre_tokenizer", Some(&kind.pre_tokenizer), PRE_TOKENIZERS, path)?;
    frame::check(Some(&kind.post_processor))
        .map_err(|what| Error::PostProcessor { path: path.to_owned(), what })?;
    let mut pipeline: Pipeline = parse(path, text)?;
    let found = pipeline.get_model().max_input_chars_per_word;
    if found > MOST_WORD_CHARS {
        return Err(Error::LongWordLimit { path: path.to_owned(), found, most: MOST_WORD_CHARS });
    }
    check_normalization(&pipeline, beside, folder)?;
    add_named(&mut pipeline, beside, folder)?;
    let names = beside.config.names();
    let names = SpecialNames { unk: pipeline.get_model().unk_token.clone(), ..names };
    checked(pipeline, names, path)
}
