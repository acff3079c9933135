use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Tokenizer;
use crate::pipeline::as_json;
use crate::vocab::tokens_by_id;

/// The hash of a canonical text: object keys are sorted, and the vocabulary is in the order of its ids.
pub(crate) fn fingerprint(tokenizer: &Tokenizer) -> [u8; 32] {
    let pipeline = &tokenizer.pipeline;
    let model = pipeline.get_model();
    let canonical = json!({
        "vocabulary": tokens_by_id(pipeline),
        "normalizer": pipeline.get_normalizer().map(as_json),
        "pre_tokenizer": pipeline.get_pre_tokenizer().map(as_json),
        "unk_token": model.unk_token,
        "continuing_subword_prefix": model.continuing_subword_prefix,
        "max_input_chars_per_word": model.max_input_chars_per_word,
        "added_tokens": as_json(pipeline.get_added_vocabulary()),
        "special": as_json(&tokenizer.special()),
    });
    let mut hash = Sha256::new();
    hash.update(b"electra-tokenizer fingerprint 1\n");
    hash.update(canonical.to_string());
    hash.finalize().into()
}
