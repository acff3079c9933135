//! `electra tokenizer encode`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use electra_tokenizer::{Encoding, Tokenizer};
use rayon::prelude::*;
use serde_json::json;

use crate::hub::{self, Files};
use crate::stdin::Lines;

/// Encode the lines of standard input into tokens and ids.
///
/// The ids are those of Python's transformers for the same tokenizer.
#[derive(Args)]
#[command(after_help = "Examples:
  echo '한국어 문장' | electra tokenizer encode --tokenizer tokenizer
  electra tokenizer encode --tokenizer tokenizer --json < text.txt > ids.jsonl")]
pub(crate) struct Options {
    /// Folder with tokenizer.json or vocab.txt, or one of these files, or hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    tokenizer: PathBuf,
    /// Print {"tokens": …, "input_ids": …} for each line, instead of tokens, a tab, and ids
    #[arg(long)]
    json: bool,
    /// Leave out [CLS] and [SEP]
    #[arg(long)]
    no_special_tokens: bool,
    /// Treat [MASK] or [SEP] in the text as ordinary text, as a corpus does
    #[arg(long)]
    special_tokens_as_text: bool,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of stopping
    #[arg(long)]
    lossy: bool,
    /// Longest line that is accepted, in bytes
    #[arg(long, default_value_t = 256 << 20, value_name = "N")]
    max_line_bytes: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let tokenizer = Tokenizer::load(hub::folder(&options.tokenizer, Files::Tokenizer)?)?
        .special_tokens_as_text(options.special_tokens_as_text);
    let mut lines = Lines::of_stdin(options.lossy, options.max_line_bytes);
    let mut output = BufWriter::new(std::io::stdout().lock());
    loop {
        // What could be read before a bad line is still answered.
        let (chunk, outcome) = lines.chunk();
        let encoded: Vec<Encoding> = chunk
            .par_iter()
            .map(|line| {
                if options.no_special_tokens {
                    tokenizer.encode_without_special_tokens(line)
                } else {
                    tokenizer.encode_with_special_tokens(line)
                }
            })
            .collect();
        for Encoding { input_ids, .. } in encoded {
            if options.json {
                print_json(&mut output, &tokenizer, &input_ids)?;
            } else {
                print(&mut output, &tokenizer, &input_ids)?;
            }
        }
        output.flush()?;
        outcome?;
        if chunk.is_empty() {
            return Ok(());
        }
    }
}

/// Tokens, a tab, ids. Written one by one: the tokens of a long line would take many times its memory.
fn print(output: &mut impl Write, tokenizer: &Tokenizer, ids: &[u32]) -> Result<()> {
    for (place, &id) in ids.iter().enumerate() {
        write!(output, "{}{}", if place > 0 { " " } else { "" }, token(tokenizer, id))?;
    }
    write!(output, "\t")?;
    for (place, id) in ids.iter().enumerate() {
        write!(output, "{}{id}", if place > 0 { " " } else { "" })?;
    }
    Ok(writeln!(output)?)
}

fn print_json(output: &mut impl Write, tokenizer: &Tokenizer, ids: &[u32]) -> Result<()> {
    write!(output, "{{\"input_ids\":[")?;
    for (place, id) in ids.iter().enumerate() {
        write!(output, "{}{id}", if place > 0 { "," } else { "" })?;
    }
    write!(output, "],\"tokens\":[")?;
    for (place, &id) in ids.iter().enumerate() {
        write!(output, "{}{}", if place > 0 { "," } else { "" }, json!(token(tokenizer, id)))?;
    }
    Ok(writeln!(output, "]}}")?)
}

fn token(tokenizer: &Tokenizer, id: u32) -> String {
    tokenizer.id_to_token(id).unwrap_or_default()
}
