//! The reader `config_json` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("config_json");
