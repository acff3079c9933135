//! What is asked: rows of ids, checked against what the model can take.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use electra_encoder::EncoderConfig;
use electra_text::from_json;
use electra_tokenizer::Tokenizer;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::lists::{Lists, Text};

/// One row for the encoder. The three are equally long.
pub(super) struct Row {
    pub(super) input_ids: Vec<i64>,
    pub(super) token_type_ids: Vec<i64>,
    pub(super) attention_mask: Vec<bool>,
}

/// One line's rows.
pub(super) struct Request {
    pub(super) rows: Vec<Row>,
    /// Whether the line had lists of lists, as its answer then has.
    pub(super) nested: bool,
}

/// Makes rows of lines.
pub(super) struct Reader<'a> {
    pub(super) tokenizer: Option<&'a Tokenizer>,
    pub(super) config: &'a EncoderConfig,
    /// The model's folder, for messages.
    pub(super) folder: &'a Path,
}

impl Reader<'_> {
    /// `[CLS] text [SEP]`.
    pub(super) fn text(&self, text: &str) -> Result<Request> {
        let Some(tokenizer) = self.tokenizer else {
            let folder = self.folder.display();
            bail!("{folder}: text needs a tokenizer, and there is neither tokenizer.json nor vocab.txt");
        };
        let encoding = tokenizer.encode_with_special_tokens(text);
        let tokens = encoding.input_ids.len();
        self.check_length(tokens, &format!("tokens, of {} bytes of text", text.len()))?;
        let row = Row {
            input_ids: encoding.input_ids.into_iter().map(i64::from).collect(),
            token_type_ids: encoding.token_type_ids.into_iter().map(i64::from).collect(),
            attention_mask: vec![true; tokens],
        };
        Ok(Request { rows: vec![row], nested: false })
    }

    /// A JSON object with `text` or `input_ids`.
    pub(super) fn json(&self, line: &str) -> Result<Request> {
        // Lines are the caller's: to the parser this is always line 1.
        let not_json = |error: serde_json::Error| {
            anyhow!("not JSON: {}", error.to_string().replace(" at line 1 column ", " at column "))
        };
        if !line.trim_start().starts_with('{') {
            from_json::<IgnoredAny>(line).map_err(not_json)?;
            bail!("not a JSON object; expected {{\"text\": …}} or {{\"input_ids\": …}}");
        }
        let question: Question = from_json(line).map_err(not_json)?;
        match (&question.text, &question.input_ids) {
            (None, Some(ids)) => self.ids(ids, &question),
            (Some(text), None) => {
                for (field, given) in [
                    ("token_type_ids", question.token_type_ids.is_some()),
                    ("attention_mask", question.attention_mask.is_some()),
                ] {
                    ensure!(!given, "{field}: goes with input_ids, not with text");
                }
                match text {
                    Text(Ok(text)) => self.text(text).context("text"),
                    Text(Err(shown)) => bail!("text: {shown}; expected a string"),
                }
            }
            (Some(_), Some(_)) => bail!("text and input_ids; expected one of the two"),
            (None, None) => bail!("neither text nor input_ids; expected one of the two"),
        }
    }

    fn ids(&self, ids: &Lists, question: &Question) -> Result<Request> {
        let up_to = |most: i64| format!("0 to {}", most - 1);
        let &EncoderConfig { vocab_size, type_vocab_size, .. } = self.config;
        ids.check("input_ids", vocab_size, false, &up_to(vocab_size))?;
        ensure!(ids.length() > 0, "input_ids: an empty list; expected at least one id");
        self.check_length(ids.length(), "ids").context("input_ids")?;
        if let Some(types) = &question.token_type_ids {
            types.check("token_type_ids", type_vocab_size, false, &up_to(type_vocab_size))?;
            types.check_shape("token_type_ids", ids)?;
        }
        if let Some(masks) = &question.attention_mask {
            masks.check("attention_mask", 2, true, "0 or 1")?;
            masks.check_shape("attention_mask", ids)?;
            // A softmax over nothing has no value.
            let right = masks.rows().all(|row| row.contains(&1));
            ensure!(right, "attention_mask: a row of zeros; expected a 1 in each");
        }
        let mut types = question.token_type_ids.iter().flat_map(Lists::rows);
        let mut masks = question.attention_mask.iter().flat_map(Lists::rows);
        let rows = ids.rows().map(|row| Row {
            input_ids: row.to_vec(),
            token_type_ids: types.next().map_or_else(|| vec![0; row.len()], <[i64]>::to_vec),
            attention_mask: masks
                .next()
                .map_or_else(|| vec![true; row.len()], |mask| mask.iter().map(|bit| *bit == 1).collect()),
        });
        Ok(Request { rows: rows.collect(), nested: ids.is_nested() })
    }

    fn check_length(&self, length: usize, what: &str) -> Result<()> {
        let most = self.config.max_position_embeddings;
        ensure!(
            length as i64 <= most,
            "{length} {what}; expected at most {most}, the model's max_position_embeddings"
        );
        Ok(())
    }
}

/// A line's object. Other fields are passed over.
#[derive(Deserialize)]
struct Question {
    #[serde(default, deserialize_with = "given")]
    text: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    input_ids: Option<Lists>,
    #[serde(default, deserialize_with = "given")]
    token_type_ids: Option<Lists>,
    #[serde(default, deserialize_with = "given")]
    attention_mask: Option<Lists>,
}

/// A field that is there, be it null.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: &str) -> Result<Request> {
        let config = EncoderConfig { vocab_size: 50, max_position_embeddings: 4, ..EncoderConfig::tiny() };
        Reader { tokenizer: None, config: &config, folder: Path::new("model") }.json(line)
    }

    #[test]
    fn what_is_not_given_is_filled_in() {
        let request = read("{\"input_ids\": [4, 5, 6], \"other\": null}").unwrap();
        assert!(!request.nested);
        let [Row { input_ids, token_type_ids, attention_mask }] = &request.rows[..] else {
            panic!("one row")
        };
        assert_eq!((&input_ids[..], &token_type_ids[..]), (&[4, 5, 6][..], &[0, 0, 0][..]));
        assert_eq!(attention_mask[..], [true, true, true]);
        let request = read("{\"input_ids\": [[4], [5]], \"attention_mask\": [[1], [true]]}").unwrap();
        assert_eq!((request.nested, request.rows.len()), (true, 2));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field_and_place() {
        for (request, expected) in [
            (json!([1, 2]), "not a JSON object"),
            (json!({}), "neither text nor input_ids; expected one of the two"),
            (json!({ "text": "a", "input_ids": [1] }), "text and input_ids; expected one of the two"),
            (json!({ "text": 3 }), "text: 3; expected a string"),
            (json!({ "text": "a" }), "text: model: text needs a tokenizer"),
            (
                json!({ "text": "a", "attention_mask": [1] }),
                "attention_mask: goes with input_ids, not with text",
            ),
            (json!({ "input_ids": [1, 2, 3, 4, 5] }), "input_ids: 5 ids; expected at most 4, the model's"),
            (json!({ "input_ids": [] }), "input_ids: an empty list; expected at least one id"),
            (json!({ "input_ids": [[]] }), "input_ids: an empty list; expected at least one id"),
            (json!({ "input_ids": 5 }), "input_ids: 5; expected a list"),
            (json!({ "input_ids": null }), "input_ids: null; expected a list"),
            (json!({ "input_ids": { "a": [1] } }), "input_ids: an object; expected a list"),
            (
                json!({ "input_ids": "x".repeat(1000) }),
                &*format!("input_ids: \"{}\"…; expected", "x".repeat(40)),
            ),
            (json!({ "input_ids": [[[1]]] }), "input_ids[0][0]: a list; expected 0 to 49"),
            (json!({ "input_ids": [[1], [null]] }), "input_ids[1][0]: null; expected 0 to 49"),
            (json!({ "input_ids": [3, "4"] }), "input_ids[1]: \"4\"; expected 0 to 49"),
            (json!({ "input_ids": [u64::MAX] }), "input_ids[0]: 18446744073709551615; expected 0 to 49"),
            (json!({ "text": [1] }), "text: a list; expected a string"),
            (json!({ "text": null }), "text: null; expected a string"),
            (json!({ "input_ids": [2, 50] }), "input_ids[1]: 50; expected 0 to 49"),
            (json!({ "input_ids": [[2, 3], [2, -1]] }), "input_ids[1][1]: -1; expected 0 to 49"),
            (json!({ "input_ids": [1.5] }), "input_ids[0]: 1.5; expected 0 to 49"),
            (json!({ "input_ids": [true] }), "input_ids[0]: true; expected 0 to 49"),
            (
                json!({ "input_ids": [[1, 2], [1]] }),
                "input_ids[1]: 1 numbers; expected 2, as in input_ids[0]",
            ),
            (json!({ "input_ids": [[1, 2], 1] }), "input_ids[1]: 1; expected a list"),
            (json!({ "input_ids": [1, [1]] }), "input_ids[1]: a list; expected 0 to 49"),
            (json!({ "input_ids": [1], "token_type_ids": [2] }), "token_type_ids[0]: 2; expected 0 to 1"),
            (
                json!({ "input_ids": [1, 2], "token_type_ids": [0] }),
                "token_type_ids: 1 numbers; expected 2 numbers, as in input_ids",
            ),
            (
                json!({ "input_ids": [[1, 2]], "attention_mask": [1, 1] }),
                "attention_mask: 2 numbers; expected 1 lists of 2 numbers, as in input_ids",
            ),
            (json!({ "input_ids": [1], "attention_mask": [2] }), "attention_mask[0]: 2; expected 0 or 1"),
            (
                json!({ "input_ids": [[1], [1]], "attention_mask": [[1], [0]] }),
                "attention_mask: a row of zeros; expected a 1 in each",
            ),
        ] {
            let error = read(&request.to_string()).map(|request| request.rows.len()).unwrap_err();
            let message = error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
            assert!(message.starts_with(expected), "{request}: {message}");
        }
    }

    #[test]
    fn what_is_no_json_is_named_by_its_column() {
        for (line, expected) in [
            ("", "not JSON: EOF while parsing a value at column 0"),
            ("{\"input_ids\": [1, 2", "not JSON: EOF while parsing a list at column 19"),
            ("{} {}", "not JSON: trailing characters at column 4"),
        ] {
            assert_eq!(read(line).map(|request| request.rows.len()).unwrap_err().to_string(), expected);
        }
    }
}
