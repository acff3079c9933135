//! What is answered, in the Hub's names.

use electra_tokenizer::Tokenizer;
use serde::Serialize;

use super::model::Output;
use super::request::Request;

/// One line's answer.
#[derive(Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Rows<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<Rows<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Rows<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hidden_state: Option<Rows<Vec<f32>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabulary_logits: Option<Rows<Vec<f32>>>,
}

/// In the shape of the question: a list, or a list of lists.
#[derive(Serialize)]
#[serde(untagged)]
enum Rows<T> {
    One(Vec<T>),
    Many(Vec<Vec<T>>),
}

impl Answer {
    pub(super) fn new(request: &Request, mut outputs: Vec<Output>, tokenizer: Option<&Tokenizer>) -> Self {
        let nested = request.nested;
        let tokens = tokenizer.map(|tokenizer| {
            let row = |ids: &Vec<i64>| ids.iter().map(|&id| token(tokenizer, id)).collect();
            request.rows.iter().map(|row_of_ids| row(&row_of_ids.input_ids)).collect()
        });
        let mut take = |field: fn(&mut Output) -> Option<Vec<Vec<f32>>>| -> Option<Vec<Vec<Vec<f32>>>> {
            outputs.iter_mut().map(field).collect()
        };
        let last_hidden_state = take(|row| row.hidden.take());
        let vocabulary_logits = take(|row| row.vocabulary.take());
        let logits: Option<Vec<Vec<f32>>> = outputs.into_iter().map(|row| row.logits).collect();
        let probabilities = logits
            .as_ref()
            .map(|rows| rows.iter().map(|row| row.iter().map(probability).collect()).collect());
        Self {
            tokens: tokens.map(|rows| Rows::new(rows, nested)),
            logits: logits.map(|rows| Rows::new(rows, nested)),
            probabilities: probabilities.map(|rows| Rows::new(rows, nested)),
            last_hidden_state: last_hidden_state.map(|rows| Rows::new(rows, nested)),
            vocabulary_logits: vocabulary_logits.map(|rows| Rows::new(rows, nested)),
        }
    }
}

impl<T> Rows<T> {
    fn new(mut rows: Vec<Vec<T>>, nested: bool) -> Self {
        if nested { Self::Many(rows) } else { Self::One(rows.pop().unwrap_or_default()) }
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
