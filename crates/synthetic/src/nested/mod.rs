//! A language of nested clauses: Zipf's law, centre embedding with agreement over it, words of several senses, documents
//! over several rows.

mod draw;
mod lexicon;
mod sentence;
mod tasks;

use std::path::Path;

use serde_json::json;

use self::draw::Words;
use self::lexicon::{Lexicon, TOPICS};
use self::sentence::{Builder, Shape, Word, text};
use crate::Error;
use crate::forms::Forms;
use crate::language::Entry;
use crate::random::Random;
use crate::tasks::{Example, Part, Task};
use crate::write::{Family, MeasuredDocument, PairMaker, Sizes, Summary, write};

/// Sentences of a document: this many at least, and as many as this more.
const FEWEST: usize = 8;
const MORE: usize = 17;

/// A language of nested clauses. Two with the same seed are the same, on any machine.
pub struct NestedClauses {
    seed: u64,
    lexicon: Lexicon,
}

impl NestedClauses {
    /// The language of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, lexicon: Lexicon::new(&mut Forms::new(seed)) }
    }

    /// Every reading of every word: a form that has several senses, or is a noun and a verb, has an entry for each.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lexicon.entries()
    }

    /// The document of this number, a line a sentence: 8 to 24 sentences of one topic, of which one in four has a pronoun
    /// for its subject that stands for the subject of the sentence before.
    #[must_use]
    pub fn document(&self, number: u64) -> String {
        self.sentences(number).iter().map(|sentence| text(sentence) + "\n").collect()
    }

    fn sentences(&self, number: u64) -> Vec<Vec<Word>> {
        let mut random = Random::new(self.seed, b"nested\0\0", number);
        let topic = random.below(TOPICS);
        let count = FEWEST + random.below(MORE);
        let mut before = None;
        let mut sentences = Vec::with_capacity(count);
        for _ in 0..count {
            let mut builder =
                Builder { lexicon: &self.lexicon, source: Words::Text { topic }, random: &mut random };
            let tail = usize::from(builder.random.one_in(4));
            let built = match before {
                Some(number) if builder.random.one_in(4) => builder.pronominal(number, tail),
                _ => {
                    let depth = [0, 0, 0, 1, 1, 2][builder.random.below(6)];
                    let branches = usize::from(builder.random.one_in(4));
                    let fronted = builder.random.one_in(4);
                    let number = builder.random.below(2);
                    builder.sentence(number, Shape { depth, branches, tail, fronted })
                }
            };
            before = Some(built.number);
            sentences.push(built.words);
        }
        sentences
    }

    /// Writes the language into a folder, which has to be new or empty and appears whole or not at all: the files of
    /// [`Language::write`](crate::Language::write) but `facts.tsv`.
    ///
    /// # Errors
    /// As there.
    pub fn write(&self, sizes: Sizes, folder: &Path) -> Result<Summary, Error> {
        write(self, sizes, folder)
    }
}

impl Family for NestedClauses {
    fn about(&self) -> serde_json::Value {
        json!({ "family": "nested-clauses", "seed": self.seed })
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn measured_document(&self, number: u64) -> MeasuredDocument {
        let sentences = self.sentences(number);
        let words = || sentences.iter().flatten();
        MeasuredDocument {
            text: sentences.iter().map(|sentence| text(sentence) + "\n").collect(),
            words: words().count() as u64,
            nats: words().map(|word| word.nats).sum(),
            certain: words().filter(|word| word.nats == 0.0).count() as u64,
        }
    }

    fn tasks(&self) -> &'static [Task] {
        &tasks::TASKS
    }

    fn examples(&self, task: usize, part: Part) -> Box<dyn Fn(&mut Random) -> Example + '_> {
        Box::new(move |random| tasks::example(&self.lexicon, task, part, random))
    }

    fn paradigms(&self) -> &'static [&'static str] {
        &tasks::PARADIGMS
    }

    fn pairs(&self, paradigm: usize) -> PairMaker<'_> {
        Box::new(move |random| tasks::pair(&self.lexicon, paradigm, random))
    }

    fn entries(&self) -> Vec<Entry> {
        self.lexicon.entries()
    }

    fn facts(&self) -> Option<String> {
        None
    }
}
