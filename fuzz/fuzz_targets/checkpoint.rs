//! The reader `checkpoint` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("checkpoint");
