//! Tokenizers: `tokenizer.json` and `vocab.txt`, each with the files beside it.

use electra_tokenizer::{Error, Tokenizer};

use crate::{Outcome, Reader, place};

/// `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`, and a text.
pub(super) const TOKENIZER_JSON: Reader =
    Reader { name: "tokenizer_json", seeds: pipelines, check: tokenizer_json };

/// `vocab.txt` with the same beside it.
pub(super) const VOCAB_TXT: Reader = Reader { name: "vocab_txt", seeds: vocabularies, check: vocab_txt };

const TOKENS: [&str; 14] =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", ",", "漢", "[", "mask", "]", "é", "비"];
const TEXT: &str = "Aa a,a [MASK] 漢字aé비 a\u{301}\u{0}\u{ad}";

fn saved(lowercase: bool, name: &str, added: &str) -> Vec<u8> {
    let place = place::files(&[]);
    Tokenizer::from_vocab(&TOKENS, lowercase)
        .and_then(|tokenizer| tokenizer.save(place.path()))
        .expect("a vocabulary with its special tokens is a tokenizer");
    let read = |name: &str| std::fs::read(place.path().join(name)).expect("it was saved");
    let [main, config, map] = [name, "tokenizer_config.json", "special_tokens_map.json"].map(read);
    place::join(&[&main, &config, &map, added.as_bytes(), TEXT.as_bytes()])
}

fn pipelines() -> Vec<Vec<u8>> {
    [true, false].map(|lowercase| saved(lowercase, "tokenizer.json", "{\"[MASK]\": 4}")).into()
}

fn vocabularies() -> Vec<Vec<u8>> {
    [true, false].map(|lowercase| saved(lowercase, "vocab.txt", "{}")).into()
}

fn tokenizer_json(bytes: &[u8]) -> Outcome {
    check("tokenizer.json", bytes)
}

fn vocab_txt(bytes: &[u8]) -> Outcome {
    check("vocab.txt", bytes)
}

fn check(name: &str, bytes: &[u8]) -> Outcome {
    let [main, config, map, added, text] = place::split::<5>(bytes);
    let place = place::files(&[
        (name, main),
        ("tokenizer_config.json", config),
        ("special_tokens_map.json", map),
        ("added_tokens.json", added),
    ]);
    let tokenizer = Tokenizer::load(place.path()).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    for text in [TEXT, &text] {
        check_ids(&tokenizer, text);
        check_ids(&tokenizer.clone().special_tokens_as_text(true), text);
    }
    let saved = place.path().join("saved");
    match tokenizer.save(&saved) {
        Err(Error::VocabTxt { .. }) => return Ok(()),
        written => written.expect("a tokenizer can be saved"),
    }
    let again = Tokenizer::load(&saved).expect("what was saved can be loaded");
    assert_eq!(again.fingerprint_hex(), tokenizer.fingerprint_hex());
    for text in [TEXT, &text] {
        assert_eq!(again.encode_pair(text, TEXT), tokenizer.encode_pair(text, TEXT), "{text:?}");
    }
    Ok(())
}

/// Ids are within the vocabulary, types within what is said of them, and all ways to encode agree.
fn check_ids(tokenizer: &Tokenizer, text: &str) {
    let ids = tokenizer.encode(text);
    assert_eq!(tokenizer.encode_batch(&[text]), std::slice::from_ref(&ids));
    let plain = tokenizer.encode_without_special_tokens(text);
    assert_eq!(plain.input_ids, ids);
    for encoding in [plain, tokenizer.encode_with_special_tokens(text), tokenizer.encode_pair(text, text)] {
        assert_eq!(encoding.input_ids.len(), encoding.token_type_ids.len());
        assert!(encoding.input_ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()));
        assert!(encoding.token_type_ids.iter().all(|kind| (*kind as usize) < tokenizer.type_vocab_size()));
    }
    assert_eq!(tokenizer.continues_word().len(), tokenizer.vocab_size());
    tokenizer.decode(&ids, false);
    tokenizer.decode(&[0, u32::MAX], true);
}
