//! Documents cut into examples of a fixed length.

use electra_masking::{KeyedRng, Stream, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The shortest example length that holds `[CLS] a [SEP] b [SEP]`.
const MIN_LENGTH: usize = 5;

/// What becomes of tokens that do not fit an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// They begin the document's next example.
    Carry,
    /// They are thrown away, as in the reference implementation, and counted.
    Drop,
}

/// How documents are cut into examples; the reference's `ExampleBuilder` in words.
///
/// Units (lines or sentences) are collected until the target length. With `single_segment_prob` the
/// example is `[CLS] A [SEP]`; otherwise whole units go to A while they stay below half of the room, the
/// unit that crosses the half goes to A with probability one half, and the rest is B in
/// `[CLS] A [SEP] B [SEP]`. The target length is L, or with `short_prob` uniform in 5..=L. An example never
/// crosses the end of a document.
///
/// Three deviations. The draws of a document's first example are its own, where the reference's hang on what
/// came before. And so that nothing is lost or reordered: with [`Overflow::Carry`] an example is cut to its target length and the rest begins the next one (the
/// reference cuts to L and throws the rest away: [`Overflow::Drop`]); and once B has begun, no later unit
/// goes back to A (the reference lets a short unit jump the queue).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleConfig {
    /// L, the length of an example in tokens, special tokens included. Paper: 128 (Small), 512 (Base, Large).
    pub max_length: usize,
    /// Share of examples with one segment, 0 to 1. Reference: 0.1.
    pub single_segment_prob: f64,
    /// Probability that an example has a random target length, 0 to 1. Reference: 0.05.
    pub short_prob: f64,
    /// What becomes of tokens that do not fit.
    pub overflow: Overflow,
    /// The seed of the cuts.
    pub seed: u64,
}

impl ExampleConfig {
    /// Two segments with the reference's probabilities; no token is lost.
    #[must_use]
    pub fn two_segments(max_length: usize) -> Self {
        Self { max_length, single_segment_prob: 0.1, short_prob: 0.05, overflow: Overflow::Carry, seed: 0 }
    }

    /// One segment always; no token is lost.
    #[must_use]
    pub fn one_segment(max_length: usize) -> Self {
        Self { single_segment_prob: 1.0, ..Self::two_segments(max_length) }
    }

    /// As the reference: two segments, and what does not fit is thrown away.
    #[must_use]
    pub fn reference(max_length: usize) -> Self {
        Self { overflow: Overflow::Drop, ..Self::two_segments(max_length) }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Config`] names the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        if !(MIN_LENGTH..=65_535).contains(&self.max_length) {
            return Err(Error::Config {
                field: "max_length",
                found: self.max_length.to_string(),
                expected: format!("{MIN_LENGTH} to 65535 tokens"),
            });
        }
        probability("single_segment_prob", self.single_segment_prob)?;
        probability("short_prob", self.short_prob)
    }
}

/// Refuses what is not a probability.
fn probability(field: &'static str, value: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Config { field, found: value.to_string(), expected: "a probability from 0 to 1".into() })
}

/// One example: ids with their special tokens, and where the first segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example<'a> {
    /// `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`, at most L ids.
    pub input_ids: &'a [u32],
    /// How many of them have token type 0: up to and including the first `[SEP]`.
    pub first_segment: usize,
}

/// Cuts documents into examples. Memory is that of one example and one unit.
#[derive(Debug)]
pub struct ExampleBuilder {
    config: ExampleConfig,
    cls: u32,
    sep: u32,
    document: u64,
    /// Drawn anew for each document, so that a document's cuts depend on nothing before it.
    rng: KeyedRng,
    target: usize,
    single: bool,
    /// Tokens that wait, from `head` on, and where each of their units ends.
    tokens: Vec<u32>,
    head: usize,
    ends: Vec<usize>,
    example: Vec<u32>,
    dropped: u64,
}

impl ExampleBuilder {
    /// A builder for the documents `0, 1, 2, …`.
    ///
    /// # Errors
    /// [`Error::Config`] if a setting is out of range.
    pub fn new(config: ExampleConfig, vocabulary: &Vocabulary) -> Result<Self, Error> {
        config.validate()?;
        let mut builder = Self {
            rng: Stream::EXAMPLES.rng(config.seed, 0, 0),
            cls: vocabulary.cls,
            sep: vocabulary.sep,
            document: 0,
            target: config.max_length,
            single: false,
            tokens: Vec::new(),
            head: 0,
            ends: Vec::new(),
            example: Vec::with_capacity(config.max_length),
            dropped: 0,
            config,
        };
        builder.begin_document();
        Ok(builder)
    }

    /// Adds a unit of the current document; `emit` is handed every example that is full.
    ///
    /// # Errors
    /// Those of `emit`.
    pub fn push<E>(
        &mut self,
        unit: &[u32],
        mut emit: impl FnMut(Example<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if unit.is_empty() {
            return Ok(());
        }
        self.tokens.extend_from_slice(unit);
        self.ends.push(self.tokens.len());
        while self.waiting() >= self.full() {
            self.emit(&mut emit)?;
        }
        // Once a unit and not once an example: a unit may be a whole book on one line.
        self.tokens.drain(..self.head);
        for end in &mut self.ends {
            *end -= self.head;
        }
        self.head = 0;
        Ok(())
    }

    /// Ends the current document; `emit` is handed what is left of it.
    ///
    /// # Errors
    /// Those of `emit`.
    pub fn end_document<E>(&mut self, mut emit: impl FnMut(Example<'_>) -> Result<(), E>) -> Result<(), E> {
        while self.waiting() > 0 {
            self.emit(&mut emit)?;
        }
        self.tokens.clear();
        self.head = 0;
        self.document += 1;
        self.begin_document();
        Ok(())
    }

    /// How many tokens were thrown away so far; 0 under [`Overflow::Carry`].
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn begin_document(&mut self) {
        self.rng = Stream::EXAMPLES.rng(self.config.seed, 0, self.document);
        self.begin_example();
    }

    fn begin_example(&mut self) {
        self.target = self.config.max_length;
        if self.rng.unit() < self.config.short_prob {
            let lengths = self.config.max_length - MIN_LENGTH + 1;
            self.target = MIN_LENGTH + self.rng.below(lengths as u32) as usize;
        }
        self.single = self.rng.unit() < self.config.single_segment_prob;
    }

    fn waiting(&self) -> usize {
        self.tokens.len() - self.head
    }

    /// How many waiting tokens make an example.
    fn full(&self) -> usize {
        match self.config.overflow {
            // Exactly what fits, so that a document made of whole examples is not cut elsewhere.
            Overflow::Carry => self.target - if self.single { 2 } else { 3 },
            Overflow::Drop => self.target,
        }
    }

    fn emit<E>(&mut self, emit: &mut impl FnMut(Example<'_>) -> Result<(), E>) -> Result<(), E> {
        let limit = match self.config.overflow {
            Overflow::Carry => self.target,
            Overflow::Drop => self.config.max_length,
        };
        let split = self.split();
        let waiting = &self.tokens[self.head..];
        let a = split.min(limit - 2);
        // A cut inside A leaves no room for B: what is taken is always the head of what waits.
        let b = (waiting.len() - split).min((limit - a).saturating_sub(3));
        let taken = a + b;

        self.example.clear();
        self.example.push(self.cls);
        self.example.extend_from_slice(&waiting[..a]);
        self.example.push(self.sep);
        let first_segment = self.example.len();
        if b > 0 {
            self.example.extend_from_slice(&waiting[a..taken]);
            self.example.push(self.sep);
        }
        emit(Example { input_ids: &self.example, first_segment })?;

        match self.config.overflow {
            Overflow::Carry => self.head += taken,
            Overflow::Drop => {
                self.dropped += (self.waiting() - taken) as u64;
                self.head = self.tokens.len();
            }
        }
        let head = self.head;
        self.ends.retain(|&end| end > head);

        self.begin_example();
        Ok(())
    }

    /// How many of the waiting tokens are A's.
    fn split(&mut self) -> usize {
        if self.single {
            return self.waiting();
        }
        let half = (self.target - 3) / 2;
        // The first unit is A's whatever its length.
        let mut units = self.ends.iter().map(|end| end - self.head);
        let mut a = units.next().unwrap_or(0);
        for end in units {
            if end < half {
                a = end;
                continue;
            }
            if a < half && self.rng.unit() < 0.5 {
                a = end;
            }
            break;
        }
        a
    }
}
