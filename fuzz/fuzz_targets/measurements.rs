//! The reader `measurements` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("measurements");
