//! `electra replacements`.

mod show;
mod source;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use electra_evaluation::replacements::{Lexicon, Replacements, Tally};
use electra_objective::DeviceBatch;
use serde::Serialize;

use self::source::Source;
use super::bars;
use crate::{output, progress};

/// Say what a run puts in the place of masked tokens, and which of it is found.
///
/// Batches of the steps that follow the run's last one are masked and corrupted as in training, so the same command
/// says the same, and no masks that the run was trained on are among them. A lexicon says how near each sample is
/// to the original: right (it is the original), same features, same class, other class, or unlisted (one of the two
/// is not a word of the lexicon, such as a part of a word). Where the objective has a discriminator, or the copy gate of
/// All-Tokens MLM, recall is the share of a kind that it calls replaced (probability above one half), and AUC how
/// surely it tells them from the tokens that are not replaced. The loss is the generator's; of mlm, which replaces
/// nothing, it is its own, with its own masks.
///
/// A lexicon is text in columns separated by tabs. The first line names them: word, class, then any number of
/// features. A word with several lines can be several things, and the nearest counts. The language of electra corpus
/// synthesize has its own, lexicon.tsv; of any other language, words with their parts of speech will do.
#[derive(Args)]
#[command(after_help = "Examples:
  electra replacements --run runs/electra --lexicon language/lexicon.tsv
  electra replacements --run runs/electra --step 10000 --lexicon words.tsv --batches 200 --json
  electra replacements --run s/runs/electra-1 --corpus s/languages/1201/corpus --lexicon s/languages/1201/data/lexicon.tsv

A lexicon (the gaps are tabs):
  word    class   number
  cat     noun    singular
  cats    noun    plural
  sit     verb    plural")]
pub(crate) struct Options {
    /// Folder of a run of `electra pretrain`
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Words with their class and features
    #[arg(long, value_name = "FILE")]
    lexicon: PathBuf,
    /// Corpus to take examples of [default: the run's]
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Tokenizer of the run [default: the one that its settings name, else the corpus's]
    #[arg(long, value_name = "DIR|hf:NAME")]
    tokenizer: Option<PathBuf>,
    /// Checkpoint to take, by its steps; the batches are the same for all [default: the newest that is whole]
    #[arg(long, value_name = "N")]
    step: Option<u64>,
    /// How many batches of the run's size
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    batches: u64,
    /// Write the result as JSON into this file, too, which appears whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was measured, and of what.
#[derive(Serialize)]
struct Report {
    run: String,
    objective: String,
    /// Steps of training that were done.
    step: u64,
    /// The step of the first batch, and how many follow from it.
    first_batch: u64,
    batches: u64,
    /// How many tokens are words of the lexicon, and what it knows of them beside their class.
    words: usize,
    features: Vec<String>,
    replacements: Replacements,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let source = Source::open(options)?;
    let token = |word: &str| source.token(word);
    let lexicon = Lexicon::read(&options.lexicon, token)?;
    let report = Report {
        run: options.run.to_string_lossy().into_owned(),
        objective: source.config.objective.clone(),
        step: source.checkpoint.step,
        first_batch: source.first_batch,
        batches: options.batches,
        words: lexicon.words(),
        features: lexicon.features().to_vec(),
        replacements: measure(&source, &lexicon, options.batches)?,
    };
    let json = serde_json::to_string_pretty(&report)?;
    if let Some(path) = &options.output {
        electra_store::write(path, format!("{json}\n")).with_context(|| path.display().to_string())?;
    }
    if options.json { output::line(json) } else { output::print(&show::text(&report)) }
}

fn measure(source: &Source, lexicon: &Lexicon, batches: u64) -> Result<Replacements> {
    let (objective, device) = source.objective()?;
    let view = source.view()?;
    let loader = source.loader(&*view)?;
    // In the parts that training computes at once.
    let mut parts = loader.empty_parts(source.config.budget.accumulation)?;
    let bar = bars::steps();
    let mut tally = Tally::new(lexicon);
    for number in 0..batches {
        loader.fill(source.first_batch + number, &mut parts)?;
        for part in &parts {
            let batch = DeviceBatch::new(part, device);
            let inspection = objective.inspect(&batch);
            let name = &source.config.objective;
            let inspection =
                inspection.with_context(|| format!("objective {name}: it does not tell what it replaces"))?;
            tally.add(&batch, &inspection)?;
        }
        bar.set_position((number + 1) * progress::WHOLE / batches);
    }
    bar.finish_and_clear();
    Ok(tally.finish()?)
}
