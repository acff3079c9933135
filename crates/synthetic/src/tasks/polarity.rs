//! Whether a text says something good or bad of the thing that somebody does something to. Two things are judged: the
//! noun tells which judgement counts, and the word and its negation together decide.

use super::{Example, Scope};
use crate::random::Random;
use crate::sentence::{Sentence, Thing, Transitive, evaluation, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let Scope { language, units } = scope;
    let lexicon = &language.lexicon;
    let deed = random.one_of(&units.deeds);
    let noun = random.one_of(&units.nouns_of_kind(deed.kind));
    // Of the same topic, so that the verb's does not tell which of the two it is.
    let other = random.one_of_but(&units.nouns_of_topic(noun.topic()), |other| other.forms == noun.forms);
    let [thing, other] =
        [noun, other].map(|noun| Thing { noun, number: random.below(2), attribute: None, alternatives: 1 });
    let (judgement, is_good) = judged(scope, &thing, random);
    let (distractor, _) = judged(scope, &other, random);
    let deed = Transitive {
        agent: vec![sure(&random.one_of(&units.entities).name)],
        patient: thing.words(lexicon),
        verb: sure(random.form(&deed.synonyms)),
        negated: random.one_in(2),
        passive: random.one_in(2),
    };
    let mut sentences = [judgement, distractor, deed.words(lexicon)];
    random.shuffle(&mut sentences);
    let label = if is_good { "good" } else { "bad" };
    Example { texts: vec![text(&sentences.concat())], label: label.to_owned() }
}

/// A judgement of a thing, and whether it is a good one.
fn judged<'a>(scope: &Scope<'a>, thing: &Thing<'a>, random: &mut Random) -> (Sentence<'a>, bool) {
    let of_topic = scope.units.evaluations_of_topic(thing.noun.topic());
    let judgement = random.one_of(&of_topic);
    let negated = random.one_in(2);
    (evaluation(&scope.language.lexicon, thing, judgement, negated, 1), judgement.good != negated)
}
