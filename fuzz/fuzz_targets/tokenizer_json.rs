//! The reader `tokenizer_json` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("tokenizer_json");
