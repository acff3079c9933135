//! The reader `parquet` of this crate under libFuzzer.

#![no_main]

electra_fuzz::target!("parquet");
