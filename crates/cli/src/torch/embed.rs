//! `electra embed`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use electra_config::{DeviceChoice, Precision};
use electra_encoder::Compute;
use electra_evaluation::config::Pooling;
use electra_evaluation::{Embedder, EmbeddingScores};
use electra_store::{NewFolder, require_vacant};
use electra_tasks::Split;
use serde_json::json;

use crate::hub::{self, Files};
use crate::stdin::Lines;
use crate::{interrupt, output};

/// Compute a vector for each text, with an encoder that is not trained further.
///
/// Each line of standard input is a text, and each line of output is its vector, a JSON list. The vector is the mean of the
/// last layer over all tokens, or its state of [CLS], as in sentence-transformers. Texts longer than the encoder's rows are cut.
///
/// With --task the texts come from a task that has a number for each pair of texts, such as STS-B, and the command prints
/// scores: the correlations between the cosines of the pairs and their numbers; alignment, the mean squared distance of the
/// texts of similar pairs; uniformity, log mean exp(−2 d²) over all pairs of texts; and the mean cosine of these pairs. With
/// --output, OUTPUT/TASK has scores.json and the cosines; the folder is written whole or not at all.
#[derive(Args)]
#[command(after_help = "Examples:
  electra embed --model export < sentences.txt > vectors.jsonl
  electra embed --model export --task STS-B --data GLUE")]
pub(crate) struct Options {
    /// Folder in the Hub's layout with its tokenizer, or hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// How the states of the last layer become one vector
    #[arg(long, value_enum, default_value = "mean", value_name = "POOLING")]
    pooling: PoolingName,
    /// Task to read instead of standard input: a known name, or a folder with a task.toml
    #[arg(long, num_args = 1.., value_name = "NAME|DIR")]
    task: Vec<PathBuf>,
    /// Folder that holds the folders of the known tasks
    #[arg(long, value_name = "DIR", requires = "task")]
    data: Option<PathBuf>,
    /// Set of the task
    #[arg(long, value_name = "SET", requires = "task", default_value = "dev")]
    evaluate: Split,
    /// Folder to write the scores to; must be new or empty
    #[arg(long, value_name = "DIR", requires = "task")]
    output: Option<PathBuf>,
    /// Print the scores as JSON, one line for each task
    #[arg(long, requires = "task")]
    json: bool,
    /// Precision of the encoder: fp32, bf16, or auto for the faster one
    #[arg(long, default_value = "fp32", value_name = "KIND", value_parser = super::precision)]
    precision: Precision,
    /// Threads [default: libtorch's]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    threads: usize,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of stopping
    #[arg(long)]
    lossy: bool,
    /// Longest line that is accepted, in bytes
    #[arg(long, default_value_t = 256 << 20, value_name = "N")]
    max_line_bytes: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum PoolingName {
    Mean,
    Cls,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    options.output.as_deref().map(require_vacant).transpose()?;
    let model = hub::folder(&options.model, Files::Model)?;
    let compute = Compute::set_up(DeviceChoice::Cpu, options.threads, options.precision, false)?;
    let pooling = match options.pooling {
        PoolingName::Mean => Pooling::Mean,
        PoolingName::Cls => Pooling::Cls,
    };
    let embedder = Embedder::read(&model, pooling, compute)?;
    super::note(embedder.note());
    if options.task.is_empty() { lines(options, &embedder) } else { tasks(options, &embedder) }
}

fn tasks(options: &Options, embedder: &Embedder) -> Result<()> {
    let stop = interrupt::flag("");
    let tasks = options.task.iter().map(|name| electra_tasks::find(name, options.data.as_deref()));
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    let new = options.output.as_deref().map(NewFolder::create_all).transpose()?;
    let mut shown = Vec::new();
    for task in tasks {
        let dataset = task.read(&options.evaluate)?;
        super::note(dataset.note().as_deref());
        let scored = embedder.score(&task, &dataset, &stop)?;
        if let Some(new) = &new {
            scored.write(&task.name, &options.evaluate, &new.path().join(&task.name))?;
        }
        let scores = &scored.scores;
        let line = || format!("{}\n", json!(scores));
        shown.push(if options.json { line() } else { table(&output::escaped(&task.name), scores) });
    }
    new.map(NewFolder::finish).transpose()?;
    shown.iter().try_for_each(|text| output::print(text))
}

fn lines(options: &Options, embedder: &Embedder) -> Result<()> {
    let stop = interrupt::flag("");
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut lines = Lines::of_stdin(options.lossy, options.max_line_bytes);
    loop {
        // What could be read before a bad line is still answered.
        let (chunk, outcome) = lines.chunk();
        let vectors = embedder.embed(&chunk, &stop)?;
        for row in 0..chunk.len() {
            let vector = Vec::<f32>::try_from(&vectors.get(row as i64)).context("a vector")?;
            writeln!(output, "{}", json!(vector))?;
        }
        output.flush()?;
        outcome?;
        if chunk.is_empty() {
            return Ok(());
        }
    }
}

fn table(name: &str, scores: &EmbeddingScores) -> String {
    let EmbeddingScores { pairs, spearman, pearson, alignment, uniformity, mean_cosine } = scores;
    let alignment = alignment.map_or("–".to_owned(), |alignment| format!("{alignment:.4}"));
    format!(
        "{name}, {pairs} pairs\nspearman     {spearman:.4}\npearson      {pearson:.4}\nalignment    {alignment}\nuniformity   \
         {uniformity:.4}\nmean cosine  {mean_cosine:.4}\n"
    )
}
