//! Drawing words: by Zipf's law for text, evenly from a third of the words for a set of tasks.

use super::lexicon::{Adjective, Lexicon, Sense, Verb};
use crate::random::Random;
use crate::tasks::Part;

/// Where words come from.
#[derive(Clone, Copy)]
pub(super) enum Words {
    /// All of them, the frequent ones more often; nouns mostly of this topic.
    Text { topic: usize },
    /// Those of a set, each as often.
    Set(Part),
}

/// A word that was drawn, and the nats of the draw: the entropy of what could have been.
pub(super) struct Drawn<'a, T> {
    pub(super) item: &'a T,
    pub(super) nats: f64,
}

/// One of so many ranks in a hundred thousand, by 1 / (rank + 1).
const UNIT: usize = 100_000;
/// One noun in so many is of any topic.
const STRAYS: usize = 4;

impl Words {
    pub(super) fn noun<'a>(
        self,
        lexicon: &'a Lexicon,
        kind: Option<usize>,
        random: &mut Random,
    ) -> Drawn<'a, Sense> {
        let topic = match self {
            Self::Text { topic } if !random.one_in(STRAYS) => Some(topic),
            _ => None,
        };
        let fits = |sense: &&Sense| {
            kind.is_none_or(|kind| sense.kind == kind) && topic.is_none_or(|topic| sense.topic == topic)
        };
        self.one_of(&lexicon.senses, fits, random)
    }

    pub(super) fn verb<'a>(
        self,
        lexicon: &'a Lexicon,
        kind: Option<usize>,
        random: &mut Random,
    ) -> Drawn<'a, Verb> {
        self.one_of(&lexicon.verbs, |verb| verb.kind == kind, random)
    }

    pub(super) fn adjective<'a>(
        self,
        lexicon: &'a Lexicon,
        kind: usize,
        random: &mut Random,
    ) -> Drawn<'a, Adjective> {
        self.one_of(&lexicon.adjectives, |adjective| adjective.kind == kind, random)
    }

    /// One of the items that fit, of which the first are the most frequent.
    fn one_of<'a, T>(self, items: &'a [T], fits: impl Fn(&&T) -> bool, random: &mut Random) -> Drawn<'a, T> {
        match self {
            Self::Set(part) => {
                // By its place among all, so that no two sets share a word.
                let of_set = |index: usize| index % Part::ALL.len() == part as usize;
                let fitting = items.iter().enumerate().filter(|(index, item)| of_set(*index) && fits(item));
                let fitting: Vec<&T> = fitting.map(|(_, item)| item).collect();
                Drawn { item: random.one_of(&fitting), nats: (fitting.len() as f64).ln() }
            }
            Self::Text { .. } => {
                let fitting: Vec<&T> = items.iter().filter(fits).collect();
                let weights: Vec<usize> = (1..=fitting.len()).map(|rank| UNIT / rank).collect();
                let total: usize = weights.iter().sum();
                let mut left = random.below(total);
                let mut place = 0;
                while left >= weights[place] {
                    left -= weights[place];
                    place += 1;
                }
                let share = |weight: &usize| *weight as f64 / total as f64;
                let nats = weights.iter().map(share).map(|share| -share * share.ln()).sum();
                Drawn { item: fitting[place], nats }
            }
        }
    }
}
