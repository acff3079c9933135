//! Whether what is true of one is true of another. The two are of one topic, so it could be; it is if both are of one
//! world, which only the facts of the corpus and who met whom there tell.

use super::{Example, Scope, answer};
use crate::lexicon::SHARED;
use crate::random::Random;
use crate::sentence::{Transitive, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let Scope { language, units } = scope;
    let entity = random.one_of(&units.entities);
    let relation = random.below(SHARED);
    let premise = text(&language.fact(entity, relation, random));
    let holds = random.one_in(2);
    // Of a set's worlds two are of a topic, and they differ in what all of a world share.
    let other = random.one_of_but(&units.entities, |other| {
        other.topic() != entity.topic() || (other.world == entity.world) != holds || other.name == entity.name
    });
    let hypothesis = Transitive {
        agent: vec![sure(&other.name)],
        patient: vec![sure(language.value(entity, relation))],
        verb: sure(random.form(&language.lexicon.relations[relation].synonyms)),
        negated: false,
        passive: random.one_in(2),
    };
    Example { texts: vec![premise, text(&hypothesis.words(&language.lexicon))], label: answer(holds) }
}
