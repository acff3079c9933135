//! Whether a sentence is one of the language. Every bad sentence is a good one with one word changed, or two words
//! that have changed places, and the word that is wrong is right in other sentences.

use super::{Example, Scope, answer};
use crate::lexicon::{Lexicon, Noun};
use crate::random::Random;
use crate::sentence::{Sentence, Thing, Transitive, act, sure, text};

/// What a sentence can have wrong.
pub(crate) const PHENOMENA: [&str; 6] = ["gender", "number", "reflexive", "selection", "order", "fact"];
/// Those that this task is about: facts are another's.
const GRAMMATICAL: usize = PHENOMENA.len() - 1;

pub(super) fn example(scope: &Scope<'_>, random: &mut Random) -> Example {
    let phenomenon = random.below(GRAMMATICAL);
    let [good, bad] = pair(scope, phenomenon, random);
    let acceptable = random.one_in(2);
    Example { texts: vec![if acceptable { good } else { bad }], label: answer(acceptable) }
}

/// A good sentence and the same with the phenomenon of this number wrong.
pub(crate) fn pair(scope: &Scope<'_>, phenomenon: usize, random: &mut Random) -> [String; 2] {
    let lexicon = &scope.language.lexicon;
    let [good, bad] = match PHENOMENA[phenomenon] {
        "gender" => gender(scope, random),
        "number" | "reflexive" => agreement(scope, PHENOMENA[phenomenon], random),
        "selection" => selection(scope, random),
        "order" => order(lexicon, scope, random),
        _ => fact(scope, random),
    };
    [text(&good), text(&bad)]
}

fn thing<'a>(noun: &'a Noun, number: usize) -> Thing<'a> {
    Thing { noun, number, attribute: None, alternatives: 1 }
}

/// `the-thing the-other near itself moves`.
fn bystanders<'a>(scope: &Scope<'a>, random: &mut Random) -> (Sentence<'a>, [(usize, usize); 2]) {
    let topic = random.one_of(&scope.units.acts).topic;
    let of_topic = scope.units.nouns_of_topic(topic);
    let acts: Vec<_> = scope.units.acts.iter().copied().filter(|act| act.topic == topic).collect();
    let [first, second] = [(); 2].map(|()| thing(random.one_of(&of_topic), random.below(2)));
    let words = act(&scope.language.lexicon, &first, &second, random.one_of(&acts), 1);
    (words, [first, second].map(|thing| (thing.noun.gender, thing.number)))
}

/// A determiner of the other gender.
fn gender<'a>(scope: &Scope<'a>, random: &mut Random) -> [Sentence<'a>; 2] {
    let (good, features) = bystanders(scope, random);
    let which = random.below(2);
    let (gender, number) = features[which];
    let mut bad = good.clone();
    bad[2 * which] = sure(&scope.language.lexicon.determiners[1 - gender][number]);
    [good, bad]
}

/// The verb's number, or the pronoun's gender or number, after a noun that agrees with neither.
fn agreement<'a>(scope: &Scope<'a>, phenomenon: &str, random: &mut Random) -> [Sentence<'a>; 2] {
    let lexicon = &scope.language.lexicon;
    let (good, [(gender, number), _]) = bystanders(scope, random);
    let mut bad = good.clone();
    let verb = bad.len() - 2;
    if phenomenon == "number" {
        let right = good[verb].form;
        let act = scope.units.acts.iter().find(|act| act.forms[number] == right);
        bad[verb] = sure(&act.expect("the verb is one of the units").forms[1 - number]);
    } else {
        let (gender, number) = if random.one_in(2) { (1 - gender, number) } else { (gender, 1 - number) };
        bad[verb - 1] = sure(&lexicon.reflexives[gender][number]);
    }
    [good, bad]
}

/// `someone the-thing does`.
fn deed<'a>(scope: &Scope<'a>, kind: usize, random: &mut Random) -> (Sentence<'a>, bool) {
    let lexicon = &scope.language.lexicon;
    let passive = random.one_in(2);
    let noun = random.one_of(&scope.units.nouns_of_kind(kind));
    let deed = random.one_of(&scope.units.deeds_of_kind(kind));
    let words = Transitive {
        agent: vec![sure(&random.one_of(&scope.units.entities).name)],
        patient: thing(noun, random.below(2)).words(lexicon),
        verb: sure(random.form(&deed.synonyms)),
        negated: random.one_in(3),
        passive,
    }
    .words(lexicon);
    (words, passive)
}

/// A verb that takes the other kind of the topic's nouns.
fn selection<'a>(scope: &Scope<'a>, random: &mut Random) -> [Sentence<'a>; 2] {
    let kind = random.one_of(&scope.units.deeds).kind;
    let (good, passive) = deed(scope, kind, random);
    let mut bad = good.clone();
    let verb = bad.len() - 2 - usize::from(passive);
    let other = random.one_of(&scope.units.deeds_of_kind(kind ^ 1));
    bad[verb] = sure(random.form(&other.synonyms));
    [good, bad]
}

/// The noun before its determiner, or the verb before what it should follow.
fn order<'a>(lexicon: &Lexicon, scope: &Scope<'a>, random: &mut Random) -> [Sentence<'a>; 2] {
    let kind = random.one_of(&scope.units.deeds).kind;
    let (good, passive) = deed(scope, kind, random);
    let mut bad = good.clone();
    let determiner = lexicon.determiners.as_flattened();
    let place = bad.iter().position(|word| determiner.iter().any(|form| form == word.form));
    let place = place.expect("the thing has a determiner");
    let verb = bad.len() - 2 - usize::from(passive);
    let swapped = if random.one_in(2) { place } else { verb - 1 };
    bad.swap(swapped, swapped + 1);
    [good, bad]
}

/// A value that could be the entity's and is not.
fn fact<'a>(scope: &Scope<'a>, random: &mut Random) -> [Sentence<'a>; 2] {
    let language = scope.language;
    let entity = random.one_of(&scope.units.entities);
    let relation = random.below(language.lexicon.relations.len());
    let good = language.fact(entity, relation, random);
    let right = language.value(entity, relation);
    let wrong = *random.pick(&language.wrong_values(entity, relation));
    let mut bad = good.clone();
    let place = bad.iter().position(|word| word.form == right).expect("a fact names its value");
    bad[place] = sure(wrong);
    [good, bad]
}
