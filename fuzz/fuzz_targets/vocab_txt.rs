//! The reader `vocab_txt` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("vocab_txt");
