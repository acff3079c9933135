//! The words of the language: ranks by Zipf's law, and forms that mean more than one thing.

use crate::forms::Forms;
use crate::language::Entry;

pub(super) const TOPICS: usize = 8;
/// What verbs and adjectives choose between.
pub(super) const KINDS: usize = 4;
/// Senses of nouns that go with a topic, of every kind as many.
const SENSES: usize = 36;
/// Forms of nouns that have two senses, of different topics and kinds.
pub(super) const AMBIGUOUS: usize = 48;
/// Verbs that take objects, and adjectives, of a kind.
const TRANSITIVES: usize = 24;
const ADJECTIVES: usize = 12;
const INTRANSITIVES: usize = 48;
/// Intransitive verbs whose singular is the singular of a noun, too.
const HOMOGRAPHS: usize = 24;
const PREPOSITIONS: usize = 6;

/// A noun in one of its senses.
pub(super) struct Sense {
    /// Singular and plural.
    pub(super) forms: [String; 2],
    pub(super) topic: usize,
    pub(super) kind: usize,
    /// Another sense of the same form, by its index.
    pub(super) other: Option<usize>,
}

pub(super) struct Verb {
    /// After singular and plural subjects.
    pub(super) forms: [String; 2],
    /// Of the objects that it takes; none without objects.
    pub(super) kind: Option<usize>,
}

pub(super) struct Adjective {
    pub(super) form: String,
    /// Of the nouns that it is said of.
    pub(super) kind: usize,
}

pub(super) struct Lexicon {
    pub(super) determiners: [String; 2],
    /// Singular and plural.
    pub(super) pronouns: [String; 2],
    pub(super) relative: String,
    pub(super) prepositions: Vec<String>,
    /// The frequent ones of a topic come first.
    pub(super) senses: Vec<Sense>,
    /// The frequent ones of a kind come first; those without objects come last.
    pub(super) verbs: Vec<Verb>,
    pub(super) adjectives: Vec<Adjective>,
}

impl Lexicon {
    pub(super) fn new(forms: &mut Forms) -> Self {
        let [relative, first, second, one, many] = [(); 5].map(|()| forms.particle());
        let prepositions = (0..PREPOSITIONS).map(|_| forms.particle()).collect();
        // Sense s has the topic s % TOPICS and the rank s / TOPICS in it.
        let kind = |sense: usize| (sense / TOPICS + sense) % KINDS;
        let mut senses: Vec<Sense> = Vec::new();
        for sense in 0..TOPICS * SENSES {
            // The first half of the ambiguous senses draws forms, which the second half has again.
            let other = if sense < AMBIGUOUS {
                Some(sense + AMBIGUOUS)
            } else {
                (sense < 2 * AMBIGUOUS).then(|| sense - AMBIGUOUS)
            };
            let (mut topic, mut of_kind) = (sense % TOPICS, kind(sense));
            let forms = match other {
                Some(other) if other < sense => {
                    (topic, of_kind) = ((topic + 3) % TOPICS, (senses[other].kind + 1 + sense % 3) % KINDS);
                    senses[other].forms.clone()
                }
                _ => {
                    let stem = forms.stem();
                    [stem.clone(), stem + "e"]
                }
            };
            senses.push(Sense { forms, topic, kind: of_kind, other });
        }
        let verb = |stem: String, kind| Verb { forms: [stem.clone(), stem + "u"], kind };
        let mut verbs: Vec<Verb> =
            (0..KINDS * TRANSITIVES).map(|number| verb(forms.stem(), Some(number % KINDS))).collect();
        for number in 0..INTRANSITIVES {
            // Nouns of middling rank, which have one sense as nouns and are in the same set of a task as the verb.
            let shared = &senses[2 * AMBIGUOUS + number].forms[0];
            let stem = if number < HOMOGRAPHS { shared.clone() } else { forms.stem() };
            verbs.push(verb(stem, None));
        }
        let adjectives = (0..KINDS * ADJECTIVES)
            .map(|number| Adjective { form: forms.stem(), kind: number % KINDS })
            .collect();
        let (determiners, pronouns) = ([first, second], [one, many]);
        Self { determiners, pronouns, relative, prepositions, senses, verbs, adjectives }
    }

    /// Every reading of every word.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![Entry::new(".", "stop"), Entry::new(&self.relative, "relative")];
        entries.extend(self.determiners.iter().map(|form| Entry::new(form, "determiner")));
        entries.extend(self.prepositions.iter().map(|form| Entry::new(form, "preposition")));
        for (number, form) in self.pronouns.iter().enumerate() {
            entries.push(Entry { number: Some(number), ..Entry::new(form, "pronoun") });
        }
        for (meaning, sense) in self.senses.iter().enumerate() {
            for (number, form) in sense.forms.iter().enumerate() {
                entries.push(Entry {
                    meaning: Some(meaning),
                    number: Some(number),
                    topic: Some(sense.topic),
                    kind: Some(sense.kind),
                    ..Entry::new(form, "noun")
                });
            }
        }
        for (meaning, verb) in self.verbs.iter().enumerate() {
            let class = if verb.kind.is_some() { "transitive" } else { "intransitive" };
            for (number, form) in verb.forms.iter().enumerate() {
                let (meaning, number) = (Some(meaning), Some(number));
                entries.push(Entry { meaning, number, kind: verb.kind, ..Entry::new(form, class) });
            }
        }
        for adjective in &self.adjectives {
            entries.push(Entry { kind: Some(adjective.kind), ..Entry::new(&adjective.form, "adjective") });
        }
        entries
    }
}
