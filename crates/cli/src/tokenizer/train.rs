//! `electra tokenizer train`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use electra_tokenizer::{TrainConfig, TrainReport, Trainer};
use indicatif::HumanCount;
use serde_json::json;

use crate::input::InputOptions;
use crate::{output, progress};

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
    /// Folder to write to; must be new or empty
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Keep upper case, and accents
    #[arg(long)]
    cased: bool,
    /// Keep accents when lower-casing (for scripts whose marks carry meaning: Hindi, Thai, Japanese …)
    #[arg(long)]
    keep_accents: bool,
    /// How often two neighbouring tokens must occur to be merged
    #[arg(long, default_value_t = 2, value_name = "N")]
    min_frequency: u64,
    /// Share of the text's characters that the alphabet must cover; the rarest rest becomes [UNK]
    #[arg(long, value_name = "SHARE")]
    character_coverage: Option<f64>,
    /// Most characters in the alphabet, whatever the coverage [default: a quarter of the vocabulary]
    #[arg(long, value_name = "N")]
    alphabet_limit: Option<usize>,
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
            alphabet_limit: self.alphabet_limit.unwrap_or(base.alphabet_limit),
            ..base
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    let config = options.config();
    let mut trainer = Trainer::new(&config)?;
    check_free(&options.output)?;
    let inputs = options.input.expand()?;
    let bar = progress::bytes("counting", inputs.total_bytes());
    let mut reader = options.input.reader(inputs)?;
    let read = reader.progress();
    progress::watch(&bar, |bar| bar.set_position(read.bytes_read()), || trainer.feed_files(&mut reader))?;

    let bar = progress::count("merging", options.vocab_size);
    let trained = trainer.finish(|tokens| bar.set_position(tokens as u64));
    let trained = trained.with_context(|| options.input.named())?;
    bar.finish_and_clear();
    // Hours may have passed since the first look.
    check_free(&options.output)?;
    trained.tokenizer.save(&options.output)?;

    let outcome = Outcome {
        options,
        config: &config,
        report: &trained.report,
        replaced: reader.replaced(),
        seconds: started.elapsed().as_secs_f64(),
        hash: trained.tokenizer.fingerprint_hex(),
    };
    let mut output = std::io::stdout().lock();
    if options.json { outcome.print_json(&mut output) } else { outcome.print(&mut output) }
}

/// Refuses to write over something.
fn check_free(output: &Path) -> Result<()> {
    // A file cannot be listed, so it is not an empty folder either.
    let is_empty = || std::fs::read_dir(output).is_ok_and(|mut entries| entries.next().is_none());
    if output.exists() && !is_empty() {
        return Err(electra_store::Error::Occupied { path: output.to_owned() }.into());
    }
    Ok(())
}

struct Outcome<'a> {
    options: &'a Options,
    config: &'a TrainConfig,
    report: &'a TrainReport,
    replaced: u64,
    seconds: f64,
    hash: String,
}

impl Outcome<'_> {
    fn print_json(&self, output: &mut impl Write) -> Result<()> {
        let mut report = serde_json::to_value(self.report)?;
        report["output"] = output::json_path(&self.options.output);
        report["character_coverage_asked"] = json!(self.config.character_coverage);
        report["sha256"] = json!(self.hash);
        report["replaced"] = json!(self.replaced);
        report["seconds"] = json!(self.seconds);
        Ok(writeln!(output, "{report}")?)
    }

    fn print(&self, output: &mut impl Write) -> Result<()> {
        let Self { report, config, .. } = *self;
        let count = |count: u64| HumanCount(count).to_string();
        for (name, value) in [
            ("lines", count(report.lines)),
            ("words", count(report.words)),
            ("distinct words", count(report.distinct_words as u64)),
            ("characters", count(report.characters as u64)),
            ("alphabet", count(report.alphabet as u64)),
            ("coverage", format!("{:.4} %", 100.0 * report.character_coverage)),
            ("tokens", count(report.vocab_size as u64)),
        ] {
            writeln!(output, "{name:<20} {value:>13}")?;
        }
        let left_out = [
            ("longer than 100 characters, so [UNK] to WordPiece", report.long_words),
            ("with a character outside the alphabet", report.uncovered_words),
            ("too rare to be kept in memory", report.rare_words),
        ];
        for (why, words) in left_out.into_iter().filter(|(_, words)| *words > 0) {
            writeln!(output, "left out: {} {} {why}", count(words), plural(words, "word"))?;
        }
        if self.replaced > 0 {
            let sequences = plural(self.replaced, "byte sequence");
            writeln!(output, "replaced: {} {sequences} for not being UTF-8", count(self.replaced))?;
        }
        if report.character_coverage < config.character_coverage {
            writeln!(
                output,
                "note: the alphabet covers {:.4} % of the characters, not the {:.4} % asked for: {} {} of {} \
                 become [UNK]; raise --alphabet-limit (it was {}), and --vocab-size with it",
                100.0 * report.character_coverage,
                100.0 * config.character_coverage,
                count(report.uncovered_words),
                plural(report.uncovered_words, "word"),
                count(report.words),
                count(config.alphabet_limit as u64)
            )?;
        }
        if report.vocab_size < config.vocab_size {
            writeln!(
                output,
                "note: the text gives no more than {} tokens of the {} asked for",
                report.vocab_size, config.vocab_size
            )?;
        }
        let folder = output::shown(&self.options.output);
        writeln!(output, "{folder} written in {:.1} s, sha256 {}", self.seconds, self.hash)?;
        Ok(())
    }
}

fn plural(count: u64, noun: &str) -> String {
    format!("{noun}{}", if count == 1 { "" } else { "s" })
}
