//! What is answered, in the Hub's names.

use electra_tokenizer::Tokenizer;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::model::Output;
use super::request::{Request, Row};

/// One line's answer, in the shape of the question: lists, or lists of lists. Tokens and probabilities are made while they
/// are written.
pub(super) struct Answer<'a> {
    request: &'a Request,
    outputs: Vec<Output>,
    tokenizer: Option<&'a Tokenizer>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(request: &'a Request, outputs: Vec<Output>, tokenizer: Option<&'a Tokenizer>) -> Self {
        Self { request, outputs, tokenizer }
    }
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        let nested = self.request.nested;
        if let Some(tokenizer) = self.tokenizer {
            let tokens =
                |row: &'_ Row| row.input_ids.iter().map(|&id| token(tokenizer, id)).collect::<Vec<_>>();
            fields.serialize_entry("tokens", &Rows { rows: &self.request.rows, nested, row: tokens })?;
        }
        let outputs = &self.outputs[..];
        if outputs.iter().all(|row| row.logits.is_some()) {
            let logits = |row: &Output| row.logits.clone().unwrap_or_default();
            fields.serialize_entry("logits", &Rows { rows: outputs, nested, row: logits })?;
            let probabilities =
                |row: &Output| row.logits.iter().flatten().map(probability).collect::<Vec<f32>>();
            fields.serialize_entry("probabilities", &Rows { rows: outputs, nested, row: probabilities })?;
        }
        for (name, field) in [
            ("last_hidden_state", (|row| row.hidden.as_ref()) as fn(&Output) -> Option<&Vec<Vec<f32>>>),
            ("vocabulary_logits", |row| row.vocabulary.as_ref()),
        ] {
            if outputs.iter().all(|row| field(row).is_some()) {
                let row = |row: &Output| field(row).cloned().unwrap_or_default();
                fields.serialize_entry(name, &Rows { rows: outputs, nested, row })?;
            }
        }
        fields.end()
    }
}

/// What is said of each row, made row by row.
struct Rows<'a, R, F> {
    rows: &'a [R],
    nested: bool,
    row: F,
}

impl<R, T: Serialize, F: Fn(&R) -> Vec<T>> Serialize for Rows<'_, R, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = self.rows.iter().map(&self.row);
        if self.nested {
            return serializer.collect_seq(rows);
        }
        rows.next().unwrap_or_default().serialize(serializer)
    }
}

/// Of "replaced".
pub(super) fn probability(logit: &f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(*logit)).exp())) as f32
}

/// The token of an id; an id without one is shown as a number.
fn token(tokenizer: &Tokenizer, id: i64) -> String {
    let known = u32::try_from(id).ok().and_then(|id| tokenizer.id_to_token(id));
    known.unwrap_or_else(|| format!("<{id}>"))
}
