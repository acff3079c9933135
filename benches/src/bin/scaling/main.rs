//! One point of `cargo xtask bench scaling`, in a process of its own: peak memory and the allocator's state are
//! a process's, so a second point in the same one would measure what the first left behind.
//!
//! What measures prints a JSON object; `scaling VERB --help` lists the sizes.

#![allow(clippy::print_stdout, reason = "a measurement that nobody reads is over")]

mod corpus;
mod leak;
mod step;

use clap::Parser;
use electra_torch::{Memory, memory, reset_peak_memory};
use tch::Device;

#[derive(Parser)]
enum Verb {
    /// A training step at given sizes
    Step(step::Options),
    /// Write a tokenizer and nothing else, for `text` and `corpus`
    Tokenizer(corpus::TokenizerOptions),
    /// Write a text of given size
    Text(corpus::TextOptions),
    /// Build a corpus of a text, open it, gather and mask its batches
    Corpus(corpus::CorpusOptions),
    /// Train for many tiny steps and read memory on the way
    Leak(leak::Options),
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    match Verb::parse() {
        Verb::Step(options) => step::run(&options),
        Verb::Tokenizer(options) => corpus::write_tokenizer(&options),
        Verb::Text(options) => corpus::write_text(&options),
        Verb::Corpus(options) => corpus::run(&options),
        Verb::Leak(options) => leak::run(&options),
    }
}

/// Memory that comes on top of what is in use now.
struct Extra {
    device: Device,
    before: Memory,
}

impl Extra {
    fn begin(device: Device) -> Result<Self> {
        reset_peak_memory(device)?;
        Ok(Self { device, before: memory(device)? })
    }

    /// Bytes at the peak since the beginning.
    fn peak(&self) -> Result<u64> {
        Ok(memory(self.device)?.peak.saturating_sub(self.before.current))
    }
}
