use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The value of the wanted field of a JSON object.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    Text(String),
    Missing,
    Other(&'static str),
}

/// Takes one field out of a JSON object; the others are checked but not kept.
pub(crate) fn field(line: &str, name: &str) -> Result<Found, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(line);
    let found = json.deserialize_map(Object { name })?;
    json.end()?;
    Ok(found)
}

struct Object<'a> {
    name: &'a str,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut found = Found::Missing;
        while let Some(is_it) = map.next_key_seed(Is(self.name))? {
            if is_it {
                // Python's parser lets the last of repeated keys win as well.
                found = map.next_value_seed(Text)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key without copying it.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// Takes a string, and tells what else stands there.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Found, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Found, E> {
        Ok(Found::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found, E> {
        Ok(Found::Other("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Found, E> {
        Ok(Found::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Found, E> {
        Ok(Found::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Found, E> {
        Ok(Found::Other("a number"))
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Other("null"))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Found, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Found::Other("an object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_found_among_others() {
        let line = r#"{"id": 1, "m": {"text": "no", "a": [1, {}]}, "text": "여기\n\"here\"", "z": null}"#;
        assert_eq!(field(line, "text").unwrap(), Found::Text("여기\n\"here\"".into()));
        assert_eq!(
            field(r#"{"te\u0078t": "escaped key"}"#, "text").unwrap(),
            Found::Text("escaped key".into())
        );
        assert_eq!(field(r#"{"text": 1, "text": "last"}"#, "text").unwrap(), Found::Text("last".into()));
    }

    #[test]
    fn what_stands_there_instead_is_named() {
        for (value, name) in [
            ("true", "a boolean"),
            ("-1", "a number"),
            ("1", "a number"),
            ("1.5", "a number"),
            ("null", "null"),
            ("[\"a\", [2]]", "an array"),
            ("{\"a\": {}}", "an object"),
        ] {
            assert_eq!(field(&format!("{{\"text\": {value}}}"), "text").unwrap(), Found::Other(name));
        }
        assert_eq!(field("{}", "text").unwrap(), Found::Missing);
    }

    #[test]
    fn anything_but_one_object_is_an_error() {
        for line in ["[]", "\"text\"", "{\"text\": \"a\"", "{} {}", "", "{\"text\": \"\\ud800\"}"] {
            assert!(field(line, "text").is_err(), "{line}");
        }
    }
}
