//! Whether the files beside a vocabulary say what the vocabulary says.
//!
//! `transformers` builds a tokenizer out of all of them. Where they disagree, its ids would not be ours, and
//! nobody would be told; so that is refused by name.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokenizers::AddedToken;

use crate::Error;
use crate::json::{ADDED, Beside, CONFIG, MAP};
use crate::pipeline::{Pipeline, as_json};

/// Classes that take tokenizer.json as it is, whatever else `tokenizer_config.json` says of case and accents.
const AS_IT_IS: [&str; 2] = ["PreTrainedTokenizerFast", "TokenizersBackend"];

/// Classes that take the vocabulary alone out of tokenizer.json.
const ANEW: [&str; 4] = ["BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast"];

/// Refuses a `tokenizer_config.json` that asks for another normalization than tokenizer.json has.
pub(crate) fn check_normalization(pipeline: &Pipeline, beside: &Beside, folder: &Path) -> Result<(), Error> {
    let config = &beside.config;
    if config.tokenizer_class.as_deref().is_some_and(|class| AS_IT_IS.contains(&class)) {
        return Ok(());
    }
    let Some(bert) = pipeline.get_normalizer().map(as_json).and_then(|normalizer| bert(&normalizer)) else {
        return Ok(());
    };
    // Classes that build BERT's pipeline anew have their own defaults: uncased, and accents as the case.
    let anew = config.tokenizer_class.as_deref().is_some_and(|class| ANEW.contains(&class));
    let by_default = |value: Option<bool>, default| match value {
        None if anew => Some((default, "nothing, which this tokenizer_class takes for ")),
        value => value.map(|value| (value, "")),
    };
    let lowercase = bert["lowercase"].as_bool();
    let lowercased = config.do_lower_case.unwrap_or(true);
    let settings = [
        ("do_lower_case", by_default(config.do_lower_case, true), lowercase),
        (
            "strip_accents",
            by_default(config.strip_accents, lowercased),
            bert["strip_accents"].as_bool().or(lowercase),
        ),
        (
            "tokenize_chinese_chars",
            by_default(config.tokenize_chinese_chars, true),
            bert["handle_chinese_chars"].as_bool(),
        ),
    ];
    for (field, found, expected) in settings {
        if let (Some((found, how)), Some(expected)) = (found, expected)
            && found != expected
        {
            let expected = format!("{expected} as in the normalizer of the tokenizer.json beside it");
            return Err(contradiction(&folder.join(CONFIG), field, &format!("{how}{found}"), expected));
        }
    }
    Ok(())
}

fn bert(normalizer: &Value) -> Option<Value> {
    let parts = normalizer["normalizers"].as_array().map_or(std::slice::from_ref(normalizer), Vec::as_slice);
    parts.iter().find(|part| part["type"] == "BertNormalizer").cloned()
}

/// A token that a file says was added to the vocabulary.
struct Named<'a> {
    token: &'a str,
    id: Option<u64>,
    special: bool,
}

/// Marks the special tokens that the files name; refuses tokens that the vocabulary lacks, has under another
/// id, or does not know as added ones.
pub(crate) fn add_named(pipeline: &mut Pipeline, beside: &Beside, folder: &Path) -> Result<(), Error> {
    let config = &beside.config;
    let lists: [(&str, &str, Vec<Named<'_>>); 5] = [
        (CONFIG, "additional_special_tokens", special_tokens(&config.additional_special_tokens)),
        (CONFIG, "extra_special_tokens", special_tokens(&config.extra_special_tokens)),
        (CONFIG, "added_tokens_decoder", decoder(&config.added_tokens_decoder)),
        (MAP, "additional_special_tokens", special_tokens(&beside.map_additional)),
        (ADDED, "", added(&beside.added)),
    ];
    for (file, field, tokens) in lists {
        let path = folder.join(file);
        for named in tokens {
            add(pipeline, &named, &path, field)?;
        }
    }
    Ok(())
}

fn add(pipeline: &mut Pipeline, named: &Named<'_>, path: &Path, field: &str) -> Result<(), Error> {
    let Named { token, id, special } = *named;
    // A file that is one map has the token for its field.
    let place = if field.is_empty() { format!("{token:?}") } else { field.to_owned() };
    let Some(own) = pipeline.token_to_id(token) else {
        let expected = "a token of the vocabulary: append it there, or take it out here".to_owned();
        return Err(contradiction(path, &place, &format!("{token:?}"), expected));
    };
    if let Some(id) = id.filter(|&id| id != u64::from(own)) {
        let found = format!("the id {id} for {token:?}");
        return Err(contradiction(path, &place, &found, format!("{own} as in the vocabulary")));
    }
    if pipeline.get_added_tokens_decoder().contains_key(&own) {
        return Ok(());
    }
    if !special {
        let expected = "one of tokenizer.json's added_tokens: as a word of the vocabulary it is not found \
                        inside other text"
            .to_owned();
        return Err(contradiction(path, &place, &format!("{token:?}"), expected));
    }
    let marked = pipeline.add_special_tokens([AddedToken::from(token, true)]);
    marked.map(|_| ()).map_err(|error| {
        contradiction(path, &place, &format!("{token:?}"), format!("a special token: {error}"))
    })
}

/// A list of tokens, or a map from roles to tokens; each a string or an object with flags.
fn special_tokens(value: &Value) -> Vec<Named<'_>> {
    let values: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    };
    values
        .into_iter()
        .filter_map(|value| value.as_str().or_else(|| value["content"].as_str()))
        .map(|token| Named { token, id: None, special: true })
        .collect()
}

/// A map from ids to tokens with flags.
fn decoder(value: &Value) -> Vec<Named<'_>> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .filter_map(|(id, token)| {
            let special = token["special"] == true;
            Some(Named { token: token["content"].as_str()?, id: id.parse().ok(), special })
        })
        .collect()
}

/// A map from tokens to ids.
fn added(value: &Value) -> Vec<Named<'_>> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(token, id)| Named { token, id: id.as_u64(), special: false }).collect()
}

fn contradiction(path: &Path, field: &str, found: &str, expected: String) -> Error {
    Error::Contradiction {
        path: PathBuf::from(path),
        field: field.to_owned(),
        found: found.to_owned(),
        expected,
    }
}
