//! Which words belong to which set.

use crate::language::Language;
use crate::lexicon::{ACTS, Act, DEEDS, Deed, EVALUATIONS, Evaluation, NOUNS, Noun, SOCIALS};
use crate::world::{Entity, WORLDS};

/// A set of a task. No two share a name, a noun, a verb or an evaluation: what holds of a word of the test set can
/// only be known from the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Train,
    Dev,
    Test,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Train, Self::Dev, Self::Test];

    /// The name of its file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }

    /// Which set the word of this index has, of so many that are alike in all that the grammar knows: a third of them
    /// each.
    fn of_index(index: usize, alike: usize) -> Self {
        Self::ALL[Self::ALL.len() * (index % alike) / alike]
    }
}

/// The words of a set.
pub(crate) struct Units<'a> {
    pub(crate) nouns: Vec<&'a Noun>,
    pub(crate) deeds: Vec<&'a Deed>,
    pub(crate) socials: Vec<&'a [String; 2]>,
    pub(crate) acts: Vec<&'a Act>,
    pub(crate) evaluations: Vec<&'a Evaluation>,
    pub(crate) entities: Vec<&'a Entity>,
}

impl<'a> Units<'a> {
    pub(crate) fn new(language: &'a Language, part: Part) -> Self {
        fn words<T>(all: &[T], alike: usize, part: Part) -> Vec<&T> {
            all.iter()
                .enumerate()
                .filter(|&(index, _)| Part::of_index(index, alike) == part)
                .map(|(_, word)| word)
                .collect()
        }
        let lexicon = &language.lexicon;
        Self {
            nouns: words(&lexicon.nouns, NOUNS, part),
            deeds: words(&lexicon.deeds, DEEDS, part),
            socials: words(&lexicon.socials, SOCIALS, part),
            acts: words(&lexicon.acts, ACTS, part),
            evaluations: words(&lexicon.evaluations, EVALUATIONS, part),
            // A world goes to one set, or a friend would be in another.
            entities: language
                .entities
                .iter()
                .filter(|entity| Part::of_index(entity.world, WORLDS) == part)
                .collect(),
        }
    }

    pub(crate) fn nouns_of_kind(&self, kind: usize) -> Vec<&'a Noun> {
        self.nouns.iter().copied().filter(|noun| noun.kind == kind).collect()
    }

    pub(crate) fn nouns_of_topic(&self, topic: usize) -> Vec<&'a Noun> {
        self.nouns.iter().copied().filter(|noun| noun.topic() == topic).collect()
    }

    pub(crate) fn evaluations_of_topic(&self, topic: usize) -> Vec<&'a Evaluation> {
        self.evaluations.iter().copied().filter(|evaluation| evaluation.topic == topic).collect()
    }

    pub(crate) fn deeds_of_topic(&self, topic: usize) -> Vec<&'a Deed> {
        self.deeds.iter().copied().filter(|deed| deed.kind / 2 == topic).collect()
    }

    pub(crate) fn deeds_of_kind(&self, kind: usize) -> Vec<&'a Deed> {
        self.deeds.iter().copied().filter(|deed| deed.kind == kind).collect()
    }
}
