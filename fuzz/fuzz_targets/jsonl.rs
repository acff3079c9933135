//! The reader `jsonl` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("jsonl");
