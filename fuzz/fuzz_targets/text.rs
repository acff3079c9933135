//! The reader `text` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("text");
