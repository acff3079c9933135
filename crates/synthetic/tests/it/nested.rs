//! The language of nested clauses. An oracle that reads `lexicon.tsv` parses its sentences; it shares no code with what
//! makes them.

use std::collections::{HashMap, HashSet};
use std::fs;

use electra_synthetic::{NestedClauses, Sizes};
use tempfile::TempDir;

use crate::single_features::{Example, accuracy, reads, search};

const TASKS: [&str; 3] = ["subject-number", "depth", "word-in-context"];
const PARADIGMS: [&str; 7] =
    ["agreement-1", "agreement-2", "inner-agreement", "selection", "sense", "pronoun", "order"];

/// What says which nouns a word goes with.
const KIND: &[&str] = &["kind"];

/// A reading of a word: the columns of its line.
type Reading = HashMap<String, String>;

pub(crate) struct Nested {
    folder: TempDir,
    readings: HashMap<String, Vec<Reading>>,
}

/// A clause's subject with what is known of it, or a phrase.
#[derive(Clone)]
struct Phrase<'a> {
    noun: &'a str,
    number: String,
    adjective: Option<&'a str>,
    /// Clauses within clauses before the verb that the noun is the subject of.
    depth: usize,
}

/// What of a sentence is right and how it is built.
struct Parsed {
    right: bool,
    subject: String,
    depth: usize,
}

impl Nested {
    fn new(seed: u64, sizes: Sizes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        NestedClauses::new(seed).write(sizes, &folder.path().join("language")).unwrap();
        let text = fs::read_to_string(folder.path().join("language/lexicon.tsv")).unwrap();
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
        let mut readings: HashMap<String, Vec<Reading>> = HashMap::new();
        for line in lines {
            let cells = header.iter().zip(line.split('\t')).filter(|(_, cell)| !cell.is_empty());
            let reading: Reading = cells.map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect();
            readings.entry(reading["word"].clone()).or_default().push(reading);
        }
        Self { folder, readings }
    }

    fn rows(&self, task: &str, set: &str) -> Vec<(Vec<String>, String)> {
        let path = self.folder.path().join(format!("language/tasks/{task}/{set}.tsv"));
        let text = fs::read_to_string(path).unwrap();
        let row = |line: &str| {
            let mut texts: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let label = texts.pop().unwrap();
            (texts, label)
        };
        text.lines().skip(1).map(row).collect()
    }

    fn pairs(&self, paradigm: &str) -> Vec<[String; 2]> {
        let path = self.folder.path().join(format!("language/minimal-pairs/{paradigm}.jsonl"));
        let text = fs::read_to_string(path).unwrap();
        let pair = |line: &str| {
            let pair: serde_json::Value = serde_json::from_str(line).unwrap();
            ["sentence_good", "sentence_bad"].map(|key| pair[key].as_str().unwrap().to_owned())
        };
        text.lines().map(pair).collect()
    }

    fn is(&self, word: &str, class: &str) -> bool {
        self.readings[word].iter().any(|reading| reading["class"] == class)
    }

    /// The values of a column over the readings of a class.
    fn values(&self, word: &str, class: &str, column: &str) -> HashSet<String> {
        let of_class = self.readings[word].iter().filter(|reading| reading["class"] == class);
        of_class.filter_map(|reading| reading.get(column).cloned()).collect()
    }

    fn number(&self, word: &str, classes: &[&str]) -> String {
        let numbers: HashSet<String> =
            classes.iter().flat_map(|class| self.values(word, class, "number")).collect();
        assert_eq!(numbers.len(), 1, "{word}");
        numbers.into_iter().next().unwrap()
    }

    /// `DET [ADJ] N`, cut off the front.
    fn phrase<'a>(&self, words: &mut &[&'a str]) -> Option<Phrase<'a>> {
        let (determiner, rest) = words.split_first()?;
        if !self.is(determiner, "determiner") {
            return None;
        }
        let (first, after) = rest.split_first()?;
        let (adjective, noun, after) = if self.is(first, "adjective") {
            let (noun, after) = after.split_first()?;
            (Some(*first), *noun, after)
        } else {
            (None, *first, after)
        };
        if !self.is(noun, "noun") {
            return None;
        }
        *words = after;
        Some(Phrase { noun, number: self.number(noun, &["noun"]), adjective, depth: 0 })
    }

    /// Whether a verb, the adjective of its object and the object can go together: some sense fits all.
    fn selects(&self, verb: &str, object: &Phrase<'_>) -> bool {
        let kinds = self.values(verb, "transitive", "kind");
        let of_noun = self.values(object.noun, "noun", "kind");
        let mut common: HashSet<String> = kinds.intersection(&of_noun).cloned().collect();
        if let Some(adjective) = object.adjective {
            common.retain(|kind| self.values(adjective, "adjective", "kind").contains(kind));
        }
        !common.is_empty()
    }

    /// A subject with the clauses in it: each clause's verb agrees with the clause's subject and takes the noun above.
    fn subject<'a>(&self, words: &mut &[&'a str]) -> Option<Phrase<'a>> {
        let mut phrase = self.phrase(words)?;
        if words.first().is_some_and(|word| self.is(word, "relative")) {
            *words = &words[1..];
            let inner = self.subject(words)?;
            let (verb, rest) = words.split_first()?;
            let agrees = self.is(verb, "transitive") && self.number(verb, &["transitive"]) == inner.number;
            if !agrees || !self.selects(verb, &phrase) {
                return None;
            }
            *words = rest;
            phrase.depth = inner.depth + 1;
        }
        Some(phrase)
    }

    fn predicate(&self, number: &str, mut words: &[&str]) -> bool {
        let Some((verb, rest)) = words.split_first() else { return false };
        words = rest;
        let verbs = ["transitive", "intransitive"];
        if !verbs.iter().any(|class| self.is(verb, class)) || self.number(verb, &verbs) != number {
            return false;
        }
        if self.is(verb, "intransitive") && self.places(words) {
            return true;
        }
        let mut verb = *verb;
        loop {
            let Some(object) = self.phrase(&mut words) else { return false };
            if !self.is(verb, "transitive") || !self.selects(verb, &object) {
                return false;
            }
            if self.places(words) {
                return true;
            }
            match words {
                [relative, next, ..] if self.is(relative, "relative") && self.is(next, "transitive") => {
                    if self.number(next, &["transitive"]) != object.number {
                        return false;
                    }
                    verb = *next;
                    words = &words[2..];
                }
                _ => return false,
            }
        }
    }

    /// Whether nothing is left but places and the full stop.
    fn places(&self, mut words: &[&str]) -> bool {
        while words.first().is_some_and(|word| self.is(word, "preposition")) {
            words = &words[1..];
            if self.phrase(&mut words).is_none() {
                return false;
            }
        }
        words == ["."]
    }

    fn parse(&self, words: &[&str], before: Option<&str>) -> Parsed {
        let wrong = Parsed { right: false, subject: String::new(), depth: 0 };
        let mut words = words;
        if words.first().is_some_and(|word| self.is(word, "pronoun")) {
            let number = self.number(words[0], &["pronoun"]);
            let right = before == Some(&*number) && self.predicate(&number, &words[1..]);
            return Parsed { right, subject: number, depth: 0 };
        }
        if words.first().is_some_and(|word| self.is(word, "preposition")) {
            words = &words[1..];
            if self.phrase(&mut words).is_none() {
                return wrong;
            }
        }
        let Some(subject) = self.subject(&mut words) else { return wrong };
        let right = self.predicate(&subject.number, words);
        Parsed { right, subject: subject.number, depth: subject.depth }
    }

    /// Whether every sentence of a text is right, each after the one before.
    fn is_right(&self, text: &str) -> bool {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut before: Option<String> = None;
        words.split_inclusive(|word| *word == ".").all(|sentence| {
            let parsed = self.parse(sentence, before.as_deref());
            before = Some(parsed.subject);
            parsed.right
        })
    }

    /// The kinds that a word can be of in a sentence of the task of senses.
    fn kinds_in_context(&self, text: &str, word: &str) -> HashSet<String> {
        let words: Vec<&str> = text.split(' ').collect();
        let place = words.iter().rposition(|other| *other == word).unwrap();
        if self.is(words[place - 1], "adjective") {
            return self.values(words[place - 1], "adjective", "kind");
        }
        self.values(words[place - 2], "transitive", "kind")
    }

    fn answer(&self, task: &str, texts: &[String]) -> String {
        let words: Vec<&str> = texts[0].split(' ').collect();
        match task {
            "subject-number" => self.parse(&words, None).subject,
            "depth" => self.parse(&words, None).depth.to_string(),
            _ => {
                // A form of the same word is in both: the one that is asked about, which comes last.
                let others: Vec<&str> = texts[1].split(' ').collect();
                let meanings = |word: &str| self.values(word, "noun", "meaning");
                let shared = |word: &&&str| {
                    meanings(word).len() > 1 && others.iter().any(|other| meanings(other) == meanings(word))
                };
                let first = *words.iter().rev().find(shared).unwrap();
                let second = others.iter().rev().find(|other| meanings(other) == meanings(first)).unwrap();
                let kinds = [(&texts[0], first), (&texts[1], second)]
                    .map(|(text, word)| self.kinds_in_context(text, word));
                if kinds[0] == kinds[1] { "same" } else { "different" }.to_owned()
            }
        }
    }

    fn examples(&self, rows: &[(Vec<String>, String)]) -> Vec<Example> {
        let columns = ["class", "meaning", "gender", "number", "topic", "kind"];
        Example::numbered(rows, |word, column| {
            let name = *columns.get(column)?;
            // Of a word of several readings all together.
            let mut values: Vec<&str> = self.readings[word]
                .iter()
                .filter_map(|reading| reading.get(name).map(String::as_str))
                .collect();
            values.sort_unstable();
            values.dedup();
            (!values.is_empty()).then(|| values.join(" "))
        })
    }
}

const SIZES: Sizes = Sizes { documents: 60, train: 500, dev: 500, test: 500 };

#[test]
fn an_oracle_solves_the_tasks_and_tells_the_pairs() {
    for seed in 1..=3 {
        let nested = Nested::new(seed, SIZES);
        for task in TASKS {
            for set in ["train", "dev", "test"] {
                for (texts, label) in nested.rows(task, set) {
                    assert_eq!(nested.answer(task, &texts), label, "seed {seed}, {task}, {set}: {texts:?}");
                }
            }
        }
        for paradigm in PARADIGMS {
            let pairs = nested.pairs(paradigm);
            assert_eq!(pairs.len(), 500);
            for pair in pairs {
                let judged = [0, 1].map(|index: usize| nested.is_right(&pair[index]));
                assert_eq!(judged, [true, false], "seed {seed}, {paradigm}: {pair:?}");
                let lengths = [0, 1].map(|index: usize| pair[index].split(' ').count());
                assert_eq!(lengths[0], lengths[1]);
            }
        }
    }
}

#[test]
fn every_sentence_of_a_document_is_right_and_documents_are_longer_than_a_row() {
    let nested = Nested::new(4, SIZES);
    let text = fs::read_to_string(nested.folder.path().join("language/corpus.txt")).unwrap();
    let mut lengths = Vec::new();
    for document in text.split("\n\n") {
        assert!(nested.is_right(document), "{document}");
        lengths.push(document.split_whitespace().count());
    }
    let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    assert!((120.0..220.0).contains(&mean), "{mean} words a document");
    assert!(lengths.iter().all(|length| *length >= 30));
}

#[test]
fn ranks_follow_zipf_and_forms_have_several_senses() {
    let language = NestedClauses::new(5);
    let mut counts: HashMap<String, usize> = HashMap::new();
    for number in 0..2000 {
        for word in language.document(number).split_whitespace() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    let entries = language.entries();
    let mut readings: HashMap<&str, HashSet<(&str, Option<usize>)>> = HashMap::new();
    for entry in &entries {
        assert!(counts.contains_key(&entry.word), "{} is never said", entry.word);
        readings.entry(&entry.word).or_default().insert((entry.class, entry.meaning));
    }
    let several = readings.values().filter(|readings| readings.len() > 1).count();
    // 48 nouns in both numbers, 24 nouns that are verbs in the singular.
    assert_eq!(several, 2 * 48 + 24);
    // Verbs of one kind: log frequency falls by the log of the rank.
    let verb = |rank: usize| {
        let meaning = Some(4 * rank);
        let forms = entries.iter().filter(|entry| entry.class == "transitive" && entry.meaning == meaning);
        forms.map(|entry| counts[&entry.word]).sum::<usize>() as f64
    };
    let first = verb(0);
    for rank in 1..24 {
        let expected = first / (rank + 1) as f64;
        assert!(
            (verb(rank) / expected).ln().abs() < 0.25,
            "rank {rank}: {}, expected {expected}",
            verb(rank)
        );
    }
}

#[test]
fn no_two_sets_of_a_task_share_a_content_word() {
    let nested = Nested::new(6, SIZES);
    for task in TASKS {
        let sets = ["train", "dev", "test"].map(|set| -> HashSet<String> {
            let words = nested.rows(task, set).into_iter().flat_map(|(texts, _)| {
                texts.iter().flat_map(|text| text.split(' ')).map(str::to_owned).collect::<Vec<_>>()
            });
            let content = ["noun", "transitive", "intransitive", "adjective"];
            words.filter(|word| content.iter().any(|class| nested.is(word, class))).collect()
        });
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            assert_eq!(sets[first].intersection(&sets[second]).next(), None, "{task}");
        }
        assert!(sets.iter().all(|set| set.len() >= 16), "{task}");
    }
}

#[test]
fn no_single_feature_solves_a_task() {
    for seed in 1..=3 {
        let nested = Nested::new(seed, Sizes { documents: 1, train: 2000, dev: 2000, test: 2000 });
        for (task, most) in [
            // The second word is the subject in three sentences of eight.
            ("subject-number", 0.71),
            // Clauses begin late where none is embedded.
            ("depth", 0.57),
            // The same verb, or the same adjective, chooses the same sense.
            ("word-in-context", 0.58),
        ] {
            let rows: Vec<_> =
                ["train", "dev", "test"].iter().flat_map(|set| nested.rows(task, set)).collect();
            // What verbs and adjectives choose is the answer to which sense it is.
            let is_tried = |feature| task != "word-in-context" || !reads(feature, KIND);
            let (feature, found) = search(&nested.examples(&rows), accuracy, is_tried);
            println!("seed {seed}, {task}: {feature:?} has {found}");
            assert!(found < most, "seed {seed}, {task}: {feature:?} has {found}, {most} expected at most");
        }
    }
}

#[test]
fn a_seed_gives_these_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("language");
    NestedClauses::new(1).write(SIZES, &path).unwrap();
    // Whoever changes this changes VERSION in src/write.rs with it.
    assert_eq!(crate::files::digest(&path), "10be70bc41f5e073");
}
