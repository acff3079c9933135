//! Writing a corpus: units of token ids in, a folder of shards out.

use std::path::Path;

use electra_store::{NewFolder, require_vacant};
use electra_text::ReadConfig;

use crate::corpus::{FORMAT, MANIFEST, VERSION};
use crate::shard::{ShardHeader, ShardSummary, ShardWriter};
use crate::{Counts, Error, ExampleBuilder, ExampleConfig, Manifest, Source, Unit, Vocabulary};

/// What a corpus is made by.
#[derive(Clone, Debug, PartialEq)]
pub struct CorpusConfig {
    /// How documents are cut.
    pub examples: ExampleConfig,
    /// What examples are packed from.
    pub unit: Unit,
    /// The tokenizer's size and special tokens.
    pub vocabulary: Vocabulary,
    /// SHA-256 that names the tokenizer.
    pub tokenizer: [u8; 32],
    /// How many ids a shard holds before the next is begun; 2²⁸ is half a GiB at two bytes an id.
    pub shard_tokens: u64,
    /// How files were read, for the record.
    pub reading: Option<ReadConfig>,
    /// What was read, for the record.
    pub sources: Vec<Source>,
}

/// Writes a corpus: to a temporary sibling folder, which takes the corpus's name when it is whole.
/// Dropped before [`finish`](CorpusWriter::finish), it leaves nothing.
#[derive(Debug)]
pub struct CorpusWriter {
    folder: NewFolder,
    config: CorpusConfig,
    builder: ExampleBuilder,
    shard: Option<ShardWriter>,
    shards: Vec<ShardSummary>,
    counts: Counts,
    /// Whether the current document has given a token.
    open: bool,
}

impl CorpusWriter {
    /// Begins a corpus that will be found at `output`.
    ///
    /// # Errors
    /// [`Error::Store`] if there is something already, or the folder above cannot be written to,
    /// [`Error::Config`] if a setting is out of range.
    pub fn create(output: &Path, config: CorpusConfig) -> Result<Self, Error> {
        config.vocabulary.validate()?;
        let builder = ExampleBuilder::new(config.examples.clone(), &config.vocabulary)?;
        if config.shard_tokens == 0 {
            return Err(Error::Config {
                field: "shard_tokens",
                found: "0".into(),
                expected: "at least 1 token".into(),
            });
        }
        require_vacant(output)?;
        Ok(Self {
            folder: NewFolder::create_all(output)?,
            config,
            builder,
            shard: None,
            shards: Vec::new(),
            counts: Counts::default(),
            open: false,
        })
    }

    /// The folder that becomes the corpus: what is put there travels with it (its tokenizer, say).
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How the corpus is made.
    #[must_use]
    pub fn config(&self) -> &CorpusConfig {
        &self.config
    }

    /// What went in and what came out so far; `tokens` counts finished shards only.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Adds a unit of the current document.
    ///
    /// # Errors
    /// [`Error::TokenId`] for an id outside the vocabulary, [`Error::Store`] if a shard cannot be written.
    pub fn push(&mut self, unit: &[u32]) -> Result<(), Error> {
        if unit.is_empty() {
            return Ok(());
        }
        self.counts.units += 1;
        self.counts.text_tokens += unit.len() as u64;
        self.open = true;
        let Self { builder, folder, config, shard, shards, counts, .. } = self;
        builder.push(unit, |example| write(folder.path(), config, shard, shards, counts, example))
    }

    /// Ends the current document.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn end_document(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.open) {
            self.counts.documents += 1;
        } else {
            self.counts.empty_documents += 1;
        }
        let Self { builder, folder, config, shard, shards, counts, .. } = self;
        builder.end_document(|example| write(folder.path(), config, shard, shards, counts, example))
    }

    /// Ends the last document if it is open, writes the manifest and gives the folder its name.
    ///
    /// # Errors
    /// [`Error::Empty`] if there was no token, [`Error::Store`] if something cannot be written; then there is
    /// no corpus.
    pub fn finish(mut self) -> Result<Manifest, Error> {
        if self.open {
            self.end_document()?;
        }
        if let Some(shard) = self.shard.take() {
            self.shards.push(shard.finish()?);
        }
        if self.shards.is_empty() {
            return Err(Error::Empty { documents: self.counts.empty_documents });
        }
        self.counts.tokens_dropped = self.builder.dropped();
        self.counts.tokens = self.shards.iter().map(|shard| shard.tokens).sum();
        let manifest = Manifest {
            format: FORMAT.into(),
            version: VERSION,
            tokenizer: crate::hex(&self.config.tokenizer),
            vocabulary: self.config.vocabulary,
            examples: self.config.examples,
            unit: self.config.unit,
            reading: self.config.reading,
            sources: self.config.sources,
            counts: self.counts,
            shards: self.shards,
        };
        let path = self.folder.path().join(MANIFEST);
        let text =
            serde_json::to_string_pretty(&manifest).expect("a manifest has no key that is not a string");
        electra_store::write(&path, format!("{text}\n"))?;
        self.folder.finish()?;
        Ok(manifest)
    }
}

/// Adds an example to the open shard, beginning one if there is none and ending it when it is full.
fn write(
    folder: &Path,
    config: &CorpusConfig,
    open: &mut Option<ShardWriter>,
    shards: &mut Vec<ShardSummary>,
    counts: &mut Counts,
    example: crate::Example<'_>,
) -> Result<(), Error> {
    if open.is_none() {
        let path = folder.join(format!("shard-{:05}.bin", shards.len()));
        let header = ShardHeader {
            vocab_size: config.vocabulary.size,
            max_length: config.examples.max_length as u32,
            tokenizer: config.tokenizer,
        };
        *open = Some(ShardWriter::create(&path, header)?);
    }
    counts.examples += 1;
    counts.two_segments += u64::from(example.first_segment < example.input_ids.len());
    if let Some(shard) = open {
        shard.push(example)?;
        if shard.tokens() < config.shard_tokens {
            return Ok(());
        }
    }
    if let Some(full) = open.take() {
        shards.push(full.finish()?);
    }
    Ok(())
}
