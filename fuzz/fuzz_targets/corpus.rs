//! The reader `corpus` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("corpus");
