//! The words of the language and what the grammar knows of each.

use crate::forms::{Forms, plural_noun, plural_verb};

/// Subjects that documents are about.
pub(crate) const TOPICS: usize = 4;
/// Kinds of nouns that verbs choose between: two a topic.
pub(crate) const KINDS: usize = 2 * TOPICS;
pub(crate) const GENDERS: usize = 2;
// Each of the three sets of a task has a third of these, and at least 16 of a class.
pub(crate) const NOUNS: usize = 6; // of a kind and a gender
pub(crate) const DEEDS: usize = 6; // that a kind of object can suffer
pub(crate) const SOCIALS: usize = 48;
pub(crate) const ACTS: usize = 12; // of a topic
pub(crate) const ATTRIBUTES: usize = 8;
pub(crate) const EVALUATIONS: usize = 6; // of a polarity and a topic
/// What is told of an entity; the last relation is between entities.
pub(crate) const RELATIONS: [&str; 5] = ["home", "trade", "tool", "dish", "friend"];
/// Of the first of them all entities of a world have the same value.
pub(crate) const SHARED: usize = 3;
pub(crate) const FRIEND: usize = RELATIONS.len() - 1;
/// Values of a relation that go with a topic.
pub(crate) const VALUES: usize = 2;

/// Singular and plural, as an index.
pub(crate) const NUMBERS: [&str; 2] = ["singular", "plural"];

pub(crate) struct Noun {
    /// Singular and plural.
    pub(crate) forms: [String; 2],
    pub(crate) gender: usize,
    /// What verbs choose by; the topic is half of it.
    pub(crate) kind: usize,
}

impl Noun {
    pub(crate) fn topic(&self) -> usize {
        self.kind / 2
    }
}

/// A transitive verb: two stems that mean the same.
pub(crate) struct Deed {
    pub(crate) synonyms: [String; 2],
    /// The kind of nouns that can be its object.
    pub(crate) kind: usize,
}

/// An intransitive verb.
pub(crate) struct Act {
    /// After singular and plural subjects.
    pub(crate) forms: [String; 2],
    pub(crate) topic: usize,
}

/// What is told of entities.
pub(crate) struct Relation {
    pub(crate) name: &'static str,
    pub(crate) synonyms: [String; 2],
    /// Topic by topic; none of the relation between entities.
    pub(crate) values: Vec<String>,
}

pub(crate) struct Evaluation {
    pub(crate) form: String,
    pub(crate) good: bool,
    /// Of the things that it can be said of.
    pub(crate) topic: usize,
}

pub(crate) struct Lexicon {
    // By gender and number.
    pub(crate) determiners: [[String; 2]; GENDERS],
    pub(crate) pronouns: [[String; 2]; GENDERS],
    pub(crate) reflexives: [[String; 2]; GENDERS],
    pub(crate) negation: String,
    /// Follows the one who does it, in the passive.
    pub(crate) agent: String,
    /// Follows what something is near to.
    pub(crate) near: String,
    /// Follows the verb, in the passive.
    pub(crate) passive: String,
    pub(crate) copula: [String; 2],
    pub(crate) nouns: Vec<Noun>,
    pub(crate) deeds: Vec<Deed>,
    /// Transitive verbs between entities: two stems each.
    pub(crate) socials: Vec<[String; 2]>,
    pub(crate) acts: Vec<Act>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) attributes: Vec<String>,
    pub(crate) evaluations: Vec<Evaluation>,
    /// Verbs for what follows from an evaluation: of bad and of good, two stems each.
    pub(crate) wants: [[String; 2]; 2],
}

impl Lexicon {
    pub(crate) fn new(forms: &mut Forms) -> Self {
        fn pair(mut draw: impl FnMut() -> String) -> [String; 2] {
            [draw(), draw()]
        }
        let mut agreeing = || [pair(|| forms.function()), pair(|| forms.function())];
        let (determiners, pronouns, reflexives) = (agreeing(), agreeing(), agreeing());
        let [negation, agent, near, passive] = [(); 4].map(|()| forms.function());
        let copula = pair(|| forms.function());
        let nouns = (0..KINDS * GENDERS * NOUNS)
            .map(|noun| {
                let stem = forms.word();
                let (kind, gender) = (noun / (GENDERS * NOUNS), noun / NOUNS % GENDERS);
                Noun { forms: [stem.clone(), plural_noun(&stem)], gender, kind }
            })
            .collect();
        let deeds = (0..KINDS * DEEDS)
            .map(|deed| Deed { synonyms: pair(|| forms.word()), kind: deed / DEEDS })
            .collect();
        let socials = (0..SOCIALS).map(|_| pair(|| forms.word())).collect();
        let acts = (0..TOPICS * ACTS)
            .map(|act| {
                let stem = forms.word();
                Act { forms: [stem.clone(), plural_verb(&stem)], topic: act / ACTS }
            })
            .collect();
        let mut relations = Vec::new();
        for (number, name) in RELATIONS.into_iter().enumerate() {
            let values = if number == FRIEND { 0 } else { TOPICS * VALUES };
            let synonyms = pair(|| forms.word());
            let values = (0..values).map(|_| forms.word()).collect();
            relations.push(Relation { name, synonyms, values });
        }
        let attributes = (0..ATTRIBUTES).map(|_| forms.word()).collect();
        let evaluations = (0..2 * TOPICS * EVALUATIONS)
            .map(|evaluation| Evaluation {
                form: forms.word(),
                good: evaluation >= TOPICS * EVALUATIONS,
                topic: evaluation / EVALUATIONS % TOPICS,
            })
            .collect();
        let wants = [pair(|| forms.word()), pair(|| forms.word())];
        Self {
            determiners,
            pronouns,
            reflexives,
            negation,
            agent,
            near,
            passive,
            copula,
            nouns,
            deeds,
            socials,
            acts,
            relations,
            attributes,
            evaluations,
            wants,
        }
    }
}
