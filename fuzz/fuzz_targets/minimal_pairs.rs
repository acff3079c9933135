//! The reader `minimal_pairs` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("minimal_pairs");
