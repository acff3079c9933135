//! Time and memory of a corpus: from text to shards, opening it, and a batch of it.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use electra_benches::{BATCH, corpus_config, median, word};
use electra_data::{Corpus, CorpusWriter, Loader, MaskingConfig, Progress};
use electra_masking::Masker;
use electra_text::{Inputs, ReadConfig, Reader, Separator};
use electra_tokenizer::Tokenizer;
use tch::Device;

use crate::{Extra, Result};

/// Lines are equally long whatever is varied, so that documents are cut elsewhere and nothing else changes.
const WORDS: usize = 16;
/// V of the tokenizer.
const VOCAB_SIZE: usize = 8192;
/// Lines that the tokenizer is trained on.
const TRAINED_ON: usize = 20_000;
/// Batches that are timed, and openings.
const BATCHES: u64 = 200;
const OPENINGS: usize = 21;

#[derive(clap::Args)]
pub(crate) struct TokenizerOptions {
    /// A folder that does not exist yet
    folder: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct TextOptions {
    /// The file to write
    file: PathBuf,
    /// Lines of 16 words
    #[arg(long)]
    lines: usize,
    /// Lines in a document
    #[arg(long)]
    per_document: usize,
}

#[derive(clap::Args)]
pub(crate) struct CorpusOptions {
    /// What `scaling text` wrote
    text: PathBuf,
    /// What `scaling tokenizer` wrote
    tokenizer: PathBuf,
}

pub(crate) fn write_tokenizer(options: &TokenizerOptions) -> Result<()> {
    let mut rng = rng();
    let lines: Vec<String> = (0..TRAINED_ON).map(|_| line(&mut rng)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    electra_benches::tokenizer(&lines, VOCAB_SIZE).save(&options.folder)?;
    Ok(())
}

pub(crate) fn write_text(options: &TextOptions) -> Result<()> {
    let mut rng = rng();
    let mut file = BufWriter::new(std::fs::File::create(&options.file)?);
    for number in 1..=options.lines {
        writeln!(file, "{}", line(&mut rng))?;
        if number % options.per_document == 0 {
            writeln!(file)?;
        }
    }
    Ok(file.flush()?)
}

pub(crate) fn run(options: &CorpusOptions) -> Result<()> {
    let tokenizer = Tokenizer::load(&options.tokenizer)?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path().join("corpus");
    let config = corpus_config(&tokenizer);

    // Text is no matter of a GPU.
    let extra = Extra::begin(Device::Cpu)?;
    let started = Instant::now();
    let inputs = Inputs::expand(&[&options.text])?;
    let reader = Reader::new(inputs, ReadConfig::new(Separator::BlankLine))?;
    let writer = CorpusWriter::create(&folder, config)?;
    let manifest = electra_data::build(reader, |text| tokenizer.encode(text), writer, &Progress::default())?;
    let (build, build_memory) = (started.elapsed().as_secs_f64(), extra.peak()?);

    let mut openings = Vec::new();
    for _ in 0..OPENINGS {
        let started = Instant::now();
        let _corpus = Corpus::open(&folder)?;
        openings.push(started.elapsed().as_secs_f64());
    }

    // A block's checksum is computed when it is first read; after this, batches cost what they do in a run.
    let corpus = Corpus::open(&folder)?;
    corpus.verify()?;
    let masker = Masker::new(MaskingConfig::electra(), corpus.vocabulary(), &[], corpus.max_length(), 1)?;
    let loader = Loader::new(&corpus, &masker, BATCH, 1)?;
    let mut parts = loader.empty_parts(1)?;
    // The second time, the rows come from the processor's caches, however large the corpus is.
    let mut times = [Vec::new(), Vec::new()];
    for step in 0..BATCHES {
        for times in &mut times {
            let started = Instant::now();
            loader.fill(step, &mut parts)?;
            times.push(started.elapsed().as_secs_f64());
        }
    }
    let [batch, again] = times.map(median);
    let report = serde_json::json!({
        "tokens": manifest.counts.text_tokens, "documents": manifest.counts.documents,
        "build_seconds": build, "build_memory_bytes": build_memory,
        "open_seconds": median(openings), "batch_seconds": batch, "batch_again_seconds": again,
    });
    println!("{report}");
    Ok(())
}

fn rng() -> electra_masking::KeyedRng {
    electra_masking::Stream::named(b"scaling\0").rng(1, 0, 0)
}

fn line(rng: &mut electra_masking::KeyedRng) -> String {
    (0..WORDS).map(|_| word(rng)).collect::<Vec<_>>().join(" ")
}
