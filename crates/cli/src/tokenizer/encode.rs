//! `electra tokenizer encode`.

use std::io::{BufRead, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use electra_tokenizer::{Encoding, Tokenizer};
use rayon::prelude::*;
use serde_json::json;

/// Lines that are encoded at once.
const CHUNK: usize = 4096;

/// Encode lines of standard input: tokens and ids, a line for each.
///
/// The ids are those of Python's transformers for the same tokenizer.
#[derive(Args)]
#[command(after_help = "Examples:
  echo '한국어 문장' | electra tokenizer encode --tokenizer tokenizer
  electra tokenizer encode --tokenizer tokenizer --json < text.txt > ids.jsonl")]
pub(crate) struct Options {
    /// Folder with tokenizer.json or vocab.txt, or one of these files
    #[arg(long, value_name = "DIR")]
    tokenizer: PathBuf,
    /// Print {"tokens": …, "input_ids": …} a line instead of tokens, a tab, and ids
    #[arg(long)]
    json: bool,
    /// Leave out [CLS] and [SEP]
    #[arg(long)]
    no_special_tokens: bool,
    /// Take a literal [MASK] or [SEP] in the text as text, as a corpus does
    #[arg(long)]
    special_tokens_as_text: bool,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of stopping
    #[arg(long)]
    lossy: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let tokenizer =
        Tokenizer::load(&options.tokenizer)?.special_tokens_as_text(options.special_tokens_as_text);
    let mut lines = Lines { input: std::io::stdin().lock(), lossy: options.lossy, line: 0, offset: 0 };
    let mut output = BufWriter::new(std::io::stdout().lock());
    loop {
        // What could be read before a bad line is still answered.
        let (chunk, outcome) = lines.chunk(CHUNK);
        let encoded: Vec<Encoding> = chunk
            .par_iter()
            .map(|line| {
                let mut encoding = tokenizer.encode_with_special_tokens(line);
                if options.no_special_tokens {
                    strip(&mut encoding);
                }
                encoding
            })
            .collect();
        for Encoding { tokens, input_ids, .. } in encoded {
            if options.json {
                writeln!(output, "{}", json!({ "tokens": tokens, "input_ids": input_ids }))?;
            } else {
                let ids: Vec<String> = input_ids.iter().map(ToString::to_string).collect();
                writeln!(output, "{}\t{}", tokens.join(" "), ids.join(" "))?;
            }
        }
        output.flush()?;
        outcome?;
        if chunk.is_empty() {
            return Ok(());
        }
    }
}

/// Takes off the first and the last token, [CLS] and [SEP].
fn strip(encoding: &mut Encoding) {
    let Encoding { input_ids, token_type_ids, tokens } = encoding;
    input_ids.pop();
    token_type_ids.pop();
    tokens.pop();
    if !input_ids.is_empty() {
        input_ids.remove(0);
        token_type_ids.remove(0);
        tokens.remove(0);
    }
}

/// Standard input by lines. Every line counts here, blank ones too: line n of the output is line n's.
struct Lines<R> {
    input: R,
    lossy: bool,
    line: u64,
    offset: u64,
}

impl<R: BufRead> Lines<R> {
    /// Up to `most` lines, fewer at the end or before an error. Interactive input comes line by line.
    fn chunk(&mut self, most: usize) -> (Vec<String>, Result<()>) {
        let most = if console::user_attended() { 1 } else { most };
        let mut lines = Vec::new();
        while lines.len() < most {
            match self.next() {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => break,
                Err(error) => return (lines, Err(error)),
            }
        }
        (lines, Ok(()))
    }

    fn next(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        let read = self.input.read_until(b'\n', &mut bytes).context("reading standard input")?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        let line = match String::from_utf8(bytes) {
            Ok(line) => line,
            Err(error) if self.lossy => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            Err(error) => bail!(
                "standard input: line {}: not UTF-8 at byte {}: convert it, or use --lossy",
                self.line,
                self.offset + error.utf8_error().valid_up_to() as u64
            ),
        };
        self.offset += read as u64;
        Ok(Some(line))
    }
}
