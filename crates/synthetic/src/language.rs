//! The language of worlds of facts: its words, its grammar, its worlds.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::Error;
use crate::forms::Forms;
use crate::lexicon::{ATTRIBUTES, Lexicon, NUMBERS, VALUES};
use crate::random::Random;
use crate::tasks::{Example, PHENOMENA, Part, Scope, TASKS, Task, Units, example, pair};
use crate::world::{Entity, entities};
use crate::write::{Family, MeasuredDocument, PairMaker, Sizes, Summary, write};

/// A language with its worlds. Two with the same seed are the same, on any machine.
pub struct Language {
    pub(crate) seed: u64,
    /// Whether a document tells its deed twice, in other words.
    pub(crate) told_twice: bool,
    pub(crate) lexicon: Lexicon,
    pub(crate) entities: Vec<Entity>,
}

impl Language {
    /// The language of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut forms = Forms::new(seed);
        let lexicon = Lexicon::new(&mut forms);
        let entities = entities(seed, &mut forms);
        Self { seed, told_twice: true, lexicon, entities }
    }

    /// The same language, whose documents tell of two deeds where they else tell of one in two ways: the same kinds of
    /// sentences and as many of them, without the repetition. Words, worlds and tasks stay the same.
    #[must_use]
    pub fn telling_once(self) -> Self {
        Self { told_twice: false, ..self }
    }

    /// Every word with all that the grammar knows of it.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let words = &self.lexicon;
        let mut entries = vec![
            Entry::new(".", "stop"),
            Entry::new(&words.negation, "negation"),
            Entry::new(&words.agent, "agent"),
            Entry::new(&words.near, "near"),
            Entry::new(&words.passive, "passive"),
        ];
        for (number, form) in words.copula.iter().enumerate() {
            entries.push(Entry { number: Some(number), ..Entry::new(form, "copula") });
        }
        let agreeing = [
            ("determiner", &words.determiners),
            ("pronoun", &words.pronouns),
            ("reflexive", &words.reflexives),
        ];
        for (class, forms) in agreeing {
            for (gender, forms) in forms.iter().enumerate() {
                for (number, form) in forms.iter().enumerate() {
                    let number = Some(number);
                    entries.push(Entry { gender: Some(gender), number, ..Entry::new(form, class) });
                }
            }
        }
        for (meaning, noun) in words.nouns.iter().enumerate() {
            for (number, form) in noun.forms.iter().enumerate() {
                entries.push(Entry {
                    meaning: Some(meaning),
                    gender: Some(noun.gender),
                    number: Some(number),
                    topic: Some(noun.topic()),
                    kind: Some(noun.kind),
                    ..Entry::new(form, "noun")
                });
            }
        }
        for (meaning, deed) in words.deeds.iter().enumerate() {
            for form in &deed.synonyms {
                let (meaning, kind) = (Some(meaning), Some(deed.kind));
                entries.push(Entry { meaning, kind, topic: Some(deed.kind / 2), ..Entry::new(form, "deed") });
            }
        }
        for (meaning, forms) in words.socials.iter().enumerate() {
            entries.extend(
                forms.iter().map(|form| Entry { meaning: Some(meaning), ..Entry::new(form, "social") }),
            );
        }
        for (meaning, act) in words.acts.iter().enumerate() {
            for (number, form) in act.forms.iter().enumerate() {
                let (meaning, number, topic) = (Some(meaning), Some(number), Some(act.topic));
                entries.push(Entry { meaning, number, topic, ..Entry::new(form, "act") });
            }
        }
        for (meaning, relation) in words.relations.iter().enumerate() {
            let meaning = Some(meaning);
            entries.extend(
                relation.synonyms.iter().map(|form| Entry { meaning, ..Entry::new(form, "relation") }),
            );
            entries.extend(relation.values.iter().enumerate().map(|(value, form)| Entry {
                meaning,
                topic: Some(value / VALUES),
                ..Entry::new(form, "value")
            }));
        }
        for (attribute, form) in words.attributes.iter().enumerate() {
            entries.push(Entry { good: Some(attribute >= ATTRIBUTES / 2), ..Entry::new(form, "attribute") });
        }
        for evaluation in &words.evaluations {
            let (good, topic) = (Some(evaluation.good), Some(evaluation.topic));
            entries.push(Entry { good, topic, ..Entry::new(&evaluation.form, "evaluation") });
        }
        for (good, forms) in words.wants.iter().enumerate() {
            let good = Some(good == 1);
            entries.extend(forms.iter().map(|form| Entry { good, ..Entry::new(form, "want") }));
        }
        for entity in &self.entities {
            let (gender, topic) = (Some(entity.gender), Some(entity.topic()));
            entries.push(Entry { gender, topic, ..Entry::new(&entity.name, "name") });
        }
        entries
    }

    /// What is true: the entity's name, the relation's name, the value.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.entities.iter().flat_map(move |entity| {
            let relations = self.lexicon.relations.iter().enumerate();
            relations.map(move |(index, relation)| (&*entity.name, relation.name, self.value(entity, index)))
        })
    }
}

impl Language {
    /// Writes the language into a folder, which has to be new or empty and appears whole or not at all: `corpus.txt` (a
    /// line a sentence, an empty line between documents), `tasks/*/` (`task.toml`, `train.tsv`, `dev.tsv`, `test.tsv`),
    /// `minimal-pairs/*.jsonl` in BLiMP's form, `lexicon.tsv`, `facts.tsv`, and `language.json` with the summary. The
    /// same seed and sizes give the same bytes, on any number of threads.
    ///
    /// # Errors
    /// [`Error::Config`] if a size is out of range, [`Error::Store`] if the folder has something in it or a file cannot
    /// be written.
    pub fn write(&self, sizes: Sizes, folder: &Path) -> Result<Summary, Error> {
        write(self, sizes, folder)
    }
}

impl Family for Language {
    fn about(&self) -> serde_json::Value {
        json!({ "family": "worlds-of-facts", "seed": self.seed, "told_twice": self.told_twice })
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn measured_document(&self, number: u64) -> MeasuredDocument {
        let document = self.document(number);
        let words = || document.words();
        MeasuredDocument {
            text: document.text(),
            words: words().count() as u64,
            nats: words().map(|word| f64::from(word.alternatives).ln()).sum(),
            certain: words().filter(|word| word.alternatives == 1).count() as u64,
        }
    }

    fn tasks(&self) -> &'static [Task] {
        &TASKS
    }

    fn examples(&self, task: usize, part: Part) -> Box<dyn Fn(&mut Random) -> Example + '_> {
        let scope = Scope { language: self, units: Units::new(self, part) };
        Box::new(move |random| example(&scope, task, random))
    }

    fn paradigms(&self) -> &'static [&'static str] {
        &PHENOMENA
    }

    fn pairs(&self, paradigm: usize) -> PairMaker<'_> {
        let scope = Scope { language: self, units: Units::new(self, Part::Test) };
        Box::new(move |random| pair(&scope, paradigm, random))
    }

    fn entries(&self) -> Vec<Entry> {
        Self::entries(self)
    }

    fn facts(&self) -> Option<String> {
        let mut facts = String::from("name\trelation\tvalue\n");
        for (name, relation, value) in Self::facts(self) {
            let _ = writeln!(facts, "{name}\t{relation}\t{value}");
        }
        Some(facts)
    }
}

/// What the grammar knows of a word; a line of `lexicon.tsv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As it is written.
    pub word: String,
    /// `noun`, `deed`, `name`, …
    pub class: &'static str,
    /// The same number for words of a class that mean the same; for relations and their values, the relation.
    pub meaning: Option<usize>,
    /// Of two.
    pub gender: Option<usize>,
    /// 0 singular, 1 plural.
    pub number: Option<usize>,
    /// Of four.
    pub topic: Option<usize>,
    /// Of eight: a noun's kind, or that of the objects that a verb takes.
    pub kind: Option<usize>,
    /// The polarity of evaluations, of attributes, and of what follows from evaluations.
    pub good: Option<bool>,
}

impl Entry {
    pub(crate) fn new(word: &str, class: &'static str) -> Self {
        let word = word.to_owned();
        Self { word, class, meaning: None, gender: None, number: None, topic: None, kind: None, good: None }
    }

    /// The header of `lexicon.tsv`.
    pub(crate) const HEADER: &'static str = "word\tclass\tmeaning\tgender\tnumber\ttopic\tkind\tpolarity";

    /// Its line of `lexicon.tsv`; what does not apply is empty.
    pub(crate) fn line(&self) -> String {
        let number = |value: Option<usize>| value.map(|value| value.to_string()).unwrap_or_default();
        [
            self.word.clone(),
            self.class.to_owned(),
            number(self.meaning),
            number(self.gender),
            self.number.map(|number| NUMBERS[number]).unwrap_or_default().to_owned(),
            number(self.topic),
            number(self.kind),
            self.good.map(|good| if good { "good" } else { "bad" }).unwrap_or_default().to_owned(),
        ]
        .join("\t")
    }
}
