//! `electra minimal-pairs`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use electra_config::{DeviceChoice, Precision};
use electra_encoder::Compute;
use electra_evaluation::{PairScorer, Scoring};
use electra_tasks::MinimalPair;
use serde_json::json;

use crate::hub::{self, Files};
use crate::{interrupt, output};

/// Ask a pre-trained encoder which of two sentences is acceptable, without fine-tuning.
///
/// Pairs are JSON Lines in BLiMP's form: sentence_good, sentence_bad, and UID for the paradigm. Without UID the file's name is
/// the paradigm. The acceptable sentence should get the higher score; a tie counts one half. A score is a sum over the
/// tokens. Compare only scores of one model and one kind.
#[derive(Args)]
#[command(after_help = "Examples:
  electra minimal-pairs --model export --pairs blimp/data
  electra minimal-pairs --model export --pairs agreement.jsonl --score unmasked --json")]
pub(crate) struct Options {
    /// Folder in the Hub's layout with its tokenizer: a discriminator, or an encoder with a vocabulary head. Or
    /// hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// File of pairs, or a folder of .jsonl files
    #[arg(long, value_name = "FILE|DIR")]
    pairs: PathBuf,
    /// How to score a sentence [default: what electra export wrote into config.json, else discriminator for
    /// ElectraForPreTraining, pseudo-log-likelihood for ElectraForMaskedLM, log-likelihood for ElectraForCausalLM]
    #[arg(long, value_enum, value_name = "SCORE")]
    score: Option<Score>,
    /// Paradigms to score [default: all]
    #[arg(long, num_args = 1.., value_name = "NAME")]
    paradigm: Vec<String>,
    /// Skip the first N pairs of each paradigm, for example those on which settings were chosen
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    skip: u64,
    /// Score at most N pairs of each paradigm
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Precision: fp32, bf16, or auto for the faster one
    #[arg(long, default_value = "fp32", value_name = "KIND", value_parser = super::precision)]
    precision: Precision,
    /// Threads [default: libtorch's]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    threads: usize,
    /// Also write the result and the outcome of every pair into this file, as JSON; the file is written whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
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
    /// Sum of log p(token) given the tokens before it, of a causal language model
    LogLikelihood,
    /// Sum of log p(token), each token masked in turn and predicted from the position before it
    MaskedNextToken,
    /// Sum of the tokens' negative energies, of a discriminator that was trained to give them
    Energy,
    /// Sum of log p(token), each token in turn asked for by a second stream, of a permutation language model
    TwoStream,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let model = hub::folder(&options.model, Files::Model)?;
    let stop = interrupt::flag("");
    let scoring = options.score.map(|score| match score {
        Score::PseudoLogLikelihood => Scoring::PseudoLogLikelihood,
        Score::Unmasked => Scoring::Unmasked,
        Score::Discriminator => Scoring::Discriminator,
        Score::LogLikelihood => Scoring::LogLikelihood,
        Score::MaskedNextToken => Scoring::MaskedNextToken,
        Score::Energy => Scoring::Energy,
        Score::TwoStream => Scoring::TwoStream,
    });
    let pairs = chosen(electra_tasks::minimal_pairs(&options.pairs)?, options)?;
    let compute = Compute::set_up(DeviceChoice::Cpu, options.threads, options.precision, false)?;
    let scorer = PairScorer::read(&model, scoring, compute.device)?;
    super::note(scorer.note());
    let scores = compute.run(|| scorer.score(&pairs, &stop))??;
    if let Some(path) = &options.output {
        let mut result = json!(scores);
        result["outcomes"] = json!(scores.outcomes);
        electra_store::write(path, format!("{result:#}\n")).with_context(|| path.display().to_string())?;
    }
    if options.json {
        return output::line(json!(scores));
    }
    if scores.identical > 0 {
        output::tell(&format!(
            "note: {} of {} pairs have the same sentence twice, which is a tie",
            scores.identical, scores.overall.pairs
        ));
    }
    if scores.truncated > 0 {
        let count = scores.truncated;
        output::tell(&format!("note: {count} sentences are longer than the encoder's rows and were cut"));
    }
    let rows =
        scores.paradigms.iter().map(|(name, score)| (name.as_str(), score.accuracy, score.pairs, score.ties));
    let width = rows.clone().map(|(name, ..)| name.chars().count()).max().unwrap_or(0).max(7);
    let mut text = String::new();
    for (name, accuracy, pairs, ties) in rows {
        let name = output::escaped(name);
        text.push_str(&format!("{name:width$}  {accuracy:.4}  {pairs} pairs, {ties} ties\n"));
    }
    let (mean, score) = (scores.mean_of_paradigms, scores.score.name());
    text.push_str(&format!("{:width$}  {mean:.4}  by {score}\n", "mean"));
    output::print(&text)
}

/// The pairs of the paradigms that are asked for, of each as many as are wanted.
fn chosen(mut pairs: Vec<MinimalPair>, options: &Options) -> Result<Vec<MinimalPair>> {
    for name in &options.paradigm {
        let known = || {
            let mut names: Vec<&str> = pairs.iter().map(|pair| &*pair.paradigm).collect();
            names.sort_unstable();
            names.dedup();
            names.join(", ")
        };
        let exists = pairs.iter().any(|pair| pair.paradigm == *name);
        ensure!(exists, "{}: there is no paradigm {name:?}; expected {}", options.pairs.display(), known());
    }
    pairs.retain(|pair| options.paradigm.is_empty() || options.paradigm.contains(&pair.paradigm));
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    pairs.retain(|pair| {
        let count = counts.entry(pair.paradigm.clone()).or_default();
        *count += 1;
        *count > options.skip && options.limit.is_none_or(|most| *count - options.skip <= most)
    });
    for (name, count) in counts {
        let (skip, file) = (options.skip, options.pairs.display());
        ensure!(count > skip, "--skip {skip}: {file}: expected less than the {count} pairs of {name}");
    }
    Ok(pairs)
}
