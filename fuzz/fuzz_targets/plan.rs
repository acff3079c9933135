//! The reader `plan` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("plan");
