//! The reader `squad` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("squad");
