//! The topic of the one who does something to another of another topic: only their names tell topics, and the voice tells
//! who does it. Two other sentences are about things of any topic.

use super::{Example, Scope};
use crate::lexicon::TOPICS;
use crate::random::Random;
use crate::sentence::{Sentence, Thing, Transitive, act, evaluation, sure, text};

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let Scope { language, units } = scope;
    let entity = random.one_of(&units.entities);
    let other = random.one_of_but(&units.entities, |other| other.topic() == entity.topic());
    let verbs: &[String; 2] = random.one_of(&units.socials);
    let meeting = Transitive {
        agent: vec![sure(&entity.name)],
        patient: vec![sure(&other.name)],
        verb: sure(random.form(verbs)),
        negated: random.one_in(3),
        passive: random.one_in(2),
    };
    let mut sentences =
        [meeting.words(&language.lexicon), distractor(scope, random), distractor(scope, random)];
    random.shuffle(&mut sentences);
    Example { texts: vec![text(&sentences.concat())], label: entity.topic().to_string() }
}

/// A thing that does something, near another, or that is like something.
fn distractor<'a>(scope: &Scope<'a>, random: &mut Random) -> Sentence<'a> {
    let Scope { language, units } = scope;
    let lexicon = &language.lexicon;
    let topic = random.below(TOPICS);
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
        let judgements = units.evaluations_of_topic(topic);
        evaluation(lexicon, &first, random.one_of(&judgements), random.one_in(2), 1)
    }
}
