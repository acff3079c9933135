//! Trains an objective of one's own with electra-trainer: see `shuffled_words.rs`, which is all there is to it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

mod shuffled_words;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use electra_trainer::{Event, Outcome, Ranks, Run, train};

use shuffled_words::SPEC;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, folder] = arguments.as_slice() else {
        anyhow::bail!("usage: own-objective CONFIG.toml RUN-FOLDER");
    };
    let outcome = pretrain(Path::new(config), Path::new(folder), &mut |event| {
        if let Event::Step { step, rates: Some(rates), .. } = event
            && step.is_multiple_of(100)
        {
            eprintln!("step {step}: loss {:.3}", rates.loss);
        }
    })?;
    println!("{outcome:?}");
    Ok(())
}

/// What `electra pretrain` does, with this crate's objective.
fn pretrain(config: &Path, folder: &Path, observer: &mut dyn FnMut(&Event)) -> Result<Outcome> {
    let config = electra_trainer::read_config(config, &[], |_| Ok((SPEC.info.masking)()))?;
    train(Run {
        config: &config,
        folder,
        objective: &SPEC,
        continues_word: &[],
        ranks: &Ranks::alone(),
        stop: &AtomicBool::new(false),
        observer,
    })
    .context("training")
}

#[cfg(test)]
mod tests;
