//! The reader `run_toml` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("run_toml");
