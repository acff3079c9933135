//! Equal ids: `tests/golden/make_golden.py` asked `transformers` and `tokenizers`.

use std::fs;
use std::path::Path;

use electra_tokenizer::{Tokenizer, TrainConfig};
use serde::Deserialize;

use crate::{corpus, golden_folder, train_on};

#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    pairs: Vec<(String, String)>,
    uncased: Expected,
    cased: Expected,
    trained: Expected,
}

#[derive(Deserialize)]
struct Expected {
    ids: Vec<Vec<u32>>,
    ids_special_tokens_as_text: Option<Vec<Vec<u32>>>,
    decoded: Vec<String>,
    pair_ids: Vec<Vec<u32>>,
    pair_token_type_ids: Vec<Vec<u32>>,
}

fn golden() -> Golden {
    serde_json::from_str(&fs::read_to_string(golden_folder().join("bert.json")).unwrap()).unwrap()
}

fn check(tokenizer: Tokenizer, golden: &Golden, expected: &Expected) {
    assert_eq!(golden.texts.len(), expected.ids.len());
    for (text, ids) in golden.texts.iter().zip(&expected.ids) {
        assert_eq!(&tokenizer.encode(text), ids, "{text:?}");
        // The second time from the cache.
        assert_eq!(&tokenizer.encode(text), ids, "{text:?}");
    }
    assert_eq!(tokenizer.encode_batch(&golden.texts), expected.ids);
    for (ids, decoded) in expected.ids.iter().zip(&expected.decoded) {
        assert_eq!(&tokenizer.decode(ids, true), decoded);
    }
    for (index, (first, second)) in golden.pairs.iter().enumerate() {
        let encoding = tokenizer.encode_pair(first, second);
        assert_eq!(encoding.input_ids, expected.pair_ids[index]);
        assert_eq!(encoding.token_type_ids, expected.pair_token_type_ids[index]);
    }
    if let Some(as_text) = &expected.ids_special_tokens_as_text {
        let tokenizer = tokenizer.special_tokens_as_text(true);
        assert_eq!(&tokenizer.encode_batch(&golden.texts), as_text);
        assert_ne!(as_text, &expected.ids);
    }
}

fn from_vocab_txt(config: &str) -> Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden_folder().join("vocab.txt"), folder.path().join("vocab.txt")).unwrap();
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    Tokenizer::load(folder.path()).unwrap()
}

#[test]
fn vocab_txt_gives_the_ids_of_bert_uncased() {
    let golden = golden();
    check(Tokenizer::load(golden_folder().join("vocab.txt")).unwrap(), &golden, &golden.uncased);
    check(from_vocab_txt("{\"do_lower_case\": true}"), &golden, &golden.uncased);
}

#[test]
fn vocab_txt_gives_the_ids_of_bert_cased() {
    let golden = golden();
    check(from_vocab_txt("{\"do_lower_case\": false}"), &golden, &golden.cased);
}

#[test]
fn a_trained_tokenizer_gives_the_ids_of_the_library() {
    let golden = golden();
    check(Tokenizer::load(golden_folder().join("trained")).unwrap(), &golden, &golden.trained);
    check(train_on(&TrainConfig::uncased(1200), &corpus()).tokenizer, &golden, &golden.trained);
}

#[test]
fn saving_what_was_loaded_changes_no_id() {
    let golden = golden();
    for (tokenizer, expected) in [
        (from_vocab_txt("{}"), &golden.uncased),
        (from_vocab_txt("{\"do_lower_case\": false}"), &golden.cased),
        (Tokenizer::load(golden_folder().join("trained")).unwrap(), &golden.trained),
    ] {
        let folder = tempfile::tempdir().unwrap();
        tokenizer.save(folder.path()).unwrap();
        check(Tokenizer::load(folder.path()).unwrap(), &golden, expected);
        let class = fs::read_to_string(folder.path().join("tokenizer_config.json")).unwrap();
        assert_eq!(class.contains("\"BertTokenizer\""), !std::ptr::eq(expected, &golden.trained), "{class}");
    }
}

/// The committed files are what `examples/train.rs` wrote in another process.
#[test]
fn training_again_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    train_on(&TrainConfig::uncased(1200), &corpus()).tokenizer.save(folder.path()).unwrap();
    for name in ["vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"] {
        let read = |folder: &Path| fs::read_to_string(folder.join(name)).unwrap();
        assert!(read(folder.path()) == read(&golden_folder().join("trained")), "{name} differs");
    }
}
