//! What a post-processor puts around texts, found by giving it one token of each.

use serde_json::{Map, Value};
use tokenizers::Encoding as Library;

use crate::Encoding;
use crate::pipeline::{POST_PROCESSORS, Pipeline, as_json, types};

/// Special tokens and token types around one text, or around two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    /// What stands before the first text, between each and the next, and behind the last: ids with their types.
    around: Vec<Vec<(u32, u32)>>,
    /// The type of each text's tokens.
    types: Vec<u32>,
}

/// Tokens that stand for texts: no vocabulary reaches so far.
const TEXTS: [u32; 2] = [u32::MAX, u32::MAX - 1];

impl Frame {
    /// What the post-processor puts around `texts` texts, one or two.
    ///
    /// # Errors
    /// In words, if it leaves a text out or has it twice, or has a token that the vocabulary lacks.
    pub(crate) fn of(pipeline: &Pipeline, texts: usize, vocab_size: usize) -> Result<Self, String> {
        let name = if texts == 1 { "one text" } else { "a pair" };
        let mut stand_ins = TEXTS.into_iter().take(texts).map(stand_in);
        let first = stand_ins.next().expect("there is at least one text");
        let processed = pipeline
            .post_process(first, stand_ins.next(), true)
            .map_err(|error| format!("of {name}: {error}"))?;
        let mut frame = Self { around: vec![Vec::new()], types: Vec::new() };
        for (&id, &type_id) in processed.get_ids().iter().zip(processed.get_type_ids()) {
            if TEXTS.get(frame.types.len()).is_some_and(|text| *text == id) {
                frame.types.push(type_id);
                frame.around.push(Vec::new());
            } else if id as usize >= vocab_size {
                let found = if TEXTS.contains(&id) {
                    "the texts in another order".to_owned()
                } else {
                    format!("the id {id}")
                };
                return Err(format!(
                    "of {name}: found {found}; expected ids below {vocab_size} around each text once"
                ));
            } else {
                frame.around.last_mut().expect("there is a first part").push((id, type_id));
            }
        }
        if frame.types.len() < texts {
            return Err(format!("of {name}: it leaves a text out; expected each of them once"));
        }
        Ok(frame)
    }

    /// The largest type of a token.
    pub(crate) fn last_type(&self) -> u32 {
        let special = self.around.iter().flatten().map(|(_, type_id)| *type_id);
        special.chain(self.types.iter().copied()).max().unwrap_or(0)
    }

    /// The texts' ids with their types, and with what is around them if that is asked for.
    pub(crate) fn put_around(&self, texts: Vec<Vec<u32>>, with_special_tokens: bool) -> Encoding {
        let around = |place: usize| {
            let special = self.around.get(place).filter(|_| with_special_tokens);
            special.into_iter().flatten().copied()
        };
        // Of the first text, which may be long, there is no copy.
        let (mut input_ids, mut token_type_ids) = (Vec::new(), Vec::new());
        for (place, ids) in texts.into_iter().enumerate() {
            let type_id = self.types.get(place).copied().unwrap_or(0);
            if place == 0 {
                input_ids = ids;
                input_ids.splice(0..0, around(0).map(|(id, _)| id));
            } else {
                input_ids.extend(around(place).map(|(id, _)| id));
                token_type_ids.extend(around(place).map(|(_, type_id)| type_id));
                input_ids.extend(ids);
            }
            if place == 0 {
                token_type_ids.reserve_exact(input_ids.len());
                token_type_ids.extend(around(0).map(|(_, type_id)| type_id));
            }
            token_type_ids.resize(input_ids.len(), type_id);
        }
        input_ids.extend(around(self.types.len()).map(|(id, _)| id));
        token_type_ids.extend(around(self.types.len()).map(|(_, type_id)| type_id));
        Encoding { input_ids, token_type_ids }
    }
}

fn stand_in(id: u32) -> Library {
    let none = ahash::AHashMap::new();
    Library::new(
        vec![id],
        vec![0],
        vec!["a".into()],
        vec![None],
        vec![(0, 1)],
        vec![0],
        vec![1],
        Vec::new(),
        none,
    )
}

/// Refuses a post-processor of a kind that is not known, or a template that the library would stumble over.
///
/// # Errors
/// In words: what was found, and what was expected.
pub(crate) fn check(post_processor: Option<&Value>) -> Result<(), String> {
    let Some(post_processor) = post_processor.filter(|part| !part.is_null()) else { return Ok(()) };
    let mut kinds = types(Some(post_processor));
    kinds.retain(|kind| kind != "Sequence");
    match &kinds[..] {
        [kind] if POST_PROCESSORS.contains(&kind.as_str()) => {}
        // Files of old have no types; the library knows the two that are not templates by their fields.
        [] if post_processor.get("cls").is_some() => {}
        _ => return Err(format!("{kinds:?}; expected one of {}", POST_PROCESSORS.join(", "))),
    }
    let mut parts = vec![post_processor];
    while let Some(part) = parts.pop() {
        parts.extend(part["processors"].as_array().into_iter().flatten());
        if part["type"] == "TemplateProcessing" {
            check_template(part)?;
        }
    }
    Ok(())
}

fn check_template(template: &Value) -> Result<(), String> {
    let none = Map::new();
    let special = template["special_tokens"].as_object().unwrap_or(&none);
    for (name, token) in special {
        let [ids, tokens] = ["ids", "tokens"].map(|field| token[field].as_array().map_or(0, Vec::len));
        if ids != tokens || ids == 0 {
            return Err(format!(
                "special token {name:?}: {ids} ids and {tokens} tokens; expected as many of both"
            ));
        }
    }
    for (field, expected) in [("single", &["A"][..]), ("pair", &["A", "B"])] {
        let mut texts = Vec::new();
        for piece in template[field].as_array().into_iter().flatten() {
            if let Some(id) = piece["SpecialToken"]["id"].as_str().filter(|id| !special.contains_key(*id)) {
                return Err(format!("{field}: {id:?} is not among its special_tokens"));
            }
            texts.extend(piece["Sequence"]["id"].as_str());
        }
        if texts != expected {
            return Err(format!("{field}: the texts {texts:?}; expected {expected:?}"));
        }
    }
    Ok(())
}

/// The same of a post-processor that is made already.
pub(crate) fn check_made(pipeline: &Pipeline) -> Result<(), String> {
    check(pipeline.get_post_processor().map(as_json).as_ref())
}
