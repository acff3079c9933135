//! What a text is about: two of its three sentences are.

use super::{Example, Scope};
use crate::lexicon::TOPICS;
use crate::random::Random;
use crate::sentence::{Sentence, Thing, act, evaluation, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let topic = random.below(TOPICS);
    let other = (topic + 1 + random.below(TOPICS - 1)) % TOPICS;
    let mut sentences = [topic, topic, other].map(|topic| sentence(scope, topic, random));
    random.shuffle(&mut sentences);
    Example { texts: vec![text(&sentences.concat())], label: topic.to_string() }
}

/// A thing that does something, near another, or that is like something.
fn sentence<'a>(scope: &Scope<'a>, topic: usize, random: &mut Random) -> Sentence<'a> {
    let Scope { language, units } = scope;
    let lexicon = &language.lexicon;
    let nouns: Vec<_> = units.nouns.iter().copied().filter(|noun| noun.topic() == topic).collect();
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
        let first = Thing { attribute: Some(random.form(&lexicon.attributes)), ..first };
        evaluation(lexicon, &first, random.one_of(&units.evaluations), random.one_in(2), 1)
    }
}
