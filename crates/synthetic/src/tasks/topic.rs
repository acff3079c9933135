//! What a text of three sentences is about.

use super::{Example, Scope};
use crate::lexicon::TOPICS;
use crate::random::Random;
use crate::sentence::{Sentence, Thing, act, evaluation, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let topic = random.below(TOPICS);
    let sentences = [(); 3].map(|()| sentence(scope, topic, random));
    Example { texts: vec![text(&sentences.concat())], label: topic.to_string() }
}

/// A thing that does something, near another, or that is like something.
fn sentence<'a>(scope: &Scope<'a>, topic: usize, random: &mut Random) -> Sentence<'a> {
    let Scope { language, units } = scope;
    let lexicon = &language.lexicon;
    let nouns = units.nouns_of_topic(topic);
    let acts: Vec<_> = units.acts.iter().copied().filter(|act| act.topic == topic).collect();
    let [first, second] = [(); 2].map(|()| Thing {
        noun: random.one_of(&nouns),
        number: random.below(2),
        attribute: None,
        alternatives: 1,
    });
    if random.one_in(2) {
        act(lexicon, &first, &second, random.one_of(&acts), 1)
    } else {
        let first = Thing { attribute: Some(sure(random.form(&lexicon.attributes))), ..first };
        let judgements: Vec<_> =
            units.evaluations.iter().copied().filter(|judgement| judgement.topic == topic).collect();
        evaluation(lexicon, &first, random.one_of(&judgements), random.one_in(2), 1)
    }
}
