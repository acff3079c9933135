//! `config.json`, as the classes `ElectraConfig` and `ModernBertConfig` of transformers read and write it.

mod architecture;
mod electra;
mod modernbert;

use std::path::Path;

use electra_store::Foreign;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use self::architecture::Architecture;
use crate::{Backbone, EncoderConfig, Error};

impl EncoderConfig {
    /// Reads a `config.json` of the Hub. Absent rates, eps and the like are those of the class that reads it; sizes
    /// must be there. What does not change the encoder is not looked at.
    ///
    /// # Errors
    /// [`Error::Hub`] naming the field, what was found and what was expected, where the file is of a
    /// network that this encoder is not; or if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        File::read(path)?.config()
    }

    /// As [`read`](Self::read), with the class of transformers that the file names, and all of its fields.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`Error::Hub`] if the class is not one of [`Architecture`].
    pub fn read_whole(path: &Path) -> Result<(Self, Architecture, Map<String, Value>), Error> {
        let file = File::read(path)?;
        let config = file.config()?;
        let architecture = file.architecture(config.architecture)?;
        Ok((config, architecture, file.fields))
    }

    /// The fields of a `config.json` that transformers loads; where an ELECTRA's positions are rotary, it refuses the
    /// `model_type`.
    #[must_use]
    pub fn to_hub(&self, architecture: Architecture) -> Map<String, Value> {
        let fields = match self.architecture {
            Backbone::Electra => electra::fields(self, architecture),
            Backbone::ModernBert => modernbert::fields(self, architecture),
        };
        let Value::Object(fields) = fields else { unreachable!("it is written as an object") };
        fields
    }
}

/// Values that a field may have, as JSON, or its absence: others would be of another network.
type Fixed = (&'static str, &'static [Option<&'static str>]);

/// A `config.json` that is a JSON object.
struct File<'a> {
    path: &'a Path,
    fields: Map<String, Value>,
}

impl<'a> File<'a> {
    fn read(path: &'a Path) -> Result<Self, Error> {
        let text = electra_store::read(path)?;
        let fields = serde_json::from_slice(&text).map_err(|error| {
            let foreign = Foreign::of(&text).map(|foreign| foreign.message("a JSON object"));
            let what = foreign.unwrap_or_else(|| format!("is not a JSON object: {error}"));
            Error::Format { path: path.to_owned(), what }
        })?;
        Ok(Self { path, fields })
    }

    fn config(&self) -> Result<EncoderConfig, Error> {
        let found = self.fields.get("model_type").and_then(Value::as_str);
        match found {
            Some(modernbert::MODEL_TYPE | modernbert::CAUSAL_MODEL_TYPE) => modernbert::config(self),
            _ => electra::config(self),
        }
    }

    /// Refuses a field that has none of its values.
    fn check_fixed(&self, fixed: &[Fixed]) -> Result<(), Error> {
        for (field, accepted) in fixed {
            let found = self.fields.get(*field).map(ToString::to_string);
            if !accepted.contains(&found.as_deref()) {
                let expected = accepted.iter().flatten().next().copied().unwrap_or("no such field");
                return Err(self.refuse(field, expected));
            }
        }
        Ok(())
    }

    fn size(&self, field: &'static str) -> Result<i64, Error> {
        self.get(field, "a whole number above 0", None)
    }

    fn number(&self, field: &'static str, or: f64) -> Result<f64, Error> {
        self.get(field, "a number", Some(or))
    }

    fn architecture(&self, backbone: Backbone) -> Result<Architecture, Error> {
        let found: Vec<String> = self.get("architectures", "a list of names", Some(Vec::new()))?;
        let known = Architecture::of_class(backbone, &found, self.fields.get("id2label"));
        known.ok_or_else(|| {
            let names: Vec<_> =
                Architecture::classes(backbone).into_iter().map(|name| format!("[\"{name}\"]")).collect();
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
        Error::Hub { path: self.path.to_owned(), field, found, expected: expected.into() }
    }
}
