//! Whether a statement is true of the one that another, true, statement is about. Nothing but the facts of its world
//! tells: what is not true could be, as it goes with the topic of its world.

use super::{Example, Scope, answer};
use crate::lexicon::FRIEND;
use crate::random::Random;
use crate::sentence::{Transitive, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let Scope { language, units } = scope;
    let lexicon = &language.lexicon;
    let entity = random.one_of(&units.entities);
    let known = random.below(lexicon.relations.len());
    let premise = text(&language.fact(entity, known, random));
    let relation = (known + 1 + random.below(FRIEND)) % lexicon.relations.len();
    let wrong = language.wrong_values(entity, relation);
    let holds = random.one_in(2);
    let value = if holds { language.value(entity, relation) } else { *random.pick(&wrong) };
    let hypothesis = Transitive {
        agent: vec![sure(&entity.name)],
        patient: vec![sure(value)],
        verb: sure(random.form(&lexicon.relations[relation].synonyms)),
        negated: false,
        passive: random.one_in(2),
    };
    Example { texts: vec![premise, text(&hypothesis.words(lexicon))], label: answer(holds) }
}
