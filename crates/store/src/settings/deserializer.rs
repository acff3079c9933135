//! Values of TOML for serde, with errors by their structure: what was found, and what a reader of settings knows
//! it as that was expected. (serde's own errors are text that speaks of Rust's types.)

use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{self, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use toml::Value;

use super::place::nearest;

/// Why a value is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The value is of another kind, or outside its range.
    Value {
        found: String,
        expected: String,
    },
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    MissingKey {
        key: String,
    },
    /// In the words of the type that was to be read.
    Other(String),
}

impl Refusal {
    fn new(found: &Value, expected: impl Into<String>) -> Self {
        let found = match found {
            Value::Array(_) => "a list".to_owned(),
            Value::Table(_) => "a section of keys".to_owned(),
            value => value.to_string(),
        };
        Self::Value { found, expected: expected.into() }
    }

    /// What is wrong, where the value has been shown already.
    pub(super) fn expectation(&self) -> String {
        match self {
            Self::Value { expected, .. } => format!("expected {expected}"),
            refusal => refusal.to_string(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { found, expected } => write!(f, "{found}; expected {expected}"),
            Self::UnknownKey { key, known } => match nearest(key, known) {
                Some(meant) => write!(f, "there is no such key; did you mean {meant}?"),
                None => write!(f, "there is no such key; expected {}", listed(known)),
            },
            Self::MissingKey { .. } => f.write_str("missing"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Value { found: shown(found), expected: expected.to_string() }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        // Only a number of the right kind gets here from a type of this language.
        let expected = match found {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => format!("a whole number that fits {expected}"),
            _ => expected.to_string(),
        };
        Self::Value { found: shown(found), expected }
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::Value { found: format!("a list of {length}"), expected: expected.to_string() }
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::Value { found: format!("{found:?}"), expected: listed(known) }
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownKey { key: key.to_owned(), known }
    }

    fn missing_field(key: &'static str) -> Self {
        Self::MissingKey { key: key.to_owned() }
    }
}

fn shown(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        Unexpected::Str(value) => format!("{value:?}"),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a section of keys".to_owned(),
        other => other.to_string(),
    }
}

/// `a, b or c`.
fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "none".to_owned(),
    }
}

/// A value that is being read.
pub(super) struct Deserializer(pub(super) Value);

impl IntoDeserializer<'_, Refusal> for Deserializer {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Deserializer {
    fn whole<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Integer(value) => visitor.visit_i64(value),
            value => Err(Refusal::new(&value, "a whole number")),
        }
    }

    fn not_below_0<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Integer(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => Err(Refusal::new(&self.0, "a whole number of at least 0")),
            },
            value => Err(Refusal::new(&value, "a whole number")),
        }
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Float(value) => visitor.visit_f64(value),
            Value::Integer(value) => visitor.visit_f64(value as f64),
            value => Err(Refusal::new(&value, "a number")),
        }
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::String(value) => visitor.visit_string(value),
            value => Err(Refusal::new(&value, "text")),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, expected: &str, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Array(values) => {
                let mut values = SeqDeserializer::new(values.into_iter().map(Deserializer));
                let value = visitor.visit_seq(&mut values)?;
                values.end()?;
                Ok(value)
            }
            value => Err(Refusal::new(&value, expected)),
        }
    }

    fn section<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Table(table) => {
                let entries = table.into_iter().map(|(key, value)| (key, Deserializer(value)));
                visitor.visit_map(MapDeserializer::new(entries))
            }
            value => Err(Refusal::new(&value, "a section of keys")),
        }
    }
}

macro_rules! by_kind {
    ($kind:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            self.$kind(visitor)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Deserializer {
    type Error = Refusal;

    by_kind!(whole: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    by_kind!(not_below_0: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    by_kind!(number: deserialize_f32 deserialize_f64);
    by_kind!(text: deserialize_char deserialize_str deserialize_string);
    by_kind!(section: deserialize_map);
    forward_to_deserialize_any! { bytes byte_buf unit unit_struct identifier ignored_any }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Boolean(value) => visitor.visit_bool(value),
            Value::Integer(value) => visitor.visit_i64(value),
            Value::Float(value) => visitor.visit_f64(value),
            Value::String(value) => visitor.visit_string(value),
            // No setting is a date.
            Value::Datetime(value) => visitor.visit_string(value.to_string()),
            Value::Array(_) => self.list("a list", visitor),
            Value::Table(_) => self.section(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Boolean(value) => visitor.visit_bool(value),
            value => Err(Refusal::new(&value, "true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.list("a list", visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refusal> {
        let expected = format!("a list of {length}");
        match &self.0 {
            Value::Array(values) if values.len() != length => {
                Err(Refusal::Value { found: format!("a list of {}", values.len()), expected })
            }
            _ => self.list(&expected, visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.section(visitor)
    }

    /// A variant's name, or a section with that name alone as its key.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(StringDeserializer::new(name)),
            Value::Table(table) if table.len() == 1 => {
                let entries = table.into_iter().map(|(key, value)| (key, Deserializer(value)));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(entries)))
            }
            value => Err(Refusal::new(&value, listed(variants))),
        }
    }
}
