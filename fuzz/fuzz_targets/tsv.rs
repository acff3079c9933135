//! The reader `tsv` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("tsv");
