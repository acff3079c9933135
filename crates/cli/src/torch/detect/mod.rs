//! `electra detect`.

mod answer;
mod lists;
mod model;
mod request;
mod show;

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use self::answer::Answer;
use self::model::{Model, OutputOptions};
use self::request::{Reader, Request};
use crate::hub::{self, Files};
use crate::stdin::Lines;

/// How many batches of lines are sorted, so that rows of like length share a batch.
const SORTED_BATCHES: usize = 4;

/// Detect replaced tokens: print how likely each token of a text was replaced.
///
/// A token whose probability is above 0.5 is printed with it, as "token(0.93)", and on a terminal in colour. Each line of input
/// gives one line of output.
///
/// With --json each line of standard input is {"text": …}, or {"input_ids": …} with "token_type_ids" (0 if not given) and
/// "attention_mask" (1 if not given): lists, or lists of equally long lists. Blank lines and other fields are ignored. The
/// answer has, in the same shape, "tokens" (if the folder has a tokenizer), "logits" and "probabilities" of "replaced", and
/// with --hidden "last_hidden_state". The other rows of a batch change the numbers only by rounding; --batch 1 avoids this.
///
/// A generator has no logits of "replaced". Its folder is refused, except with --vocabulary-logits, or with --json --hidden,
/// which prints its hidden states.
#[derive(Args)]
#[command(after_help = "Examples:
  electra detect --model export 'the chef ate the meal'
  electra detect --model export < sentences.txt
  electra corpus inspect corpus --masked --batch 4 --json | electra detect --model export --json
  echo '{\"input_ids\": [[2, 9, 3], [2, 7, 3]]}' | electra detect --model export --json --hidden")]
pub(crate) struct Options {
    /// Folder in the Hub's layout, of a discriminator, or hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// Text [default: the lines of standard input]
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Read one JSON object from each line, and print one
    #[arg(long)]
    json: bool,
    /// Also print the hidden states of the last layer
    #[arg(long, requires = "json")]
    hidden: bool,
    /// For a generator, also print the logits of the whole vocabulary
    #[arg(long, requires = "hidden")]
    vocabulary_logits: bool,
    /// Rows that are computed together
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = at_least_1)]
    batch: usize,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of stopping
    #[arg(long)]
    lossy: bool,
    /// Longest line that is accepted, in bytes
    #[arg(long, default_value_t = 256 << 20, value_name = "N")]
    max_line_bytes: usize,
}

fn at_least_1(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "expected at least 1".to_owned())
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let outputs =
        OutputOptions { hidden: options.hidden, vocabulary: options.vocabulary_logits, batch: options.batch };
    let folder = hub::folder(&options.model, Files::Model)?;
    let model = Model::load(&folder, outputs)?;
    let reader = Reader { tokenizer: model.tokenizer(), config: model.config(), folder: &folder };
    let mut output = BufWriter::new(std::io::stdout().lock());
    if let Some(text) = &options.text {
        let request = reader.text(text).context("TEXT")?;
        return answer(&mut output, &model, &[request], options.json);
    }
    let mut lines = Lines::of_stdin(options.lossy, options.max_line_bytes);
    let mut number = 0;
    loop {
        // What could be read before a bad line is still answered.
        let (chunk, mut outcome) = lines.chunk();
        let mut requests = Vec::with_capacity(chunk.len());
        for line in &chunk {
            number += 1;
            if options.json && line.trim().is_empty() {
                continue;
            }
            let request = if options.json { reader.json(line) } else { reader.text(line) };
            match request.with_context(|| format!("standard input: line {number}")) {
                Ok(request) => requests.push(request),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        for requests in requests.chunks(SORTED_BATCHES.saturating_mul(options.batch)) {
            answer(&mut output, &model, requests, options.json)?;
        }
        outcome?;
        if chunk.is_empty() {
            return Ok(());
        }
    }
}

fn answer(output: &mut impl Write, model: &Model, requests: &[Request], json: bool) -> Result<()> {
    let rows: Vec<_> = requests.iter().flat_map(|request| &request.rows).collect();
    let mut outputs = model.outputs(&rows)?.into_iter();
    for request in requests {
        let outputs: Vec<_> = outputs.by_ref().take(request.rows.len()).collect();
        if json {
            let answer = Answer::new(request, outputs, model.tokenizer());
            // An I/O error stays one, so that a reader who has seen enough is not a failure.
            serde_json::to_writer(&mut *output, &answer).map_err(std::io::Error::from)?;
            writeln!(output)?;
        } else {
            let tokenizer = model.tokenizer().expect("a text is read with one");
            let logits = outputs.first().and_then(|row| row.logits.as_deref()).unwrap_or_default();
            writeln!(output, "{}", show::sentence(&request.rows[0].input_ids, logits, tokenizer))?;
        }
    }
    Ok(output.flush()?)
}
