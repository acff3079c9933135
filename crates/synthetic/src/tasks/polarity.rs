//! Whether a text says something good or bad of a thing: the word and its negation together decide, and another
//! sentence has a negation that does not matter.

use super::{Example, Scope};
use crate::random::Random;
use crate::sentence::{Thing, Transitive, evaluation, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let Scope { language, units } = scope;
    let lexicon = &language.lexicon;
    let judgement = random.one_of(&units.evaluations);
    let thing = Thing {
        noun: random.one_of(&units.nouns_of_topic(judgement.topic)),
        number: random.below(2),
        attribute: None,
        alternatives: 1,
    };
    let negated = random.one_in(2);
    let deed = random.one_of(&units.deeds);
    let mut sentences = [
        evaluation(lexicon, &thing, judgement, negated, 1),
        Transitive {
            agent: vec![sure(&random.one_of(&units.entities).name)],
            patient: Thing {
                noun: random.one_of(&units.nouns_of_kind(deed.kind)),
                number: random.below(2),
                attribute: None,
                alternatives: 1,
            }
            .words(lexicon),
            verb: sure(random.form(&deed.synonyms)),
            negated: random.one_in(2),
            passive: random.one_in(2),
        }
        .words(lexicon),
    ];
    random.shuffle(&mut sentences);
    let label = if judgement.good == negated { "bad" } else { "good" };
    Example { texts: vec![text(&sentences.concat())], label: label.to_owned() }
}
