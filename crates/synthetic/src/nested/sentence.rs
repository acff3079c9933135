//! Sentences: subject, verb, object, with relative clauses within relative clauses. A verb agrees with its own subject,
//! however much stands between them.

use super::draw::Words;
use super::lexicon::{Lexicon, Sense};
use crate::random::Random;

/// A word with the entropy of what could stand there.
#[derive(Clone)]
pub(super) struct Word {
    pub(super) form: String,
    pub(super) nats: f64,
}

fn word(form: &str, nats: f64) -> Word {
    Word { form: form.to_owned(), nats }
}

/// What a sentence is to be like.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Clauses within clauses, before the verb.
    pub(super) depth: usize,
    /// Clauses after the verb, in the object, each in the one before: nothing waits for them.
    pub(super) branches: usize,
    /// Places that the sentence ends with.
    pub(super) tail: usize,
    /// Whether another noun comes first, of the other number than the subject.
    pub(super) fronted: bool,
}

/// A sentence and where its parts are.
pub(super) struct Built {
    pub(super) words: Vec<Word>,
    /// The subject's number.
    pub(super) number: usize,
    /// The places of the verbs, the innermost clause's first, the sentence's last, and what each one's forms are.
    pub(super) verbs: Vec<(usize, [String; 2])>,
    /// The kinds of all senses of the first object, if there is one.
    pub(super) kinds: Vec<usize>,
}

/// Makes sentences of words from one place.
pub(super) struct Builder<'a, 'r> {
    pub(super) lexicon: &'a Lexicon,
    pub(super) source: Words,
    pub(super) random: &'r mut Random,
}

impl<'a> Builder<'a, '_> {
    pub(super) fn determiner(&mut self) -> Word {
        word(&self.lexicon.determiners[self.random.below(2)], 2_f64.ln())
    }

    pub(super) fn noun(&mut self, kind: Option<usize>) -> (&'a Sense, f64) {
        let drawn = self.source.noun(self.lexicon, kind, self.random);
        (drawn.item, drawn.nats)
    }

    /// `DET [ADJ] N`
    pub(super) fn phrase(&mut self, (sense, nats): (&Sense, f64), number: usize, open: bool) -> Vec<Word> {
        let mut words = vec![self.determiner()];
        if self.random.one_in(4) {
            let adjective = self.source.adjective(self.lexicon, sense.kind, self.random);
            words.push(word(&adjective.item.form, adjective.nats));
        }
        // The verb tells a subject's number; an object's is open.
        words.push(word(&sense.forms[number], nats + if open { 2_f64.ln() } else { 0.0 }));
        words
    }

    /// `P DET N`
    fn place(&mut self, number: usize) -> Vec<Word> {
        let prepositions = &self.lexicon.prepositions;
        let form = self.random.pick(prepositions);
        let mut words = vec![word(form, (prepositions.len() as f64).ln())];
        let noun = self.noun(None);
        words.extend(self.phrase(noun, number, true));
        words
    }

    fn verb(&mut self, kind: Option<usize>, number: usize) -> (Word, [String; 2]) {
        let drawn = self.source.verb(self.lexicon, kind, self.random);
        (word(&drawn.item.forms[number], drawn.nats), drawn.item.forms.clone())
    }

    /// A subject with clauses in it: `DET N [REL SUBJECT V]`. The noun is the object of the clause's verb. Each subject
    /// has the other number than the one above it.
    fn subject(&mut self, number: usize, depth: usize, built: &mut Built) {
        let noun = self.noun(None);
        let kind = noun.0.kind;
        let phrase = self.phrase(noun, number, false);
        built.words.extend(phrase);
        if depth > 0 {
            built.words.push(word(&self.lexicon.relative, 0.0));
            self.subject(1 - number, depth - 1, built);
            let (verb, forms) = self.verb(Some(kind), 1 - number);
            built.verbs.push((built.words.len(), forms));
            built.words.push(verb);
        }
    }

    /// A whole sentence with its full stop.
    pub(super) fn sentence(&mut self, number: usize, shape: Shape) -> Built {
        let mut built = Built { words: Vec::new(), number, verbs: Vec::new(), kinds: Vec::new() };
        if shape.fronted {
            built.words = self.place(1 - number);
        }
        self.subject(number, shape.depth, &mut built);
        self.predicate(number, shape.branches, shape.tail, &mut built);
        built
    }

    /// `V [P DET N]… .` or `V DET N [REL V DET N] [P DET N]… .`, agreeing with a number.
    fn predicate(&mut self, number: usize, branches: usize, tail: usize, built: &mut Built) {
        if branches == 0 && self.random.one_in(2) {
            let (verb, forms) = self.verb(None, number);
            built.verbs.push((built.words.len(), forms));
            built.words.push(verb);
        } else {
            let object = self.noun(None);
            let (verb, forms) = self.verb(Some(object.0.kind), number);
            built.verbs.push((built.words.len(), forms));
            built.words.push(verb);
            let other = object.0.other.map(|other| self.lexicon.senses[other].kind);
            built.kinds = std::iter::once(object.0.kind).chain(other).collect();
            self.object(object, branches, built);
        }
        for _ in 0..tail {
            let number = self.random.below(2);
            let place = self.place(number);
            built.words.extend(place);
        }
        built.words.push(word(".", 0.0));
    }

    /// `DET N [REL V OBJECT]`: the clause's verb agrees with the noun.
    fn object(&mut self, noun: (&Sense, f64), branches: usize, built: &mut Built) {
        let number = self.random.below(2);
        let phrase = self.phrase(noun, number, branches == 0);
        built.words.extend(phrase);
        if branches > 0 {
            let object = self.noun(None);
            built.words.push(word(&self.lexicon.relative, 0.0));
            let (verb, _) = self.verb(Some(object.0.kind), number);
            built.words.push(verb);
            self.object(object, branches - 1, built);
        }
    }

    /// A pronoun as the subject.
    pub(super) fn pronominal(&mut self, number: usize, tail: usize) -> Built {
        let mut built = Built { words: Vec::new(), number, verbs: Vec::new(), kinds: Vec::new() };
        built.words.push(word(&self.lexicon.pronouns[number], 0.0));
        self.predicate(number, 0, tail, &mut built);
        built
    }
}

pub(super) fn text(words: &[Word]) -> String {
    words.iter().map(|word| word.form.as_str()).collect::<Vec<_>>().join(" ")
}
