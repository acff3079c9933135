//! `config.json`, as the class `ElectraConfig` of transformers reads and writes it.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Architecture;
use crate::weights::write_atomically;
use crate::{EncoderConfig, Error};

/// Fields that must have one value, or be absent where `None` is among them: another would be another network.
const FIXED: [(&str, &[Option<&str>]); 7] = [
    ("model_type", &[Some("\"electra\"")]),
    ("hidden_act", &[Some("\"gelu\""), None]),
    ("position_embedding_type", &[Some("\"absolute\""), None]),
    ("is_decoder", &[Some("false"), None]),
    ("add_cross_attention", &[Some("false"), None]),
    ("tie_word_embeddings", &[Some("true"), None]),
    ("pruned_heads", &[Some("{}"), Some("null"), None]),
];

impl EncoderConfig {
    /// Reads a `config.json` of the Hub. Absent rates, eps and the like are those of `ElectraConfig`; sizes
    /// must be there. What does not change the encoder is not looked at.
    ///
    /// # Errors
    /// [`Error::HubConfig`] naming the field, what was found and what was expected, where the file is of a
    /// network that this encoder is not; or if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        File::read(path)?.config()
    }

    /// Writes a `config.json` that transformers loads, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path, architecture: Architecture) -> Result<(), Error> {
        write(self, path, architecture, &Map::new())
    }
}

/// What a `config.json` says of the encoder and of the head, and all of its fields.
pub(super) fn read(path: &Path) -> Result<(EncoderConfig, Architecture, Map<String, Value>), Error> {
    let file = File::read(path)?;
    Ok((file.config()?, file.architecture()?, file.fields))
}

/// A `config.json` with `more` fields.
pub(super) fn write(
    config: &EncoderConfig,
    path: &Path,
    architecture: Architecture,
    more: &Map<String, Value>,
) -> Result<(), Error> {
    let mut fields = json!({
        "architectures": [architecture.name()],
        "attention_probs_dropout_prob": config.attention_probs_dropout_prob,
        "classifier_dropout": null,
        "dtype": "float32",
        "embedding_size": config.embedding_size,
        "hidden_act": "gelu",
        "hidden_dropout_prob": config.hidden_dropout_prob,
        "hidden_size": config.hidden_size,
        "initializer_range": config.initializer_range,
        "intermediate_size": config.intermediate_size,
        "layer_norm_eps": config.layer_norm_eps,
        "max_position_embeddings": config.max_position_embeddings,
        "model_type": "electra",
        "num_attention_heads": config.num_attention_heads,
        "num_hidden_layers": config.num_hidden_layers,
        "pad_token_id": config.pad_token_id,
        "tie_word_embeddings": true,
        "type_vocab_size": config.type_vocab_size,
        "vocab_size": config.vocab_size,
    });
    for (field, value) in more {
        fields[field] = value.clone();
    }
    write_atomically(path, format!("{fields:#}\n").as_bytes())
}

/// A `config.json` that is a JSON object.
struct File<'a> {
    path: &'a Path,
    fields: Map<String, Value>,
}

impl<'a> File<'a> {
    fn read(path: &'a Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::io(path, "reading it"))?;
        let fields = serde_json::from_slice(&text)
            .map_err(|error| Error::format(path, format!("no JSON object: {error}")))?;
        Ok(Self { path, fields })
    }

    fn config(&self) -> Result<EncoderConfig, Error> {
        for (field, accepted) in FIXED {
            let found = self.fields.get(field).map(ToString::to_string);
            if !accepted.contains(&found.as_deref()) {
                return Err(self.refuse(field, accepted[0].unwrap_or_default()));
            }
        }
        let size = |field| self.get(field, "a whole number above 0", None);
        let rate = |field, or| self.get(field, "a number", Some(or));
        let config = EncoderConfig {
            vocab_size: size("vocab_size")?,
            embedding_size: size("embedding_size")?,
            hidden_size: size("hidden_size")?,
            num_hidden_layers: size("num_hidden_layers")?,
            num_attention_heads: size("num_attention_heads")?,
            intermediate_size: size("intermediate_size")?,
            max_position_embeddings: size("max_position_embeddings")?,
            type_vocab_size: self.get("type_vocab_size", "a whole number above 0", Some(2))?,
            hidden_dropout_prob: rate("hidden_dropout_prob", 0.1)?,
            attention_probs_dropout_prob: rate("attention_probs_dropout_prob", 0.1)?,
            layer_norm_eps: rate("layer_norm_eps", 1e-12)?,
            initializer_range: rate("initializer_range", 0.02)?,
            pad_token_id: self.get("pad_token_id", "the id of a token", Some(0))?,
        };
        config.validate().map_err(|error| match error {
            Error::Config { field, expected, .. } => self.refuse(field, expected),
            other => other,
        })?;
        Ok(config)
    }

    fn architecture(&self) -> Result<Architecture, Error> {
        let found: Vec<String> = self.get("architectures", "a list of names", Some(Vec::new()))?;
        let known = Architecture::ALL.into_iter().find(|known| found == [known.name()]);
        known.ok_or_else(|| {
            let names = Architecture::ALL.map(|known| format!("[\"{}\"]", known.name()));
            self.refuse("architectures", names.join(" or "))
        })
    }

    /// A field's value; `or` where it is absent and may be.
    fn get<T: for<'de> Deserialize<'de>>(
        &self,
        field: &'static str,
        expected: &str,
        or: Option<T>,
    ) -> Result<T, Error> {
        match (self.fields.get(field), or) {
            (None, Some(or)) => Ok(or),
            (None, None) => Err(self.refuse(field, expected)),
            (Some(value), _) => T::deserialize(value).map_err(|_| self.refuse(field, expected)),
        }
    }

    fn refuse(&self, field: &'static str, expected: impl Into<String>) -> Error {
        let found = self.fields.get(field).map_or("missing".to_owned(), ToString::to_string);
        Error::HubConfig { path: self.path.to_owned(), field, found, expected: expected.into() }
    }
}
