//! Documents: a day of one entity of a world.

use crate::language::Language;
use crate::lexicon::{ACTS, ATTRIBUTES, DEEDS, FRIEND, GENDERS, NOUNS, RELATIONS, SOCIALS};
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
    /// Two facts about an entity; what it does to a thing and to its friend, each told twice in other words; two
    /// judgements of the thing, both good or both bad, and whether the entity therefore wants it; and a sentence
    /// about other things of the same topic. The sentences come in any order, but what follows from a judgement
    /// follows it.
    #[must_use]
    pub fn document(&self, number: u64) -> Document<'_> {
        let mut random = Random::new(self.seed, b"document", number);
        let random = &mut random;
        let hero = &self.entities[random.below(WORLDS * ENTITIES)];
        let friend = &self.entities[hero.friend];
        let good = random.one_in(2);
        let thing = self.thing(hero.topic(), good, random);

        let first = random.below(RELATIONS.len());
        let second = (first + 1 + random.below(RELATIONS.len() - 1)) % RELATIONS.len();
        let mut blocks = vec![
            vec![self.fact(hero, first, random)],
            vec![self.fact(hero, second, random)],
            vec![self.bystanders(hero.topic(), random)],
        ];
        blocks.extend(self.judged(hero, &thing, good, random));
        blocks.extend(self.told_twice(hero, friend, &thing, random).map(|sentence| vec![sentence]));
        random.shuffle(&mut blocks);
        Document { sentences: blocks.into_iter().flatten().collect() }
    }

    /// What the document is about besides the entity: it is named more than once, so that no word of it is open.
    /// Good things have attributes that bad ones have not.
    fn thing<'a>(&'a self, topic: usize, good: bool, random: &mut Random) -> Thing<'a> {
        let of_topic = &self.nouns_of(topic);
        let (bad, fine) = self.lexicon.attributes.split_at(ATTRIBUTES / 2);
        Thing {
            noun: random.one_of(of_topic),
            number: random.below(2),
            attribute: Some(random.form(if good { fine } else { bad })),
            alternatives: 1,
        }
    }

    /// A fact of its world, in one of four ways.
    pub(crate) fn fact<'a>(&'a self, of: &'a Entity, relation: usize, random: &mut Random) -> Sentence<'a> {
        let verbs = &self.lexicon.relations[relation].synonyms;
        Transitive {
            agent: vec![sure(&of.name)],
            patient: vec![sure(self.value(of, relation))],
            verb: word(random.form(verbs), verbs.len()),
            negated: false,
            passive: random.one_in(2),
        }
        .words(&self.lexicon)
    }

    /// What is true of an entity, as a word.
    pub(crate) fn value<'a>(&'a self, of: &Entity, relation: usize) -> &'a str {
        match relation {
            FRIEND => &self.entities[of.friend].name,
            _ => &self.lexicon.relations[relation].values[of.values[relation]],
        }
    }

    /// What a thing is like, said in two ways, and what follows from each.
    fn judged<'a>(
        &'a self,
        hero: &'a Entity,
        thing: &Thing<'a>,
        good: bool,
        random: &mut Random,
    ) -> [Vec<Sentence<'a>>; 2] {
        let judgements = [(); 2].map(|()| {
            let negated = random.one_in(6);
            let fitting: Vec<_> =
                self.lexicon.evaluations.iter().filter(|word| (word.good != negated) == good).collect();
            evaluation(&self.lexicon, thing, random.one_of(&fitting), negated, fitting.len())
        });
        judgements
            .map(|judgement| vec![judgement, consequence(&self.lexicon, hero, thing, good, random.below(2))])
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

    /// What the entity does to the thing and to its friend, each in the active and in the passive, with one or the
    /// other of two verbs that mean the same.
    fn told_twice<'a>(
        &'a self,
        hero: &'a Entity,
        friend: &'a Entity,
        thing: &Thing<'a>,
        random: &mut Random,
    ) -> [Sentence<'a>; 4] {
        let of_kind: Vec<_> = self.lexicon.deeds.iter().filter(|deed| deed.kind == thing.noun.kind).collect();
        debug_assert_eq!(of_kind.len(), DEEDS, "every kind of nouns has its verbs");
        let deed = &random.one_of(&of_kind).synonyms;
        let social = &self.lexicon.socials[random.below(SOCIALS)];
        let [done, met] = [random.one_in(3), random.one_in(3)];
        let mut tell = |patient: Vec<Word<'a>>, verbs: &'a [String; 2], negated: bool| {
            let passive = random.one_in(2);
            [passive, !passive].map(|passive| {
                Transitive {
                    agent: vec![sure(&hero.name)],
                    patient: patient.clone(),
                    verb: word(random.form(verbs), verbs.len()),
                    negated,
                    passive,
                }
                .words(&self.lexicon)
            })
        };
        let [first, second] = tell(thing.words(&self.lexicon), deed, done);
        let [third, fourth] = tell(vec![sure(&friend.name)], social, met);
        [first, second, third, fourth]
    }

    pub(crate) fn nouns_of(&self, topic: usize) -> Vec<&crate::lexicon::Noun> {
        let nouns: Vec<_> = self.lexicon.nouns.iter().filter(|noun| noun.topic() == topic).collect();
        debug_assert_eq!(nouns.len(), GENDERS * NOUNS_OF_TOPIC, "every topic has its nouns");
        nouns
    }
}
