//! The reader `run_folder` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("run_folder");
