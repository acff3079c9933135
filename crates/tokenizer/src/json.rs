//! The Hub's JSON files beside a vocabulary.

use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::Error;
use crate::pipeline::Normalization;
use crate::special::SpecialNames;

/// What `tokenizer_config.json` and `special_tokens_map.json` say that decides ids; the rest is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
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

impl Settings {
    /// Reads the files in `folder` that are there; `tokenizer_config.json` wins.
    pub(crate) fn beside(folder: &Path) -> Result<Self, Error> {
        let config: Self = read_if_there(&folder.join("tokenizer_config.json"))?;
        let map: Self = read_if_there(&folder.join("special_tokens_map.json"))?;
        Ok(Self {
            pad_token: config.pad_token.or(map.pad_token),
            unk_token: config.unk_token.or(map.unk_token),
            cls_token: config.cls_token.or(map.cls_token),
            sep_token: config.sep_token.or(map.sep_token),
            mask_token: config.mask_token.or(map.mask_token),
            ..config
        })
    }

    /// With BERT's defaults: uncased.
    pub(crate) fn normalization(&self) -> Normalization {
        Normalization {
            lowercase: self.do_lower_case.unwrap_or(true),
            strip_accents: self.strip_accents,
            tokenize_chinese_chars: self.tokenize_chinese_chars.unwrap_or(true),
        }
    }

    /// With BERT's defaults: `[PAD]` and so on.
    pub(crate) fn names(self) -> SpecialNames {
        let bert = SpecialNames::bert();
        SpecialNames {
            pad: self.pad_token.unwrap_or(bert.pad),
            unk: self.unk_token.unwrap_or(bert.unk),
            cls: self.cls_token.unwrap_or(bert.cls),
            sep: self.sep_token.unwrap_or(bert.sep),
            mask: self.mask_token.unwrap_or(bert.mask),
        }
    }
}

fn read_if_there(path: &Path) -> Result<Settings, Error> {
    match read(path) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
        text => parse(path, &text?),
    }
}

/// A whole file as text.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
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
