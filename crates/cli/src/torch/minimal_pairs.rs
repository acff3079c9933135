//! `electra minimal-pairs`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use electra_config::DeviceChoice;
use electra_evaluation::{PairScorer, Scoring};
use serde_json::json;

use crate::interrupt;

/// Ask a pre-trained encoder which of two sentences is acceptable, without fine-tuning.
///
/// Pairs are JSON Lines in BLiMP's form: sentence_good, sentence_bad and UID, the paradigm (else the file's name
/// is). The acceptable sentence should have the higher score; a tie counts one half. A score is a sum over the
/// tokens, so it compares sentences of one model and one kind of score only.
#[derive(Args)]
#[command(after_help = "Examples:
  electra minimal-pairs --model export --pairs blimp/data
  electra minimal-pairs --model export --pairs agreement.jsonl --score unmasked --json")]
pub(crate) struct Options {
    /// Folder in the Hub's layout with its tokenizer: a discriminator, or an encoder with a vocabulary head
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// File of pairs, or a folder of .jsonl files
    #[arg(long, value_name = "FILE|DIR")]
    pairs: PathBuf,
    /// What a sentence is scored by [default: discriminator for ElectraForPreTraining, else
    /// pseudo-log-likelihood]
    #[arg(long, value_enum, value_name = "SCORE")]
    score: Option<Score>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Score {
    /// Sum of log p(token), each token masked in turn
    PseudoLogLikelihood,
    /// Sum of log p(token) with nothing masked, for a vocabulary head trained on replaced tokens
    Unmasked,
    /// Sum of log P(original)
    Discriminator,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let stop = interrupt::flag("")?;
    let scoring = options.score.map(|score| match score {
        Score::PseudoLogLikelihood => Scoring::PseudoLogLikelihood,
        Score::Unmasked => Scoring::Unmasked,
        Score::Discriminator => Scoring::Discriminator,
    });
    let pairs = electra_tasks::minimal_pairs(&options.pairs)?;
    let scorer =
        PairScorer::read(&options.model, scoring, electra_evaluation::device(DeviceChoice::Cpu, 0)?)?;
    let scores = scorer.score(&pairs, &stop)?;
    if options.json {
        println!("{}", json!(scores));
        return Ok(());
    }
    if scores.truncated > 0 {
        eprintln!("note: {} sentences are longer than the encoder's rows and were cut", scores.truncated);
    }
    let rows =
        scores.paradigms.iter().map(|(name, score)| (name.as_str(), score.accuracy, score.pairs, score.ties));
    let width = rows.clone().map(|(name, ..)| name.chars().count()).max().unwrap_or(0).max(7);
    for (name, accuracy, pairs, ties) in rows {
        println!("{name:width$}  {accuracy:.4}  {pairs} pairs, {ties} ties");
    }
    println!("{:width$}  {:.4}  by {}", "mean", scores.mean_of_paradigms, scores.score.name());
    Ok(())
}
