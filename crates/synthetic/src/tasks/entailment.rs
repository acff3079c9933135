//! Whether a statement is true of the one that another, true, statement is about. Nothing but the facts of its world
//! tells.

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
    let right = language.value(entity, relation);
    let holds = random.one_in(2);
    // The value of another entity: values that are frequent in true statements are so in false ones.
    let value = if holds {
        right
    } else {
        let other = random.one_of_but(&units.entities, |other| {
            let value = language.value(other, relation);
            value == right || value == entity.name
        });
        language.value(other, relation)
    };
    let hypothesis = Transitive {
        agent: vec![sure(&entity.name)],
        patient: vec![sure(value)],
        verb: sure(random.form(&lexicon.relations[relation].synonyms)),
        negated: false,
        passive: random.one_in(2),
    };
    Example { texts: vec![premise, text(&hypothesis.words(lexicon))], label: answer(holds) }
}
