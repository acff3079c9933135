//! The reader `conll` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("conll");
