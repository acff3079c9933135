//! Training a vocabulary: count words, choose the alphabet, merge pairs.

mod alphabet;
mod config;
mod count;
mod merge;

use std::path::Path;

use electra_text::{Event, Inputs, ReadConfig, Reader};
use serde::Serialize;

pub use config::TrainConfig;

use crate::load::word_piece;
use crate::pipeline::{Normalization, bert};
use crate::special::SpecialNames;
use crate::vocab::checked;
use crate::{Error, Tokenizer};
use alphabet::Alphabet;
use count::Counter;
use merge::Merger;

/// Trains a tokenizer on lines of text from memory or any other source.
///
/// # Errors
/// A config that cannot work, a text without words, a vocabulary too small for the text's characters, and
/// whatever error the iterator gives.
pub fn train<I, S, E>(config: &TrainConfig, text: I) -> Result<Trained, Error>
where
    I: IntoIterator<Item = Result<S, E>>,
    I::IntoIter: Send,
    S: Into<String>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut trainer = Trainer::new(config)?;
    trainer.feed(text)?;
    trainer.finish(|_| {})
}

/// Trains a tokenizer on files, as a stream: they may be larger than memory.
///
/// # Errors
/// As [`train`], and [`Error::Text`] if a file cannot be read.
pub fn train_from_files(config: &TrainConfig, inputs: Inputs, read: ReadConfig) -> Result<Trained, Error> {
    let mut trainer = Trainer::new(config)?;
    trainer.feed_files(&mut Reader::new(inputs, read)?)?;
    trainer.finish(|_| {})
}

/// A trained tokenizer and how it came about.
#[derive(Debug)]
pub struct Trained {
    /// The tokenizer: `[PAD]` 0, `[UNK]` 1, `[CLS]` 2, `[SEP]` 3, `[MASK]` 4, then single characters, then
    /// merges in the order in which they were made.
    pub tokenizer: Tokenizer,
    /// Counts, for a record.
    pub report: TrainReport,
}

/// What a training saw and left out. Words are counted as often as they occur, unless called distinct.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// Lines of text read.
    pub lines: u64,
    /// Words in them.
    pub words: u64,
    /// Distinct words the merges were made from.
    pub distinct_words: usize,
    /// Words of more than 100 characters, which WordPiece maps to `[UNK]`: left out.
    pub long_words: u64,
    /// Words left out because more than [`TrainConfig::max_words`] distinct ones were met.
    pub rare_words: u64,
    /// Words left out because a character of theirs is not in the alphabet.
    pub uncovered_words: u64,
    /// Distinct characters met.
    pub characters: usize,
    /// Distinct characters in the alphabet.
    pub alphabet: usize,
    /// Share of the characters' occurrences that the alphabet covers.
    pub character_coverage: f64,
    /// Tokens made by merging two others.
    pub merges: usize,
    /// Tokens in all; less than asked for if no pair was left that occurs `min_frequency` times.
    pub vocab_size: usize,
}

/// Training in steps, for a program that shows its progress; [`train`] and [`train_from_files`] are short
/// for it.
///
/// The result depends on the text alone, neither on the number of threads nor on the process.
pub struct Trainer {
    config: TrainConfig,
    counter: Counter,
}

impl Trainer {
    /// Starts a training.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration cannot work.
    pub fn new(config: &TrainConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self { config: config.clone(), counter: Counter::new(config) })
    }

    /// Counts the words of lines, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// The iterator's first error.
    pub fn feed<I, S, E>(&mut self, text: I) -> Result<(), Error>
    where
        I: IntoIterator<Item = Result<S, E>>,
        I::IntoIter: Send,
        S: Into<String>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let lines =
            text.into_iter().map(|line| line.map(Into::into).map_err(|error| Error::Source(error.into())));
        self.counter.count(lines)
    }

    /// Counts the words of files; [`Reader::progress`] tells another thread how far it is.
    ///
    /// # Errors
    /// [`Error::Text`] if a file cannot be read.
    pub fn feed_files(&mut self, reader: &mut Reader) -> Result<(), Error> {
        self.counter.count(reader.filter_map(|event| match event {
            Ok(Event::Line(line)) => Some(Ok(line)),
            Ok(Event::EndOfDocument) => None,
            Err(error) => Some(Err(error.into())),
        }))
    }

    /// Makes the vocabulary; `progress` is called with the number of tokens whenever there is one more, up
    /// to [`TrainConfig::vocab_size`].
    ///
    /// # Errors
    /// [`Error::NoWords`], [`Error::VocabularyTooSmall`].
    pub fn finish(self, progress: impl FnMut(usize)) -> Result<Trained, Error> {
        let Self { config, counter } = self;
        let counts = counter.finish()?;
        let alphabet = Alphabet::choose(&counts.words, &config);
        let names = SpecialNames::bert();
        let special = names.by_role().map(|(_, token)| token);
        let mut merger = Merger::new(counts.words, &alphabet, &special);
        let singles = merger.tokens().len();
        if singles > config.vocab_size {
            return Err(Error::VocabularyTooSmall {
                vocab_size: config.vocab_size,
                minimum: singles,
                characters: alphabet.len(),
            });
        }
        merger.run(config.vocab_size, config.min_frequency, progress);

        let report = TrainReport {
            lines: counts.lines,
            words: counts.total,
            distinct_words: merger.words(),
            long_words: counts.long,
            rare_words: counts.rare,
            uncovered_words: merger.uncovered(),
            characters: alphabet.met(),
            alphabet: alphabet.len(),
            character_coverage: alphabet.coverage(),
            merges: merger.tokens().len() - singles,
            vocab_size: merger.tokens().len(),
        };
        let vocab = merger.into_tokens().into_iter().zip(0..).collect();
        let pipeline = bert(word_piece(vocab, &names.unk), normalization(&config).recomposed());
        let tokenizer = checked(pipeline, names, Path::new("<trained>"))?;
        Ok(Trained { tokenizer, report })
    }
}

impl std::fmt::Debug for Trainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer").field("config", &self.config).finish_non_exhaustive()
    }
}

fn normalization(config: &TrainConfig) -> Normalization {
    Normalization {
        lowercase: config.lowercase,
        strip_accents: Some(config.strip_accents),
        tokenize_chinese_chars: true,
    }
}
