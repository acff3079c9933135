//! `electra corpus build`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use electra_data::{
    CorpusConfig, CorpusWriter, Counts, ExampleConfig, Manifest, Overflow, Progress, Unit, Vocabulary,
};
use electra_text::{Event, Reader};
use electra_tokenizer::Tokenizer;
use indicatif::HumanCount;
use serde_json::json;

use super::TOKENIZER;
use crate::hub::{self, Files};
use crate::input::{InputOptions, sources};
use crate::{interrupt, output, progress};

/// The share of `[UNK]` above which a note says so.
const MUCH_UNKNOWN: f64 = 0.05;

/// Pack text into shards of examples.
///
/// The same text and options give the same bytes on any number of threads. If the command fails or is interrupted, it leaves
/// no files.
#[derive(Args)]
#[command(after_help = "Examples:
  electra corpus build --tokenizer tokenizer --input wiki.txt.zst --output corpus
  electra corpus build --tokenizer tokenizer --input text/ --unit sentence --max-length 512 --output corpus
  zcat news.txt.gz | electra corpus build --tokenizer tokenizer --input - --documents line --output corpus")]
pub(crate) struct Options {
    /// Folder with tokenizer.json or vocab.txt, or one of these files, or hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    tokenizer: PathBuf,
    #[command(flatten)]
    input: InputOptions,
    /// Folder to write to; must be new or empty
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Tokens in an example, special tokens included
    #[arg(long, default_value_t = 128, value_name = "N")]
    max_length: usize,
    /// Segments in an example: one, or two in nine of ten examples
    #[arg(long, value_enum, default_value = "two", value_name = "HOW-MANY")]
    segments: Segments,
    /// Unit that examples are packed from: a line, as in the reference, or a sentence (by Unicode's rules)
    #[arg(long, value_enum, default_value = "line", value_name = "WHAT")]
    unit: UnitName,
    /// What to do with tokens that do not fit: begin the next example, or drop them as in the reference
    #[arg(long, value_enum, default_value = "carry", value_name = "WHAT")]
    overflow: OverflowName,
    /// Seed that decides where text is cut
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Tokens in a shard
    #[arg(long, default_value_t = 1 << 28, value_name = "N")]
    shard_tokens: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Segments {
    One,
    Two,
}

#[derive(Clone, Copy, ValueEnum)]
enum UnitName {
    Line,
    Sentence,
}

#[derive(Clone, Copy, ValueEnum)]
enum OverflowName {
    Carry,
    Drop,
}

impl Options {
    fn examples(&self) -> ExampleConfig {
        let base = match self.segments {
            Segments::One => ExampleConfig::one_segment(self.max_length),
            Segments::Two => ExampleConfig::two_segments(self.max_length),
        };
        let overflow = match self.overflow {
            OverflowName::Carry => Overflow::Carry,
            OverflowName::Drop => Overflow::Drop,
        };
        ExampleConfig { overflow, seed: self.seed, ..base }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    // A corpus is text and nothing else: an article that spells out "[SEP]" must not end a segment.
    let tokenizer =
        Tokenizer::load(hub::folder(&options.tokenizer, Files::Tokenizer)?)?.special_tokens_as_text(true);
    let inputs = options.input.expand()?;
    let config = CorpusConfig {
        examples: options.examples(),
        unit: match options.unit {
            UnitName::Line => Unit::Line,
            UnitName::Sentence => Unit::Sentence,
        },
        vocabulary: vocabulary(&tokenizer)?,
        tokenizer: tokenizer.fingerprint(),
        shard_tokens: options.shard_tokens,
        reading: Some(options.input.read_config()),
        sources: sources(&inputs),
    };
    let total = inputs.total_bytes();
    let reader = options.input.reader(inputs)?;
    let done = Arc::new(Progress::default());
    // Before there is anything to clean up.
    let stopped = Arc::clone(&done);
    interrupt::set(move || stopped.stop.swap(true, Ordering::Relaxed), "");
    let writer = CorpusWriter::create(&options.output, config)?;
    tokenizer.save(writer.folder().join(TOKENIZER))?;

    let read = reader.progress();
    let replaced = Arc::new(AtomicU64::new(0));
    let events = Counted { reader, replaced: Arc::clone(&replaced) };
    let bar = progress::bytes("packing", total);
    let update = |bar: &indicatif::ProgressBar| {
        bar.set_position(read.bytes_read());
        let tokens = done.tokens.load(Ordering::Relaxed);
        let rate = tokens as f64 / started.elapsed().as_secs_f64() / 1e6;
        let documents = HumanCount(done.documents.load(Ordering::Relaxed));
        bar.set_message(format!("· {documents} documents · {} tokens, {rate:.2} M/s", HumanCount(tokens)));
    };
    let unknown = AtomicU64::new(0);
    let unk = tokenizer.special().unk;
    let encode = |text: &str| {
        let ids = tokenizer.encode(text);
        unknown.fetch_add(ids.iter().filter(|&&id| id == unk).count() as u64, Ordering::Relaxed);
        ids
    };
    let build = || electra_data::build(events, encode, writer, &done);
    let manifest = match progress::watch(&bar, update, build) {
        Err(error @ electra_data::Error::Empty { .. }) => Err(error).with_context(|| options.input.named()),
        built => Ok(built?),
    }?;

    let unknown = unknown.into_inner();
    let outcome = Outcome { manifest, replaced: replaced.load(Ordering::Relaxed), unknown, started };
    if let Some(note) = outcome.note() {
        output::tell(&format!("note: {note}"));
    }
    let mut out = std::io::stdout().lock();
    if options.json { outcome.print_json(&mut out, options) } else { outcome.print(&mut out, options) }
}

pub(super) fn vocabulary(tokenizer: &Tokenizer) -> Result<Vocabulary> {
    let special = tokenizer.special();
    let size = tokenizer.vocab_size();
    ensure!(u32::try_from(size).is_ok(), "a vocabulary of {size} tokens does not fit ids of 32 bits");
    Ok(Vocabulary {
        size: size as u32,
        pad: special.pad,
        unk: special.unk,
        cls: special.cls,
        sep: special.sep,
        mask: special.mask,
    })
}

/// The reader's events; keeps count of replaced bytes where the report can see it.
struct Counted {
    reader: Reader,
    replaced: Arc<AtomicU64>,
}

impl Iterator for Counted {
    type Item = Result<Event, electra_text::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = self.reader.next();
        self.replaced.store(self.reader.replaced(), Ordering::Relaxed);
        event
    }
}

struct Outcome {
    manifest: Manifest,
    replaced: u64,
    /// Tokens of the text that are `[UNK]`.
    unknown: u64,
    started: Instant,
}

impl Outcome {
    fn bytes(&self) -> u64 {
        self.manifest.shards.iter().map(|shard| shard.bytes).sum()
    }

    /// The share of `[UNK]` among the tokens of the text.
    fn unknown_share(&self) -> f64 {
        self.unknown as f64 / self.manifest.counts.text_tokens.max(1) as f64
    }

    /// What to say of a corpus in which much is `[UNK]`.
    fn note(&self) -> Option<String> {
        let share = self.unknown_share();
        (share > MUCH_UNKNOWN).then(|| {
            format!(
                "{:.1} % of the tokens are [UNK], of which nothing is learnt: the vocabulary lacks the text's characters, \
                 or its words are longer than WordPiece takes, as where there are no spaces",
                100.0 * share
            )
        })
    }

    fn rate(&self) -> f64 {
        self.manifest.counts.text_tokens as f64 / self.started.elapsed().as_secs_f64()
    }

    fn print_json(&self, out: &mut impl Write, options: &Options) -> Result<()> {
        let mut report = json!(self.manifest.counts);
        report["output"] = output::json_path(&options.output);
        report["shards"] = json!(self.manifest.shards.len());
        report["bytes"] = json!(self.bytes());
        report["replaced"] = json!(self.replaced);
        report["unknown"] = json!(self.unknown);
        report["unknown_share"] = json!(self.unknown_share());
        report["seconds"] = json!(self.started.elapsed().as_secs_f64());
        report["tokens_per_s"] = json!(self.rate());
        Ok(writeln!(out, "{report}")?)
    }

    fn print(&self, out: &mut impl Write, options: &Options) -> Result<()> {
        let Counts { documents, units, text_tokens, tokens_dropped, examples, two_segments, tokens, .. } =
            self.manifest.counts;
        let slots = examples * options.max_length as u64;
        let share = |part: u64, whole: u64| format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64);
        let mut row = |name: &str, count: u64, remark: &str| {
            writeln!(out, "{name:<20} {:>15}  {remark}", HumanCount(count).to_string())
        };
        row("documents", documents, "")?;
        if self.manifest.counts.empty_documents > 0 {
            row("empty documents", self.manifest.counts.empty_documents, "no token in them")?;
        }
        row(if matches!(options.unit, UnitName::Line) { "lines" } else { "sentences" }, units, "")?;
        row("tokens", text_tokens, "")?;
        row("unknown tokens", self.unknown, &share(self.unknown, text_tokens))?;
        row("tokens dropped", tokens_dropped, &share(tokens_dropped, text_tokens))?;
        row("examples", examples, &format!("of {} tokens", options.max_length))?;
        row("two segments", two_segments, &share(two_segments, examples))?;
        row("padding", slots - tokens, &share(slots - tokens, slots))?;
        if self.replaced > 0 {
            row("replaced", self.replaced, "byte sequences that were not UTF-8")?;
        }
        let shards = self.manifest.shards.len();
        Ok(writeln!(
            out,
            "{} written in {:.1} s ({:.2} M tokens/s): {} in {shards} {}",
            output::shown(&options.output),
            self.started.elapsed().as_secs_f64(),
            self.rate() / 1e6,
            indicatif::BinaryBytes(self.bytes()),
            if shards == 1 { "shard" } else { "shards" },
        )?)
    }
}
