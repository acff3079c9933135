//! Checks that every tokenizer passes, wherever it comes from.

use std::path::Path;

use serde::Serialize;
use tokenizers::{AddedToken, Model};

use crate::frame::{self, Frame};
use crate::pipeline::{NORMALIZERS, PRE_TOKENIZERS, Pipeline, template, types};
use crate::special::{SpecialNames, SpecialTokens};
use crate::{Error, Tokenizer};

/// Ids become signed 32-bit integers in tensors of other programs.
const MAX_ID: u32 = i32::MAX as u32;

/// Tokens of the model and added tokens, in the order of their ids.
pub(crate) fn tokens_by_id(pipeline: &Pipeline) -> Vec<(u32, String)> {
    let mut tokens: Vec<_> = pipeline.get_vocab(true).into_iter().map(|(token, id)| (id, token)).collect();
    tokens.sort_unstable();
    tokens
}

/// Builds a tokenizer from a pipeline that was read from `origin`, or says why it would not work.
pub(crate) fn checked(
    mut pipeline: Pipeline,
    names: SpecialNames,
    origin: &Path,
) -> Result<Tokenizer, Error> {
    let path = || origin.to_owned();
    check_types("normalizer", pipeline.get_normalizer(), NORMALIZERS, origin)?;
    check_types("pre_tokenizer", pipeline.get_pre_tokenizer(), PRE_TOKENIZERS, origin)?;

    let tokens = tokens_by_id(&pipeline);
    let Some((last, _)) = tokens.last() else {
        return Err(Error::EmptyVocabulary { path: path() });
    };
    if *last > MAX_ID {
        return Err(Error::VocabularyTooLarge { path: path(), id: *last, limit: MAX_ID });
    }
    if let Some([(id, first), (_, second)]) = tokens.array_windows().find(|[a, b]| a.0 == b.0) {
        let (first, second) = (first.clone(), second.clone());
        return Err(Error::DuplicateId { path: path(), id: *id, first, second });
    }

    let special = special_ids(&pipeline, &names, origin)?;
    let unmarked: Vec<_> = names
        .by_role()
        .into_iter()
        .filter(|(_, token)| !pipeline.get_added_vocabulary().is_special_token(token))
        .map(|(_, token)| AddedToken::from(token, true))
        .collect();
    let malformed = |error: tokenizers::Error| Error::Json {
        path: path(),
        line: 0,
        column: 0,
        reason: format!("special tokens: {error}"),
    };
    pipeline.add_special_tokens(unmarked).map_err(malformed)?;

    // A tokenizer.json may ask for both; text that vanishes unseen helps nobody.
    pipeline.with_truncation(None).map_err(malformed)?;
    pipeline.with_padding(None);
    if pipeline.get_post_processor().is_none() {
        pipeline.with_post_processor(Some(template(&names, &special)));
    }
    let unframed = |what| Error::PostProcessor { path: path(), what };
    frame::check_made(&pipeline).map_err(unframed)?;
    let frame = |texts| Frame::of(&pipeline, texts, *last as usize + 1);
    let frames = [frame(1).map_err(unframed)?, frame(2).map_err(unframed)?];
    Ok(Tokenizer::from_parts(pipeline, names, special, &tokens, frames))
}

pub(crate) fn check_types(
    part: &'static str,
    value: Option<&impl Serialize>,
    supported: &[&str],
    origin: &Path,
) -> Result<(), Error> {
    match types(value).into_iter().find(|found| !supported.contains(&found.as_str())) {
        Some(found) => {
            Err(Error::Pipeline { path: origin.to_owned(), part, found, expected: supported.join(", ") })
        }
        None => Ok(()),
    }
}

fn special_ids(pipeline: &Pipeline, names: &SpecialNames, origin: &Path) -> Result<SpecialTokens, Error> {
    let id = |role: &'static str, token: &str| {
        // The model itself gives out the unknown token; among added tokens it would not be found.
        let id = match role {
            "unk_token" => pipeline.get_model().token_to_id(token),
            _ => pipeline.token_to_id(token),
        };
        let missing =
            || Error::MissingSpecialToken { path: origin.to_owned(), token: token.to_owned(), role };
        id.ok_or_else(missing)
    };
    Ok(SpecialTokens {
        pad: id("pad_token", &names.pad)?,
        unk: id("unk_token", &names.unk)?,
        cls: id("cls_token", &names.cls)?,
        sep: id("sep_token", &names.sep)?,
        mask: id("mask_token", &names.mask)?,
    })
}
