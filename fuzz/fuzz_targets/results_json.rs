//! The reader `results_json` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("results_json");
