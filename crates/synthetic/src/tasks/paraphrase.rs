//! Whether two sentences say the same: the same deed by the same one to the same other, told with another verb and
//! half of the time in the passive. Where the answer is no, the two have changed roles or the deed is another.

use super::{Example, Scope, answer};
use crate::random::Random;
use crate::sentence::{Transitive, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let (entities, socials) = (&scope.units.entities, &scope.units.socials);
    let agent = random.one_of(entities);
    let patient = random.one_of_but(entities, |other| other.name == agent.name);
    let deed = random.below(socials.len());
    let same = random.one_in(2);
    let swapped = !same && random.one_in(2);
    let others = socials.len() - 1;
    let other = if same || swapped { deed } else { (deed + 1 + random.below(others)) % socials.len() };

    let synonym = random.below(2);
    let tell = |deed: usize, swapped: bool, synonym: usize, passive: bool| {
        let (agent, patient) = if swapped { (patient, agent) } else { (agent, patient) };
        let sentence = Transitive {
            agent: vec![sure(&agent.name)],
            patient: vec![sure(&patient.name)],
            verb: sure(&socials[deed][synonym]),
            negated: false,
            passive,
        };
        text(&sentence.words(&scope.language.lexicon))
    };
    // The same deed by its other verb, so that no verb stands in both and overlap tells nothing.
    let texts = vec![tell(deed, false, synonym, false), tell(other, swapped, 1 - synonym, random.one_in(2))];
    Example { texts, label: answer(same) }
}
