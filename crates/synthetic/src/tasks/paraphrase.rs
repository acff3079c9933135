//! Whether two sentences say the same: the same deed by the same one to the same other. Voices and synonyms change
//! freely; where the answer is no, the two have changed roles or the deed is another.

use super::{Example, Scope, answer};
use crate::random::Random;
use crate::sentence::{Transitive, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let lexicon = &scope.language.lexicon;
    let entities = &scope.units.entities;
    let agent = random.one_of(entities);
    let patient = random.one_of_but(entities, |other| other.name == agent.name);
    let deed = random.below(lexicon.socials.len());
    let same = random.one_in(2);
    let swapped = !same && random.one_in(2);
    let others = lexicon.socials.len() - 1;
    let other =
        if same || swapped { deed } else { (deed + 1 + random.below(others)) % lexicon.socials.len() };

    let mut tell = |deed: usize, swapped: bool| {
        let (agent, patient) = if swapped { (patient, agent) } else { (agent, patient) };
        let sentence = Transitive {
            agent: vec![sure(&agent.name)],
            patient: vec![sure(&patient.name)],
            verb: sure(random.form(&lexicon.socials[deed])),
            negated: false,
            passive: random.one_in(2),
        };
        text(&sentence.words(lexicon))
    };
    let first = tell(deed, false);
    // Not the same sentence again: that would be a task of its own, and an easy one.
    let second = loop {
        let second = tell(other, swapped);
        if second != first {
            break second;
        }
    };
    Example { texts: vec![first, second], label: answer(same) }
}
