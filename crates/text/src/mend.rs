//! JSON as other programs write it though the standard does not know it, and words for what cannot be mended.

use serde::de::DeserializeOwned;

/// What stands for a number that is not finite where a number of the file may be asked for: nothing reads it as one.
const NO_NUMBER: &str = "{}";
/// The same where no number is ever asked for.
pub(crate) const NUMBER: &str = "0";

/// Reads JSON that may have numbers as Python writes them, `NaN`, `Infinity` and `-Infinity`. In a field that is not
/// asked for they mean nothing; one that is asked for finds an empty object, which is neither a number nor a text.
///
/// # Errors
/// What the parser says, with columns of the text as it is.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| {
        let (mended, _) = mended(text, false, NO_NUMBER);
        if mended == text { Err(error) } else { serde_json::from_str(&mended) }
    })
}

/// A line in which JSON's parser may go on where it gave up, and how many surrogates were replaced.
///
/// Python writes `NaN`, `Infinity` and `-Infinity` for numbers; they become `number`. With `lossy`, an escape of half a
/// surrogate pair, which is not a character, becomes U+FFFD. Nothing moves, so that columns stay what they were.
pub(crate) fn mended(line: &str, lossy: bool, number: &str) -> (String, u64) {
    let mut mended = String::with_capacity(line.len());
    let mut replaced = 0;
    let mut rest = line;
    let mut in_string = false;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        let mut instead = None;
        let mut written = None;
        if in_string {
            if character == '\\' {
                length = match escaped(rest) {
                    Some(0xd800..0xdc00) if matches!(escaped(&rest[6..]), Some(0xdc00..0xe000)) => 12,
                    Some(0xd800..0xe000) if lossy => {
                        instead = Some("\\ufffd");
                        replaced += 1;
                        6
                    }
                    _ => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                };
            }
        } else {
            written = ["NaN", "-Infinity", "Infinity"].into_iter().find(|name| rest.starts_with(name));
        }
        in_string ^= character == '"';
        if let Some(name) = written {
            length = name.len();
            mended.push_str(&format!("{number:length$}"));
        } else {
            mended.push_str(instead.unwrap_or(&rest[..length]));
        }
        rest = &rest[length..];
    }
    (mended, replaced)
}

/// The number of the escape `\uXXXX` at the beginning.
fn escaped(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

/// Why a line is not a record, in words for whoever wrote the file.
pub(crate) fn reason(line: &str, error: &serde_json::Error) -> String {
    let found = match line.trim_start().as_bytes().first() {
        // What begins like an array but does not end like one is an array over several lines.
        Some(b'[') => Some("an array: write each of its objects on a line of its own"),
        Some(b'"') => Some("a string"),
        Some(b'0'..=b'9' | b'-') => Some("a number"),
        _ => None,
    };
    if let Some(found) = found {
        return format!("expected one JSON object, found {found}");
    }
    // The parser's own " at line 1 column 7" would contradict the line of the file.
    let column = error.column();
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    let hint = if said.contains("surrogate") || said.contains("end of hex escape") {
        ": half of a surrogate pair is not a character; read the file lossily to replace it by U+FFFD"
    } else if error.is_eof() {
        "; write one object a line, and the whole object on that line"
    } else {
        ""
    };
    format!("expected one JSON object: {said} (column {column}){hint}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::{NUMBER, from_json, mended};

    #[test]
    fn numbers_of_python_become_numbers() {
        let line = r#"{"a": NaN, "b": [-Infinity, Infinity], "NaN": "NaN \"Infinity"}"#;
        let expected = r#"{"a": 0  , "b": [0        , 0       ], "NaN": "NaN \"Infinity"}"#;
        assert_eq!(mended(line, false, NUMBER), (expected.to_owned(), 0));
    }

    #[test]
    fn a_number_that_is_asked_for_is_not_made_up() {
        let line = r#"{"text": "NaN", "agreement": NaN}"#;
        let read: BTreeMap<String, Value> = from_json(line).unwrap();
        assert_eq!((&read["text"], read["agreement"].as_f64()), (&Value::from("NaN"), None));
        assert!(from_json::<BTreeMap<String, f64>>(r#"{"agreement": -Infinity}"#).is_err());
        // What is wrong elsewhere is said of its own column.
        for line in [r#"{"a": NaN, "b": }"#, r#"{"a": 0.5, "b": }"#] {
            assert_eq!(from_json::<Value>(line).unwrap_err().column(), 17, "{line}");
        }
    }

    #[test]
    fn half_pairs_are_replaced_where_that_is_allowed() {
        let line = r#"{"a": "\ud83d\ude00 \ud800 \\ud800 \udc00\ud800\ud83d\ude00\u00"}"#;
        let expected = r#"{"a": "\ud83d\ude00 \ufffd \\ud800 \ufffd\ufffd\ud83d\ude00\u00"}"#;
        assert_eq!(mended(line, true, NUMBER), (expected.to_owned(), 3));
        assert_eq!(mended(line, false, NUMBER), (line.to_owned(), 0));
        for line in ["{\"a\": \"\\", "\"\\u", "\"\\ud800", "\"\\é", "\"\\ud8é"] {
            assert_eq!(mended(line, true, NUMBER).0.len(), line.len(), "{line}");
        }
    }
}
