//! The reader `task_toml` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("task_toml");
