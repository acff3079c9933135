//! Tests of electra-tokenizer as its users call it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod encoding;
mod files;
mod golden;
mod training;

use std::path::{Path, PathBuf};

use electra_tokenizer::{Tokenizer, TrainConfig, Trained, train};

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Texts in many scripts; see `tests/golden/corpus.txt`.
fn corpus() -> String {
    std::fs::read_to_string(golden_folder().join("corpus.txt")).unwrap()
}

fn train_on(config: &TrainConfig, text: &str) -> Trained {
    train(config, text.lines().map(Ok::<_, std::convert::Infallible>)).unwrap()
}

/// A cased or uncased tokenizer trained on [`corpus`], with every word of it in the vocabulary.
fn trained(cased: bool) -> Tokenizer {
    let mut config = if cased { TrainConfig::cased(4000) } else { TrainConfig::uncased(4000) };
    config.min_frequency = 1;
    train_on(&config, &corpus()).tokenizer
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    tokenizer.encode(text).into_iter().map(|id| tokenizer.id_to_token(id).unwrap()).collect()
}
