//! What the language asks: minimal pairs, and tasks for probes. Nothing is to be fine-tuned.

use super::draw::Words;
use super::lexicon::{AMBIGUOUS, KINDS, Lexicon, Sense};
use super::sentence::{Builder, Built, Shape, text};
use crate::random::Random;
use crate::tasks::{Example, Labels, Part, Task};

/// What a sentence can have wrong.
pub(super) const PARADIGMS: [&str; 7] =
    ["agreement-1", "agreement-2", "inner-agreement", "selection", "sense", "pronoun", "order"];

pub(super) const TASKS: [Task; 3] = [
    Task {
        name: "subject-number",
        title: "Number of the subject",
        texts: &["sentence"],
        labels: Labels::Classes(&["singular", "plural"]),
        metrics: &["accuracy"],
    },
    Task {
        name: "depth",
        title: "Depth of centre embedding",
        texts: &["sentence"],
        labels: Labels::Classes(&["0", "1", "2"]),
        metrics: &["accuracy"],
    },
    Task {
        name: "word-in-context",
        title: "Sense of a word in context",
        texts: &["first", "second"],
        labels: Labels::Classes(&["different", "same"]),
        metrics: &["accuracy"],
    },
];

pub(super) fn example(lexicon: &Lexicon, task: usize, part: Part, random: &mut Random) -> Example {
    match TASKS[task].name {
        "subject-number" => {
            let number = random.below(2);
            let shape = Shape {
                depth: random.below(3),
                branches: random.below(2),
                tail: random.below(2),
                // A noun of the other number comes first in half of the sentences, so the first noun tells nothing.
                fronted: random.one_in(2),
            };
            let built = builder(lexicon, part, random).sentence(number, shape);
            let label = ["singular", "plural"][built.number];
            Example { texts: vec![text(&built.words)], label: label.into() }
        }
        "depth" => {
            // Two clauses in all, so that how many there are tells nothing, and any end.
            let (depth, tail) = (random.below(3), random.below(3));
            let shape = Shape { depth, branches: 2 - depth, tail, fronted: random.one_in(2) };
            let number = random.below(2);
            let built = builder(lexicon, part, random).sentence(number, shape);
            Example { texts: vec![text(&built.words)], label: depth.to_string() }
        }
        _ => in_context(lexicon, part, random),
    }
}

fn builder<'a, 'r>(lexicon: &'a Lexicon, part: Part, random: &'r mut Random) -> Builder<'a, 'r> {
    Builder { lexicon, source: Words::Set(part), random }
}

/// A form with two senses, of those of a set, in one of them: the sense and the other one.
fn ambiguous<'a>(lexicon: &'a Lexicon, part: Part, random: &mut Random) -> [&'a Sense; 2] {
    let each = AMBIGUOUS / Part::ALL.len();
    let first = random.below(each) * Part::ALL.len() + part as usize;
    let other = lexicon.senses[first].other.expect("the first senses are ambiguous");
    let mut senses = [&lexicon.senses[first], &lexicon.senses[other]];
    random.shuffle(&mut senses);
    senses
}

/// Whether a word means the same in two sentences (as in `WiC`, Pilehvar and Camacho-Collados 2019). The verb tells, or an
/// adjective beside a verb that takes no object.
fn in_context(lexicon: &Lexicon, part: Part, random: &mut Random) -> Example {
    let senses = ambiguous(lexicon, part, random);
    let same = random.one_in(2);
    let texts = [senses[0], senses[usize::from(!same)]].map(|sense| {
        let [number, own] = [(); 2].map(|()| random.below(2));
        let by_verb = random.one_in(2);
        let mut builder = builder(lexicon, part, random);
        let mut words = Vec::new();
        let mut own_words = vec![builder.determiner()];
        if !by_verb {
            let adjective = builder.source.adjective(lexicon, sense.kind, builder.random);
            own_words.push(plain(&adjective.item.form));
        }
        own_words.push(plain(&sense.forms[own]));
        if by_verb {
            let subject = builder.noun(None);
            words.extend(builder.phrase(subject, number, false));
            let verb = builder.source.verb(lexicon, Some(sense.kind), builder.random);
            words.push(plain(&verb.item.forms[number]));
            words.extend(own_words);
        } else {
            words.extend(own_words);
            let verb = builder.source.verb(lexicon, None, builder.random);
            words.push(plain(&verb.item.forms[own]));
        }
        words.push(plain("."));
        text(&words)
    });
    Example { texts: texts.into(), label: if same { "same" } else { "different" }.into() }
}

fn plain(form: &str) -> super::sentence::Word {
    super::sentence::Word { form: form.to_owned(), nats: 0.0 }
}

/// A good sentence of test words and the same with something wrong.
pub(super) fn pair(lexicon: &Lexicon, paradigm: usize, random: &mut Random) -> [String; 2] {
    let number = random.below(2);
    let name = PARADIGMS[paradigm];
    if name == "sense" {
        return sense(lexicon, random);
    }
    let depth = match name {
        "agreement-2" => 2,
        "selection" => 0,
        _ => 1,
    };
    let branches = usize::from(name == "selection");
    let mut builder = builder(lexicon, Part::Test, random);
    let mut good = builder.sentence(number, Shape { depth, branches, tail: 0, fronted: false });
    if name == "pronoun" {
        let [right, wrong] =
            [number, 1 - number].map(|number| text(&[plain(&lexicon.pronouns[number])]) + " ");
        let next = builder.pronominal(number, 0);
        let (place, forms) = &next.verbs[0];
        let mut other = next.words.clone();
        other[*place] = plain(&forms[1 - number]);
        let before = text(&good.words) + " ";
        return [before.clone() + &right + &text(&next.words[1..]), before + &wrong + &text(&other[1..])];
    }
    let right = text(&good.words);
    match name {
        "agreement-1" | "agreement-2" => disagree(&mut good, depth, number),
        // The innermost verb's subject has the other number than the sentence's.
        "inner-agreement" => disagree(&mut good, 0, 1 - number),
        "selection" => {
            let place = good.verbs[0].0;
            // Of a kind that no sense of the object is of.
            let others: Vec<usize> = (0..KINDS).filter(|kind| !good.kinds.contains(kind)).collect();
            let kind = *random.pick(&others);
            let wrong = Words::Set(Part::Test).verb(lexicon, Some(kind), random);
            good.words[place] = plain(&wrong.item.forms[number]);
        }
        _ => {
            let place = good.words.iter().position(|word| word.form == lexicon.relative);
            let place = place.expect("it has a clause");
            good.words.swap(place, place + 1);
        }
    }
    [right, text(&good.words)]
}

/// Gives a verb the other number.
fn disagree(built: &mut Built, verb: usize, number: usize) {
    let (place, forms) = &built.verbs[verb];
    built.words[*place] = plain(&forms[1 - number]);
}

/// An adjective and a verb that ask for the same sense of the word between them, or for different ones.
fn sense(lexicon: &Lexicon, random: &mut Random) -> [String; 2] {
    let senses = ambiguous(lexicon, Part::Test, random);
    let [number, own] = [(); 2].map(|()| random.below(2));
    let mut builder = builder(lexicon, Part::Test, random);
    let subject = builder.noun(None);
    let subject = builder.phrase(subject, number, false);
    let determiner = builder.determiner();
    let adjective = builder.source.adjective(lexicon, senses[0].kind, builder.random).item;
    let verbs = senses.map(|sense| builder.source.verb(lexicon, Some(sense.kind), builder.random).item);
    verbs.map(|verb| {
        let mut words = subject.clone();
        words.push(plain(&verb.forms[number]));
        words.push(determiner.clone());
        words.extend([&adjective.form, &senses[0].forms[own]].map(|form| plain(form)));
        words.push(plain("."));
        text(&words)
    })
}
