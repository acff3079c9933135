//! The options that say what text is read, and how.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use electra_data::Source;
use electra_text::{Format, Input, Inputs, ReadConfig, Reader, Separator};

#[derive(Args)]
pub(crate) struct InputOptions {
    /// Text to read: files, folders (searched for .txt, .jsonl, .parquet, also .gz and .zst), glob patterns,
    /// or - for standard input
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    input: Vec<String>,
    /// What ends a document in plain text
    #[arg(long, value_enum, default_value = "blank-line", value_name = "WHAT")]
    documents: Documents,
    /// Format of the files [default: by extension, else text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FileFormat>,
    /// Field of JSON Lines, or column of Parquet, that holds the text
    #[arg(long, default_value = "text", value_name = "NAME")]
    text_field: String,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of refusing the file
    #[arg(long)]
    lossy: bool,
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
        ReadConfig {
            format: self.format.map(|format| match format {
                FileFormat::Text => Format::Text,
                FileFormat::Jsonl => Format::JsonLines,
                FileFormat::Parquet => Format::Parquet,
            }),
            text_field: self.text_field.clone(),
            lossy: self.lossy,
            ..ReadConfig::new(separator)
        }
    }

    /// Finds the files; says on standard error which files of a folder are not read.
    pub(crate) fn expand(&self) -> Result<Inputs> {
        let inputs = Inputs::expand(&self.input)?;
        if let [first, ..] = inputs.left_out() {
            eprintln!(
                "note: {} entries of the folders are left out (such as {}); name them, or a pattern, to read them",
                inputs.left_out().len(),
                first.display()
            );
        }
        Ok(inputs)
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
