//! Sentences: what the grammar allows. The verb comes last, a marker follows what it marks.

use crate::lexicon::{Act, Evaluation, Lexicon, Noun};
use crate::world::Entity;

/// A word of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written.
    pub form: &'a str,
    /// How many words could stand here, all equally likely, for a reader who knows the language and its worlds
    /// and sees the rest of the document: 1 where nothing is open.
    pub alternatives: u32,
}

/// Words that end in a full stop.
pub(crate) type Sentence<'a> = Vec<Word<'a>>;

pub(crate) fn word(form: &str, alternatives: usize) -> Word<'_> {
    Word { form, alternatives: u32::try_from(alternatives).expect("a lexicon is small") }
}

/// A word that the rest decides.
pub(crate) fn sure(form: &str) -> Word<'_> {
    word(form, 1)
}

/// A noun with its determiner and, after it, its attribute.
#[derive(Clone, Copy)]
pub(crate) struct Thing<'a> {
    pub(crate) noun: &'a Noun,
    pub(crate) number: usize,
    pub(crate) attribute: Option<Word<'a>>,
    /// Nouns that could stand here.
    pub(crate) alternatives: usize,
}

impl<'a> Thing<'a> {
    pub(crate) fn words(&self, lexicon: &'a Lexicon) -> Vec<Word<'a>> {
        let determiner = &lexicon.determiners[self.noun.gender][self.number];
        let mut words = vec![sure(determiner), word(&self.noun.forms[self.number], self.alternatives)];
        words.extend(self.attribute);
        words
    }
}

/// One that does something to another: `agent patient verb`, or `patient agent by verb passive`.
pub(crate) struct Transitive<'a> {
    pub(crate) agent: Vec<Word<'a>>,
    pub(crate) patient: Vec<Word<'a>>,
    pub(crate) verb: Word<'a>,
    pub(crate) negated: bool,
    pub(crate) passive: bool,
}

impl<'a> Transitive<'a> {
    pub(crate) fn words(self, lexicon: &'a Lexicon) -> Sentence<'a> {
        let (first, second) =
            if self.passive { (self.patient, self.agent) } else { (self.agent, self.patient) };
        let mut words = first;
        words.extend(second);
        words.extend(self.passive.then(|| sure(&lexicon.agent)));
        words.extend(self.negated.then(|| sure(&lexicon.negation)));
        words.push(self.verb);
        words.extend(self.passive.then(|| sure(&lexicon.passive)));
        words.push(sure("."));
        words
    }
}

/// `the-thing [not] good is`.
pub(crate) fn evaluation<'a>(
    lexicon: &'a Lexicon,
    thing: &Thing<'a>,
    evaluation: &'a Evaluation,
    negated: bool,
    alternatives: usize,
) -> Sentence<'a> {
    let mut words = thing.words(lexicon);
    words.extend(negated.then(|| sure(&lexicon.negation)));
    words.extend([word(&evaluation.form, alternatives), sure(&lexicon.copula[thing.number]), sure(".")]);
    words
}

/// What follows from an evaluation: `she it wants`.
pub(crate) fn consequence<'a>(
    lexicon: &'a Lexicon,
    entity: &Entity,
    thing: &Thing<'a>,
    good: bool,
    synonym: usize,
) -> Sentence<'a> {
    let verbs = &lexicon.wants[usize::from(good)];
    vec![
        sure(&lexicon.pronouns[entity.gender][0]),
        sure(&lexicon.pronouns[thing.noun.gender][thing.number]),
        word(&verbs[synonym], verbs.len()),
        sure("."),
    ]
}

/// `the-thing the-other near itself moves`: pronoun and verb agree with the first, across the second.
pub(crate) fn act<'a>(
    lexicon: &'a Lexicon,
    thing: &Thing<'a>,
    distractor: &Thing<'a>,
    act: &'a Act,
    alternatives: usize,
) -> Sentence<'a> {
    let mut words = thing.words(lexicon);
    words.extend(distractor.words(lexicon));
    words.extend([
        sure(&lexicon.near),
        sure(&lexicon.reflexives[thing.noun.gender][thing.number]),
        word(&act.forms[thing.number], alternatives),
        sure("."),
    ]);
    words
}

/// As it is written: words between spaces.
pub(crate) fn text(words: &[Word<'_>]) -> String {
    words.iter().map(|word| word.form).collect::<Vec<_>>().join(" ")
}
