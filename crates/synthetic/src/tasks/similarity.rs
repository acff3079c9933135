//! How much two sentences have in common, from 0 to 5: who does it, what is done, to what, and whether it is done.
//! Verbs that mean the same count as the same, and verbs and things of one topic for a part.

use super::{Example, Scope};
use crate::lexicon::{Deed, Noun};
use crate::random::Random;
use crate::sentence::{Thing, Transitive, sure, text};
use crate::world::Entity;

struct Event<'a> {
    agent: &'a Entity,
    deed: &'a Deed,
    noun: &'a Noun,
    negated: bool,
}

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let units = &scope.units;
    let deed = random.one_of(&units.deeds);
    let first = Event {
        agent: random.one_of(&units.entities),
        deed,
        noun: random.one_of(&units.nouns_of_kind(deed.kind)),
        negated: random.one_in(3),
    };
    let second = related(scope, &first, random);
    let texts = [&first, &second].map(|event| tell(scope, event, random));
    Example { texts: texts.into(), label: similarity(&first, &second).to_string() }
}

/// An event that keeps some of another. Its verb and its thing stay of a kind, as every verb takes one kind.
fn related<'a>(scope: &Scope<'a>, event: &Event<'a>, random: &mut Random) -> Event<'a> {
    let units = &scope.units;
    let deed = match random.below(3) {
        0 => event.deed,
        1 => random.one_of(&units.deeds_of_topic(event.deed.kind / 2)),
        _ => random.one_of(&units.deeds),
    };
    let noun = if deed.kind == event.noun.kind && random.one_in(2) {
        event.noun
    } else {
        random.one_of(&units.nouns_of_kind(deed.kind))
    };
    let agent = if random.one_in(2) { event.agent } else { random.one_of(&units.entities) };
    Event { agent, deed, noun, negated: if random.one_in(2) { event.negated } else { random.one_in(3) } }
}

/// Two for the deed (one if only its topic is the same), one and a half for the thing (a half for its topic), one for
/// the agent, a half for being done or not.
fn similarity(first: &Event<'_>, second: &Event<'_>) -> f64 {
    let deed = if first.deed.synonyms == second.deed.synonyms {
        2.0
    } else if first.deed.kind / 2 == second.deed.kind / 2 {
        1.0
    } else {
        0.0
    };
    let noun = if first.noun.forms == second.noun.forms {
        1.5
    } else if first.noun.topic() == second.noun.topic() {
        0.5
    } else {
        0.0
    };
    let agent = if first.agent.name == second.agent.name { 1.0 } else { 0.0 };
    let done = if first.negated == second.negated { 0.5 } else { 0.0 };
    deed + noun + agent + done
}

fn tell(scope: &Scope<'_>, event: &Event<'_>, random: &mut Random) -> String {
    let lexicon = &scope.language.lexicon;
    let thing = Thing { noun: event.noun, number: random.below(2), attribute: None, alternatives: 1 };
    let sentence = Transitive {
        agent: vec![sure(&event.agent.name)],
        patient: thing.words(lexicon),
        verb: sure(random.form(&event.deed.synonyms)),
        negated: event.negated,
        passive: random.one_in(2),
    };
    text(&sentence.words(lexicon))
}
