//! Documents: a day of one entity of a world.

use crate::language::Language;
use crate::lexicon::{
    ACTS, ATTRIBUTES, DEEDS, Evaluation, FRIEND, GENDERS, NOUNS, RELATIONS, SOCIALS, VALUES,
};
use crate::random::Random;
use crate::sentence::{Sentence, Thing, Transitive, Word, act, consequence, evaluation, sure, text, word};
use crate::world::{ENTITIES, Entity, WORLDS};

/// Nouns of one topic and gender: what could stand where nothing but these two is known.
const NOUNS_OF_TOPIC: usize = 2 * NOUNS;

/// Sentences about the same entity, its friend, and a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// In their order, each with its full stop.
    pub sentences: Vec<Vec<Word<'a>>>,
}

impl Document<'_> {
    /// A line a sentence, words between spaces.
    #[must_use]
    pub fn text(&self) -> String {
        self.sentences.iter().map(|sentence| text(sentence) + "\n").collect()
    }

    /// Every word.
    pub fn words(&self) -> impl Iterator<Item = &Word<'_>> {
        self.sentences.iter().flatten()
    }
}

impl Language {
    /// The document of this number. It depends on the language's seed and the number alone.
    ///
    /// A fact about an entity; a judgement of a thing, and whether the entity therefore wants it; a sentence about
    /// other things of the same topic; and either what the entity does to the thing, told twice in other words, or
    /// another fact and how it meets its friend, told twice. A language that tells once has two deeds, or two meetings,
    /// in their place. The sentences come in any order, but what follows from a judgement follows it.
    ///
    /// It is short, so that it fits into one short row: how long a network that knows nothing of its neighbours stays
    /// so grows with the row.
    #[must_use]
    pub fn document(&self, number: u64) -> Document<'_> {
        let mut random = Random::new(self.seed, b"document", number);
        let random = &mut random;
        let hero = &self.entities[random.below(WORLDS * ENTITIES)];
        let is_deed_told = random.one_in(2);
        let good = random.one_in(2);
        let thing = self.thing(hero.topic(), good, is_deed_told, random);

        let first = random.below(RELATIONS.len());
        let mut blocks = vec![
            vec![self.fact(hero, first, random)],
            vec![self.bystanders(hero.topic(), random)],
            self.judged(hero, &thing, good, random),
        ];
        let deeds = if is_deed_told {
            self.deeds(hero, &thing, random)
        } else {
            let second = (first + 1 + random.below(RELATIONS.len() - 1)) % RELATIONS.len();
            blocks.push(vec![self.fact(hero, second, random)]);
            self.meetings(hero, random)
        };
        blocks.extend(deeds.map(|sentence| vec![sentence]));
        random.shuffle(&mut blocks);
        Document { sentences: blocks.into_iter().flatten().collect() }
    }

    /// What the document is about besides the entity. If it is named more than once, no word of it is open. Good
    /// things have attributes that bad ones have not.
    fn thing<'a>(&'a self, topic: usize, good: bool, again: bool, random: &mut Random) -> Thing<'a> {
        let of_topic = &self.nouns_of(topic);
        let (bad, fine) = self.lexicon.attributes.split_at(ATTRIBUTES / 2);
        let attributes = if good { fine } else { bad };
        let open = |alternatives| if again { 1 } else { alternatives };
        Thing {
            noun: random.one_of(of_topic),
            number: random.below(2),
            attribute: Some(word(random.form(attributes), open(attributes.len()))),
            alternatives: open(NOUNS_OF_TOPIC),
        }
    }

    /// A fact of its world, in one of four ways.
    pub(crate) fn fact<'a>(
        &'a self,
        entity: &'a Entity,
        relation: usize,
        random: &mut Random,
    ) -> Sentence<'a> {
        let verbs = &self.lexicon.relations[relation].synonyms;
        Transitive {
            agent: vec![sure(&entity.name)],
            patient: vec![sure(self.value(entity, relation))],
            verb: word(random.form(verbs), verbs.len()),
            negated: false,
            passive: random.one_in(2),
        }
        .words(&self.lexicon)
    }

    /// What could be true of an entity and is not, as words: values of its topic, or others of its world. What does not
    /// go with its topic could be told from the truth by that alone.
    pub(crate) fn wrong_values(&self, entity: &Entity, relation: usize) -> Vec<&str> {
        if relation == FRIEND {
            let others = entity.neighbours().filter(|&other| other != entity.friend);
            let names = others.map(|other| &*self.entities[other].name);
            return names.filter(|name| *name != entity.name).collect();
        }
        let values = &self.lexicon.relations[relation].values[entity.topic() * VALUES..][..VALUES];
        let right = self.value(entity, relation);
        values.iter().map(String::as_str).filter(|value| *value != right).collect()
    }

    /// What is true of an entity, as a word.
    pub(crate) fn value<'a>(&'a self, entity: &Entity, relation: usize) -> &'a str {
        match relation {
            FRIEND => &self.entities[entity.friend].name,
            _ => &self.lexicon.relations[relation].values[entity.values[relation]],
        }
    }

    /// What a thing is like, and what follows from it.
    fn judged<'a>(
        &'a self,
        hero: &'a Entity,
        thing: &Thing<'a>,
        good: bool,
        random: &mut Random,
    ) -> Vec<Sentence<'a>> {
        let negated = random.one_in(6);
        let fits = |word: &&Evaluation| word.topic == thing.noun.topic() && (word.good != negated) == good;
        let fitting: Vec<_> = self.lexicon.evaluations.iter().filter(fits).collect();
        let judgement = evaluation(&self.lexicon, thing, random.one_of(&fitting), negated, fitting.len());
        vec![judgement, consequence(&self.lexicon, hero, thing, good, random.below(2))]
    }

    /// Things of the topic that are named but once.
    fn bystanders<'a>(&'a self, topic: usize, random: &mut Random) -> Sentence<'a> {
        let of_topic = self.nouns_of(topic);
        let mut thing = || Thing {
            noun: random.one_of(&of_topic),
            number: random.below(2),
            attribute: None,
            alternatives: NOUNS_OF_TOPIC,
        };
        let (thing, distractor) = (thing(), thing());
        let acts: Vec<_> = self.lexicon.acts.iter().filter(|act| act.topic == topic).collect();
        act(&self.lexicon, &thing, &distractor, random.one_of(&acts), ACTS)
    }

    /// What the entity does to the thing; where that is told once, also what it does to another.
    fn deeds<'a>(&'a self, hero: &'a Entity, thing: &Thing<'a>, random: &mut Random) -> [Sentence<'a>; 2] {
        let verbs = self.deed_of(thing, random);
        let words = thing.words(&self.lexicon);
        if self.told_twice {
            return self.two_ways(hero, &words, verbs, random);
        }
        let good = random.one_in(2);
        let other = Thing { alternatives: NOUNS, ..self.thing(hero.topic(), good, false, random) };
        let other_verbs = self.deed_of(&other, random);
        // Any verb that takes the thing could stand there, with either of its stems.
        let open = 2 * DEEDS;
        let passive = random.one_in(2);
        [
            self.deed(hero, &words, word(random.form(verbs), open), passive, random),
            self.deed(
                hero,
                &other.words(&self.lexicon),
                word(random.form(other_verbs), open),
                !passive,
                random,
            ),
        ]
    }

    /// A verb that takes the thing: two stems.
    fn deed_of(&self, thing: &Thing<'_>, random: &mut Random) -> &[String; 2] {
        let of_kind: Vec<_> = self.lexicon.deeds.iter().filter(|deed| deed.kind == thing.noun.kind).collect();
        debug_assert_eq!(of_kind.len(), DEEDS, "every kind of nouns has its verbs");
        &random.one_of(&of_kind).synonyms
    }

    /// What the entity does to its friend; where that is told once, two such deeds.
    fn meetings<'a>(&'a self, hero: &'a Entity, random: &mut Random) -> [Sentence<'a>; 2] {
        let friend = [sure(&self.entities[hero.friend].name)];
        if self.told_twice {
            let verbs = &self.lexicon.socials[random.below(SOCIALS)];
            return self.two_ways(hero, &friend, verbs, random);
        }
        let passive = random.one_in(2);
        [passive, !passive].map(|passive| {
            let verbs = &self.lexicon.socials[random.below(SOCIALS)];
            self.deed(hero, &friend, word(random.form(verbs), 2 * SOCIALS), passive, random)
        })
    }

    /// Done or not.
    fn deed<'a>(
        &'a self,
        hero: &'a Entity,
        patient: &[Word<'a>],
        verb: Word<'a>,
        passive: bool,
        random: &mut Random,
    ) -> Sentence<'a> {
        let negated = random.one_in(3);
        Transitive { agent: vec![sure(&hero.name)], patient: patient.to_vec(), verb, negated, passive }
            .words(&self.lexicon)
    }

    /// In the active and in the passive, with one or the other of two verbs that mean the same.
    fn two_ways<'a>(
        &'a self,
        hero: &'a Entity,
        patient: &[Word<'a>],
        verbs: &'a [String; 2],
        random: &mut Random,
    ) -> [Sentence<'a>; 2] {
        let negated = random.one_in(3);
        let passive = random.one_in(2);
        [passive, !passive].map(|passive| {
            let verb = word(random.form(verbs), verbs.len());
            Transitive { agent: vec![sure(&hero.name)], patient: patient.to_vec(), verb, negated, passive }
                .words(&self.lexicon)
        })
    }

    pub(crate) fn nouns_of(&self, topic: usize) -> Vec<&crate::lexicon::Noun> {
        let nouns: Vec<_> = self.lexicon.nouns.iter().filter(|noun| noun.topic() == topic).collect();
        debug_assert_eq!(nouns.len(), GENDERS * NOUNS_OF_TOPIC, "every topic has its nouns");
        nouns
    }
}
