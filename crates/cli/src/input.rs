//! The options that say what text is read, and how.

mod looks;

use std::ffi::OsString;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use electra_data::Source;
use electra_text::{Format, Input, Inputs, ReadConfig, Reader, Separator};

use crate::output;

/// Files whose first line is looked at: a slip of the format shows in the first ones.
const LOOKED_AT: usize = 16;

#[derive(Args)]
pub(crate) struct InputOptions {
    /// Text to read: files, folders (searched for .txt, .jsonl, .parquet, also .gz and .zst), glob patterns,
    /// or - for standard input
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    input: Vec<OsString>,
    /// What ends a document in plain text
    #[arg(long, value_enum, default_value = "blank-line", value_name = "WHAT")]
    documents: Documents,
    /// Format of the files; parquet needs a program built with --features parquet [default: by extension,
    /// else text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FileFormat>,
    /// Field of JSON Lines, or column of Parquet, that holds the text [default: text]
    #[arg(long, value_name = "NAME")]
    text_field: Option<String>,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of refusing the file
    #[arg(long)]
    lossy: bool,
    /// Longest line, in bytes, that is taken into memory [default: 268435456]
    #[arg(long, value_name = "N")]
    max_line_bytes: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Documents {
    /// Blank lines
    BlankLine,
    /// Every line is a document
    Line,
}

#[derive(Clone, Copy, ValueEnum)]
enum FileFormat {
    /// Plain text
    Text,
    /// One JSON object a line
    Jsonl,
    /// Parquet
    Parquet,
}

impl InputOptions {
    pub(crate) fn read_config(&self) -> ReadConfig {
        let separator = match self.documents {
            Documents::BlankLine => Separator::BlankLine,
            Documents::Line => Separator::Line,
        };
        let base = ReadConfig::new(separator);
        ReadConfig {
            format: self.format.map(|format| match format {
                FileFormat::Text => Format::Text,
                FileFormat::Jsonl => Format::JsonLines,
                FileFormat::Parquet => Format::Parquet,
            }),
            text_field: self.text_field.clone().unwrap_or(base.text_field),
            lossy: self.lossy,
            max_line_bytes: self.max_line_bytes.unwrap_or(base.max_line_bytes),
            ..base
        }
    }

    /// Finds the files; says on standard error which files of a folder are not read, and which are read as
    /// plain text though they look like a table or JSON.
    pub(crate) fn expand(&self) -> Result<Inputs> {
        let config = self.read_config();
        config.validate()?;
        let inputs = Inputs::expand(&self.input)?;
        let format = |input: &Input| {
            let by_name = match input {
                Input::File { path, .. } => Format::from_path(path),
                _ => None,
            };
            config.format.or(by_name).unwrap_or(Format::Text)
        };
        let all = inputs.as_slice();
        if let Some(input) = all.iter().find(|&input| format(input) == Format::Parquet) {
            ensure!(
                cfg!(feature = "parquet"),
                "{input}: this program does not read Parquet: build the program with --features parquet"
            );
        }
        ensure!(
            self.text_field.is_none() || all.iter().any(|input| format(input) != Format::Text),
            "--text-field: expected JSON Lines or Parquet among the input, found plain text alone; --format \
             jsonl reads files of any name as JSON Lines"
        );
        let texts = all.iter().filter(|&input| format(input) == Format::Text);
        if let Some(note) = texts.take(LOOKED_AT).find_map(looks::like_a_table) {
            output::tell(&format!("note: {note}"));
        }
        if let [first, rest @ ..] = inputs.left_out() {
            let (entries, them) = if rest.is_empty() { ("entry", "it") } else { ("entries", "them") };
            output::tell(&format!(
                "note: {} {entries} of the folders left out (such as {}); name {them}, or a pattern, to read \
                 {them}",
                rest.len() + 1,
                first.display()
            ));
        }
        Ok(inputs)
    }

    /// What was named, as messages about all of it begin.
    pub(crate) fn named(&self) -> String {
        let first = self.input.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match self.input.len() {
            0 | 1 => first,
            many => format!("{first} and {} more", many - 1),
        }
    }

    pub(crate) fn reader(&self, inputs: Inputs) -> Result<Reader> {
        Reader::new(inputs, self.read_config()).context("reading the input")
    }
}

/// The files as a corpus records them.
pub(crate) fn sources(inputs: &Inputs) -> Vec<Source> {
    let source = |input: &Input| match input {
        Input::File { path, bytes } => Source { path: path.to_string_lossy().into_owned(), bytes: *bytes },
        _ => Source { path: "-".into(), bytes: None },
    };
    inputs.as_slice().iter().map(source).collect()
}
