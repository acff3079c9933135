//! The Hub's JSON files beside a vocabulary.

use std::io;
use std::path::Path;

use electra_store::{Foreign, read_whole};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::Error;
use crate::pipeline::Normalization;
use crate::special::SpecialNames;

pub(crate) const CONFIG: &str = "tokenizer_config.json";
pub(crate) const MAP: &str = "special_tokens_map.json";
pub(crate) const ADDED: &str = "added_tokens.json";

/// What `tokenizer_config.json` and `special_tokens_map.json` say that decides ids; the rest is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) tokenizer_class: Option<String>,
    pub(crate) do_lower_case: Option<bool>,
    pub(crate) strip_accents: Option<bool>,
    pub(crate) tokenize_chinese_chars: Option<bool>,
    pub(crate) additional_special_tokens: Value,
    pub(crate) extra_special_tokens: Value,
    pub(crate) added_tokens_decoder: Value,
    #[serde(deserialize_with = "token")]
    pad_token: Option<String>,
    #[serde(deserialize_with = "token")]
    unk_token: Option<String>,
    #[serde(deserialize_with = "token")]
    cls_token: Option<String>,
    #[serde(deserialize_with = "token")]
    sep_token: Option<String>,
    #[serde(deserialize_with = "token")]
    mask_token: Option<String>,
}

/// The files beside a vocabulary, as far as they are there.
pub(crate) struct Beside {
    /// `tokenizer_config.json`, with the names of special tokens that only the map gives.
    pub(crate) config: Settings,
    /// `additional_special_tokens` of `special_tokens_map.json`.
    pub(crate) map_additional: Value,
    /// `added_tokens.json`.
    pub(crate) added: Value,
}

/// A token is written as a string, or as an object with flags that BERT leaves at their defaults.
fn token<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Token {
        Plain(String),
        Flagged { content: String },
    }
    Ok(Option::<Token>::deserialize(value)?.map(|token| match token {
        Token::Plain(content) | Token::Flagged { content } => content,
    }))
}

impl Beside {
    /// Reads the files in `folder` that are there; `tokenizer_config.json` wins.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let config: Settings = read_if_there(&folder.join(CONFIG))?;
        let map: Settings = read_if_there(&folder.join(MAP))?;
        let config = Settings {
            pad_token: config.pad_token.or(map.pad_token),
            unk_token: config.unk_token.or(map.unk_token),
            cls_token: config.cls_token.or(map.cls_token),
            sep_token: config.sep_token.or(map.sep_token),
            mask_token: config.mask_token.or(map.mask_token),
            ..config
        };
        let added = read_if_there(&folder.join(ADDED))?;
        Ok(Self { config, map_additional: map.additional_special_tokens, added })
    }
}

impl Settings {
    /// With BERT's defaults: uncased.
    pub(crate) fn normalization(&self) -> Normalization {
        Normalization {
            lowercase: self.do_lower_case.unwrap_or(true),
            strip_accents: self.strip_accents,
            tokenize_chinese_chars: self.tokenize_chinese_chars.unwrap_or(true),
        }
    }

    /// With BERT's defaults: `[PAD]` and so on.
    pub(crate) fn names(&self) -> SpecialNames {
        let bert = SpecialNames::bert();
        SpecialNames {
            pad: self.pad_token.clone().unwrap_or(bert.pad),
            unk: self.unk_token.clone().unwrap_or(bert.unk),
            cls: self.cls_token.clone().unwrap_or(bert.cls),
            sep: self.sep_token.clone().unwrap_or(bert.sep),
            mask: self.mask_token.clone().unwrap_or(bert.mask),
        }
    }
}

fn read_if_there<T: DeserializeOwned + Default>(path: &Path) -> Result<T, Error> {
    match read(path) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        text => parse(path, &text?),
    }
}

/// A whole file as text.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    if path.is_dir() {
        return Err(Error::Folder { path: path.to_owned() });
    }
    let bytes = read_whole(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    if let Some(foreign) = Foreign::of(&bytes) {
        let what = foreign.message("a tokenizer's file as text");
        return Err(Error::Foreign { path: path.to_owned(), what });
    }
    String::from_utf8(bytes)
        .map_err(|error| Error::NotUtf8 { path: path.to_owned(), offset: error.utf8_error().valid_up_to() })
}

pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        // The position has its own place in the message.
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason).to_owned();
        Error::Json { path: path.to_owned(), line: error.line(), column: error.column(), reason }
    })
}
