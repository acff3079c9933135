//! What is asked: rows of ids, checked against what the model can take.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use electra_encoder::EncoderConfig;
use electra_text::from_json;
use electra_tokenizer::Tokenizer;
use serde_json::{Map, Value};

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
        let fields: Map<String, Value> = match from_json(line) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => bail!("not a JSON object; expected {{\"text\": …}} or {{\"input_ids\": …}}"),
            // Lines are the caller's: to the parser this is always line 1.
            Err(error) => {
                bail!("not JSON: {}", error.to_string().replace(" at line 1 column ", " at column "))
            }
        };
        match (fields.get("text"), fields.get("input_ids")) {
            (None, Some(_)) => self.ids(&fields),
            (Some(text), None) => {
                for field in ["token_type_ids", "attention_mask"] {
                    ensure!(!fields.contains_key(field), "{field}: goes with input_ids, not with text");
                }
                let text = text.as_str().with_context(|| format!("text: {text}; expected a string"))?;
                self.text(text).context("text")
            }
            (Some(_), Some(_)) => bail!("text and input_ids; expected one of the two"),
            (None, None) => bail!("neither text nor input_ids; expected one of the two"),
        }
    }

    fn ids(&self, fields: &Map<String, Value>) -> Result<Request> {
        let below = |most: i64| move |value: &Value| value.as_i64().filter(|id| (0..most).contains(id));
        let up_to = |most: i64| format!("0 to {}", most - 1);
        let Self { config: EncoderConfig { vocab_size, type_vocab_size, .. }, .. } = *self;

        let ids = Lists::read("input_ids", &fields["input_ids"], below(*vocab_size), &up_to(*vocab_size))?;
        for row in &ids.rows {
            ensure!(!row.is_empty(), "input_ids: an empty list; expected at least one id");
        }
        self.check_length(ids.rows[0].len(), "ids").context("input_ids")?;
        let types = match fields.get("token_type_ids") {
            Some(value) => {
                let types =
                    Lists::read("token_type_ids", value, below(*type_vocab_size), &up_to(*type_vocab_size))?;
                types.check_shape("token_type_ids", &ids)?;
                types.rows
            }
            None => ids.rows.iter().map(|row| vec![0; row.len()]).collect(),
        };
        let masks = match fields.get("attention_mask") {
            Some(value) => {
                let mask = |value: &Value| value.as_bool().or_else(|| below(2)(value).map(|bit| bit == 1));
                let masks = Lists::read("attention_mask", value, mask, "0 or 1")?;
                masks.check_shape("attention_mask", &ids)?;
                // A softmax over nothing has no value.
                ensure!(
                    masks.rows.iter().all(|row| row.contains(&true)),
                    "attention_mask: a row of zeros; expected a 1 in each"
                );
                masks.rows
            }
            None => ids.rows.iter().map(|row| vec![true; row.len()]).collect(),
        };
        let rows = ids.rows.into_iter().zip(types).zip(masks);
        let row =
            |((input_ids, token_type_ids), attention_mask)| Row { input_ids, token_type_ids, attention_mask };
        Ok(Request { rows: rows.map(row).collect(), nested: ids.nested })
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

/// A field that is a list, or a list of lists of one length.
struct Lists<T> {
    rows: Vec<Vec<T>>,
    nested: bool,
}

impl<T> Lists<T> {
    /// `entry` gives the value of an entry, none if it is not one of `expected`.
    fn read(field: &str, value: &Value, entry: impl Fn(&Value) -> Option<T>, expected: &str) -> Result<Self> {
        let list = |value: &Value, place: &str| -> Result<Vec<T>> {
            let entries = value.as_array().with_context(|| format!("{place}: {value}; expected a list"))?;
            let entries = entries.iter().enumerate().map(|(index, value)| {
                entry(value).with_context(|| format!("{place}[{index}]: {value}; expected {expected}"))
            });
            entries.collect()
        };
        let nested = value.as_array().is_some_and(|rows| rows.first().is_some_and(Value::is_array));
        if !nested {
            return Ok(Self { rows: vec![list(value, field)?], nested });
        }
        let rows = value.as_array().into_iter().flatten().enumerate();
        let rows: Vec<Vec<T>> =
            rows.map(|(index, row)| list(row, &format!("{field}[{index}]"))).collect::<Result<_>>()?;
        for (index, row) in rows.iter().enumerate() {
            let (found, first) = (row.len(), rows[0].len());
            ensure!(found == first, "{field}[{index}]: {found} numbers; expected {first}, as in {field}[0]");
        }
        Ok(Self { rows, nested })
    }

    /// Refuses what has not the shape of `input_ids`.
    fn check_shape<U>(&self, field: &str, ids: &Lists<U>) -> Result<()> {
        let shape = |nested: bool, rows: usize, length: usize| {
            if nested { format!("{rows} lists of {length} numbers") } else { format!("{length} numbers") }
        };
        let found = shape(self.nested, self.rows.len(), self.rows[0].len());
        let expected = shape(ids.nested, ids.rows.len(), ids.rows[0].len());
        ensure!(found == expected, "{field}: {found}; expected {expected}, as in input_ids");
        Ok(())
    }
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
            (json!({ "input_ids": [2, 50] }), "input_ids[1]: 50; expected 0 to 49"),
            (json!({ "input_ids": [[2, 3], [2, -1]] }), "input_ids[1][1]: -1; expected 0 to 49"),
            (json!({ "input_ids": [1.5] }), "input_ids[0]: 1.5; expected 0 to 49"),
            (json!({ "input_ids": [true] }), "input_ids[0]: true; expected 0 to 49"),
            (
                json!({ "input_ids": [[1, 2], [1]] }),
                "input_ids[1]: 1 numbers; expected 2, as in input_ids[0]",
            ),
            (json!({ "input_ids": [[1, 2], 1] }), "input_ids[1]: 1; expected a list"),
            (json!({ "input_ids": [1, [1]] }), "input_ids[1]: [1]; expected 0 to 49"),
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
