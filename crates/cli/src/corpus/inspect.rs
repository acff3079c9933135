//! `electra corpus inspect`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use electra_data::{Batch, Corpus, Loader, MaskingConfig};
use electra_masking::{Choice, MaskRate, Masker};
use electra_tokenizer::Tokenizer;
use indicatif::HumanCount;
use serde_json::json;

use super::{TOKENIZER, histogram, show};
use crate::output::escaped;

/// Show what a corpus holds, and what a training step would mask.
///
/// Without options it shows counts, the lengths of examples, and one example with its segments in colour. With --masked it
/// shows the batch of a training step, with the replacement of each masked token.
#[derive(Args)]
#[command(after_help = "Examples:
  electra corpus inspect corpus
  electra corpus inspect corpus --masked --seed 1 --step 1000 --batch 4
  electra corpus inspect corpus --masked --masking bert --batch 128 --json > batch.jsonl")]
pub(crate) struct Options {
    /// Folder of a corpus
    #[arg(value_name = "DIR")]
    corpus: PathBuf,
    /// Show the examples of a step, masked as training would mask them
    #[arg(long)]
    masked: bool,
    /// Seed of order and masks
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Step whose batch is shown
    #[arg(long, default_value_t = 0, value_name = "N")]
    step: u64,
    /// Examples in the batch
    #[arg(long, default_value_t = 1, value_name = "N")]
    batch: usize,
    /// Masking rule: of the paper's ELECTRA, of its BERT baseline, or of the released code
    #[arg(long, value_enum, default_value = "electra", value_name = "RULE", requires = "masked")]
    masking: Rule,
    /// Share of tokens that is masked: a number, or uniform for a random share in each example [default: 0.15]
    #[arg(long, value_name = "SHARE", requires = "masked")]
    mask_prob: Option<MaskRate>,
    /// Unit of masking: tokens, whole words, or runs of up to three words
    #[arg(long, value_enum, default_value = "token", value_name = "WHAT", requires = "masked")]
    choice: ChoiceName,
    /// First check every block of every shard against its checksum
    #[arg(long)]
    verify: bool,
    /// Print JSON: the manifest and the lengths, or with --masked one object for each example
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rule {
    Electra,
    Bert,
    Reference,
}

#[derive(Clone, Copy, ValueEnum)]
enum ChoiceName {
    Token,
    WholeWord,
    NGram,
}

impl Options {
    fn masking(&self) -> MaskingConfig {
        let base = match self.masking {
            Rule::Electra => MaskingConfig::electra(),
            Rule::Bert => MaskingConfig::bert(),
            Rule::Reference => MaskingConfig::reference(),
        };
        let choice = match self.choice {
            ChoiceName::Token => Choice::Token,
            ChoiceName::WholeWord => Choice::WholeWord,
            ChoiceName::NGram => Choice::NGram { max: 3 },
        };
        MaskingConfig { mask_prob: self.mask_prob.unwrap_or(base.mask_prob), choice, ..base }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let corpus = Corpus::open(&options.corpus)?;
    if options.verify {
        corpus.verify()?;
    }
    let tokenizer = Tokenizer::load(options.corpus.join(TOKENIZER)).context("the tokenizer of the corpus")?;
    ensure!(
        tokenizer.fingerprint_hex() == corpus.manifest().tokenizer,
        "{}: another tokenizer than the corpus was built with: its sha256 is {}, corpus.json says {}",
        options.corpus.join(TOKENIZER).display(),
        tokenizer.fingerprint_hex(),
        corpus.manifest().tokenizer
    );
    let masker = Masker::new(
        options.masking(),
        corpus.vocabulary(),
        tokenizer.continues_word(),
        corpus.max_length(),
        options.seed,
    )?;
    let batch = Loader::new(&corpus, &masker, options.batch, options.seed)?.batch(options.step)?;
    let mut out = std::io::stdout().lock();
    match (options.masked, options.json) {
        (true, true) => masked_json(&mut out, &batch, &tokenizer),
        (true, false) => {
            show::legend(&mut out, true)?;
            show::batch(&mut out, &batch, &tokenizer, true)
        }
        (false, true) => {
            let lengths = histogram::lengths(&corpus)?;
            Ok(writeln!(out, "{}", json!({ "manifest": corpus.manifest(), "lengths": lengths }))?)
        }
        (false, false) => {
            summary(&mut out, &corpus)?;
            histogram::print(&mut out, &histogram::lengths(&corpus)?)?;
            writeln!(out)?;
            show::legend(&mut out, false)?;
            show::batch(&mut out, &batch, &tokenizer, false)
        }
    }
}

fn summary(out: &mut impl Write, corpus: &Corpus) -> Result<()> {
    let manifest = corpus.manifest();
    let counts = &manifest.counts;
    let mut row = |name: &str, count: u64, remark: String| {
        writeln!(out, "{name:<16} {:>15}  {remark}", HumanCount(count).to_string())
    };
    let share = |part: u64, whole: u64| format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64);
    let files = match manifest.sources.as_slice() {
        [file] => format!("from {}", escaped(&file.path)),
        files => format!("from {} files", files.len()),
    };
    row("documents", counts.documents, files)?;
    row(
        "units",
        counts.units,
        format!("each a {}", serde_json::to_value(manifest.unit)?.as_str().unwrap_or("")),
    )?;
    row("tokens", counts.text_tokens, format!("{} dropped", HumanCount(counts.tokens_dropped)))?;
    row("examples", counts.examples, format!("of up to {} tokens", manifest.examples.max_length))?;
    row("two segments", counts.two_segments, share(counts.two_segments, counts.examples))?;
    row("vocabulary", u64::from(manifest.vocabulary.size), format!("sha256 {}…", &manifest.tokenizer[..12]))?;
    Ok(writeln!(out)?)
}

fn masked_json(out: &mut impl Write, batch: &Batch, tokenizer: &Tokenizer) -> Result<()> {
    let (length, slots) = (batch.max_length, batch.width("masked_positions"));
    for row in 0..batch.rows {
        let cells = row * length..(row + 1) * length;
        let slots = row * slots..(row + 1) * slots;
        let ids = &batch.input_ids[cells.clone()];
        let positions: Vec<i64> = batch.ids("masked_positions")[slots.clone()]
            .iter()
            .zip(&batch.flags("masked_valid")[slots])
            .filter_map(|(&position, &valid)| valid.then_some(position))
            .collect();
        let mask: Vec<u8> = batch.attention_mask[cells.clone()].iter().map(|&real| u8::from(real)).collect();
        let example = json!({
            "example": batch.examples[row],
            "tokens": ids.iter().map(|&id| show::token(tokenizer, id)).collect::<Vec<_>>(),
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": batch.token_type_ids[cells.clone()],
            "masked_positions": positions,
            "masked_input_ids": batch.ids("masked_input_ids")[cells],
        });
        writeln!(out, "{example}")?;
    }
    Ok(())
}
