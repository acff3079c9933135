//! `electra tokenizer train`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use electra_tokenizer::{TrainConfig, TrainReport, Trainer};
use indicatif::HumanCount;
use serde_json::json;

use crate::input::InputOptions;
use crate::{interrupt, progress};

/// Train a WordPiece vocabulary and write it in the Hub's layout.
///
/// Writes tokenizer.json, vocab.txt, tokenizer_config.json and special_tokens_map.json. The same text gives
/// the same files on any number of threads.
#[derive(Args)]
#[command(after_help = "Examples:
  electra tokenizer train --input wiki.txt.zst --vocab-size 30522 --output tokenizer
  electra tokenizer train --input 'text/*.jsonl' --vocab-size 32000 --cased --output tokenizer")]
pub(crate) struct Options {
    #[command(flatten)]
    input: InputOptions,
    /// Tokens in the vocabulary; the published English one has 30522
    #[arg(long, value_name = "N")]
    vocab_size: usize,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Keep upper case, and accents
    #[arg(long)]
    cased: bool,
    /// Keep accents though lower-casing (for scripts whose marks carry meaning: Hindi, Thai, Japanese …)
    #[arg(long)]
    keep_accents: bool,
    /// How often two neighbouring tokens must occur to become one
    #[arg(long, default_value_t = 2, value_name = "N")]
    min_frequency: u64,
    /// Share of the text's characters that the alphabet must cover; the rarest rest becomes [UNK]
    #[arg(long, value_name = "SHARE")]
    character_coverage: Option<f64>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Options {
    fn config(&self) -> TrainConfig {
        let base = if self.cased {
            TrainConfig::cased(self.vocab_size)
        } else {
            TrainConfig::uncased(self.vocab_size)
        };
        TrainConfig {
            min_frequency: self.min_frequency,
            strip_accents: base.strip_accents && !self.keep_accents,
            character_coverage: self.character_coverage.unwrap_or(base.character_coverage),
            ..base
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    interrupt::end_at_once()?;
    let started = Instant::now();
    let mut trainer = Trainer::new(&options.config())?;
    let inputs = options.input.expand()?;
    let bar = progress::bytes("counting", inputs.total_bytes());
    let mut reader = options.input.reader(inputs)?;
    let read = reader.progress();
    progress::watch(&bar, |bar| bar.set_position(read.bytes_read()), || trainer.feed_files(&mut reader))?;

    let bar = progress::count("merging", options.vocab_size);
    let trained = trainer.finish(|tokens| bar.set_position(tokens as u64))?;
    bar.finish_and_clear();
    trained.tokenizer.save(&options.output)?;

    let seconds = started.elapsed().as_secs_f64();
    let hash = trained.tokenizer.fingerprint_hex();
    if options.json {
        let mut report = serde_json::to_value(&trained.report)?;
        report["output"] = json!(options.output);
        report["sha256"] = json!(hash);
        report["replaced"] = json!(reader.replaced());
        report["seconds"] = json!(seconds);
        println!("{report}");
    } else {
        print(options, &trained.report, reader.replaced(), &hash, seconds);
    }
    Ok(())
}

fn print(options: &Options, report: &TrainReport, replaced: u64, hash: &str, seconds: f64) {
    let count = |count: u64| HumanCount(count).to_string();
    let row = |name: &str, value: String| println!("{name:<20} {value:>13}");
    row("lines", count(report.lines));
    row("words", count(report.words));
    row("distinct words", count(report.distinct_words as u64));
    row("characters", count(report.characters as u64));
    row("alphabet", count(report.alphabet as u64));
    row("coverage", format!("{:.4} %", 100.0 * report.character_coverage));
    row("tokens", count(report.vocab_size as u64));
    let left_out = [
        ("longer than 100 characters, so [UNK] to WordPiece", report.long_words),
        ("with a character outside the alphabet", report.uncovered_words),
        ("too rare to be kept in memory", report.rare_words),
    ];
    for (why, words) in left_out.into_iter().filter(|(_, words)| *words > 0) {
        println!("left out: {} words {why}", count(words));
    }
    if replaced > 0 {
        println!("replaced: {} byte sequences that were not UTF-8", count(replaced));
    }
    if report.vocab_size < options.vocab_size {
        println!(
            "note: the text gives no more than {} tokens of the {} asked for",
            report.vocab_size, options.vocab_size
        );
    }
    println!("{} written in {seconds:.1} s, sha256 {hash}", options.output.display());
}
