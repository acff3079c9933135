//! The reader `shard` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("shard");
