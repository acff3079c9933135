//! The parts of a BERT tokenizer out of the `tokenizers` library, and what may be said about them.

use serde::Serialize;
use serde_json::{Value, json};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, NFC, Sequence};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl, decoders,
};

use crate::special::{SpecialNames, SpecialTokens};

/// A tokenizer of the library, with WordPiece as its model.
pub(crate) type Pipeline =
    TokenizerImpl<WordPiece, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// Normalizers that cannot fail while encoding.
pub(crate) const NORMALIZERS: &[&str] = &[
    "BertNormalizer",
    "Lowercase",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Nmt",
    "Sequence",
    "Strip",
    "StripAccents",
];

/// Pre-tokenizers that cannot fail while encoding.
pub(crate) const PRE_TOKENIZERS: &[&str] = &[
    "BertPreTokenizer",
    "Digits",
    "Punctuation",
    "Sequence",
    "UnicodeScripts",
    "Whitespace",
    "WhitespaceSplit",
];

/// Post-processors that put special tokens around texts and do nothing else to ids.
pub(crate) const POST_PROCESSORS: &[&str] = &["BertProcessing", "RobertaProcessing", "TemplateProcessing"];

/// What BERT does to text before it is split into words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normalization {
    pub(crate) lowercase: bool,
    /// `None` as BERT: as `lowercase`.
    pub(crate) strip_accents: Option<bool>,
    pub(crate) tokenize_chinese_chars: bool,
}

impl Normalization {
    /// BERT's own normalizer, as `BertTokenizerFast` builds it for a `vocab.txt`.
    pub(crate) fn bert(self) -> NormalizerWrapper {
        BertNormalizer::new(true, self.tokenize_chinese_chars, self.strip_accents, self.lowercase).into()
    }

    /// BERT's normalizer, then NFC, which puts together again what stripping accents takes apart: Hangul
    /// syllables above all.
    pub(crate) fn recomposed(self) -> NormalizerWrapper {
        Sequence::new(vec![self.bert(), NFC.into()]).into()
    }
}

/// BERT's pipeline around `model`.
pub(crate) fn bert(model: WordPiece, normalizer: NormalizerWrapper) -> Pipeline {
    let decoder = decoders::wordpiece::WordPiece::new(model.continuing_subword_prefix.clone(), true);
    let mut pipeline = Pipeline::new(model);
    pipeline
        .with_normalizer(Some(normalizer))
        .expect("there is no added token yet that could fail to normalize");
    pipeline.with_pre_tokenizer(Some(BertPreTokenizer)).with_decoder(Some(decoder));
    pipeline
}

/// `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the second segment with token type 1.
pub(crate) fn template(names: &SpecialNames, ids: &SpecialTokens) -> PostProcessorWrapper {
    let special = |token: &str, type_id: u32| json!({"SpecialToken": {"id": token, "type_id": type_id}});
    let segment = |name: &str, type_id: u32| json!({"Sequence": {"id": name, "type_id": type_id}});
    let entry = |token: &str, id: u32| json!({"id": token, "ids": [id], "tokens": [token]});
    let (cls, sep) = (names.cls.as_str(), names.sep.as_str());
    let single = [special(cls, 0), segment("A", 0), special(sep, 0)];
    let second = [segment("B", 1), special(sep, 1)];
    // By way of JSON, because the library's builder would parse the tokens' names.
    let template = json!({
        "type": "TemplateProcessing",
        "single": single,
        "pair": single.iter().chain(&second).collect::<Vec<_>>(),
        "special_tokens": {cls: entry(cls, ids.cls), sep: entry(sep, ids.sep)},
    });
    serde_json::from_value(template).expect("the template is written as the library writes it")
}

/// The `type` of a part and of all parts inside it, from the outside in.
pub(crate) fn types(part: Option<&impl Serialize>) -> Vec<String> {
    fn collect(value: &Value, types: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(name)) = fields.get("type") {
                    types.push(name.clone());
                }
                fields.values().for_each(|value| collect(value, types));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, types)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Some(part) = part {
        collect(&as_json(part), &mut found);
    }
    found
}

pub(crate) fn as_json(part: &impl Serialize) -> Value {
    serde_json::to_value(part).expect("parts of a tokenizer are plain data with string keys")
}

/// Whether text may be cut at every space, tab, line feed and carriage return and encoded piece by piece.
///
/// It may with BERT's normalizer, alone or followed by NFC, and BERT's pre-tokenizer: each of the four
/// characters becomes or stays white space, at which the pre-tokenizer splits in any case; cleaning,
/// spacing of Chinese characters and lower-casing look at one character at a time; decomposition,
/// reordering and composition never reach across white space. (U+0085 and some more, which BERT deletes as
/// control characters, are *not* among the four.) Added tokens must not contain white space or be matched
/// after normalization or by their neighbours.
pub(crate) fn is_piecewise(pipeline: &Pipeline) -> bool {
    let normalizer = types(pipeline.get_normalizer());
    let bert = normalizer == ["BertNormalizer"] || normalizer == ["Sequence", "BertNormalizer", "NFC"];
    bert && types(pipeline.get_pre_tokenizer()) == ["BertPreTokenizer"]
        && pipeline.get_added_tokens_decoder().values().all(|token| {
            !token.normalized && !token.single_word && !token.content.contains(char::is_whitespace)
        })
}

/// The pieces of [`is_piecewise`].
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\n', '\r']).filter(|piece| !piece.is_empty())
}
