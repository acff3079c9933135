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

/// Show what a run samples at masked positions, and which of these samples it detects.
///
/// The command masks and corrupts the batches of the steps after the run's last step, as in training. So it gives the same
/// result each time, and uses no mask that the run was trained on. A lexicon classifies each sample by its distance from the
/// original: right (it is the original), same features, same class, other class, or unlisted (one of the two is not a word of
/// the lexicon, such as a part of a word). If the objective has a discriminator or All-Tokens MLM's copy gate, recall is the
/// share of a class that it calls replaced (probability above one half), and AUC measures how well it separates the class from
/// tokens that were not replaced. The loss is the generator's. mlm replaces nothing: its loss is its own, with its own masks.
///
/// A lexicon is text in columns separated by tabs. The first line names the columns: word, class, then any number of features.
/// A word may have several lines; the nearest counts. A language of electra corpus synthesize has its lexicon in lexicon.tsv.
/// For any other language, use words with their parts of speech.
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
    /// Number of batches, each of the run's size
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    batches: u64,
    /// Also write the result into this file, as JSON; the file is written whole or not at all
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
            let inspection = inspection
                .with_context(|| format!("objective {name}: it does not report what it replaces"))?;
            tally.add(&batch, &inspection)?;
        }
        bar.set_position((number + 1) * progress::WHOLE / batches);
    }
    bar.finish_and_clear();
    Ok(tally.finish()?)
}
