//! No single feature solves a task: thousands of them are tried, each by itself.
//!
//! A feature gives each example one value: a word at a place, what the lexicon knows of it, whether two places agree,
//! a count, a length. The commonest label of each value is learnt from one half of the examples of all sets and scored on
//! the other, so that a feature that gets more than the ceiling has found something.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use electra_synthetic::Sizes;
use rayon::prelude::*;

use crate::suite::{Row, Suite};

/// Places from each end of a text.
const PLACES: isize = 8;
/// What a word is looked at by; the world is that of the facts, which the lexicon does not have.
const COLUMNS: [&str; 9] =
    ["word", "class", "meaning", "gender", "number", "topic", "kind", "polarity", "world"];
const WORD: usize = 0;
const CLASS: usize = 1;
const WORLD: usize = 8;

/// A number for each thing that is known of a word; 0 where it does not apply.
type Known = [u32; COLUMNS.len()];

pub(crate) struct Example {
    texts: Vec<Vec<Known>>,
    label: f64,
}

impl Example {
    /// Examples whose words are known by columns, the first of which is the word itself; `value` gives the others.
    pub(crate) fn numbered(
        rows: &[(Vec<String>, String)],
        value: impl Fn(&str, usize) -> Option<String>,
    ) -> Vec<Self> {
        let mut labels: Vec<&String> = rows.iter().map(|(_, label)| label).collect();
        labels.sort();
        labels.dedup();
        let mut numbers: HashMap<(usize, String), u32> = HashMap::new();
        let mut number = |column: usize, value: String| {
            let next = u32::try_from(numbers.len()).unwrap() + 1;
            *numbers.entry((column, value)).or_insert(next)
        };
        let mut known = |word: &str| {
            let mut known = Known::default();
            known[WORD] = number(WORD, word.to_owned());
            for (column, known) in known.iter_mut().enumerate().skip(1) {
                *known = value(word, column - 1).map_or(0, |value| number(column, value));
            }
            known
        };
        rows.iter()
            .map(|(texts, label)| Self {
                texts: texts.iter().map(|text| text.split(' ').map(&mut known).collect()).collect(),
                label: labels.iter().position(|other| *other == label).unwrap() as f64,
            })
            .collect()
    }

    /// Leaves nothing of a name but that it is one, and its gender.
    fn leave_names_out(&mut self) {
        for word in self.texts.iter_mut().flatten().filter(|word| word[WORLD] > 0) {
            for (column, name) in COLUMNS.iter().enumerate() {
                if ["word", "topic", "world"].contains(name) {
                    word[column] = 0;
                }
            }
        }
    }
}

/// Where a word is: in which text, and from its beginning or, below 0, from its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place(usize, isize);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Feature {
    /// Whether a text has a word.
    Has {
        text: usize,
        word: u32,
    },
    /// What a column says of the word at a place.
    At {
        place: Place,
        column: usize,
    },
    /// Whether the words at two places agree in a column.
    Agree {
        first: Place,
        second: Place,
        column: usize,
    },
    /// Words of a text.
    Length {
        text: usize,
    },
    /// By how many words the first text is longer.
    LengthDifference,
    /// Words that both texts have, and the share of all that they are, in tenths.
    Shared,
    Overlap,
    /// Whether the words that both texts have come in the same order.
    SameOrder,
    /// How many different values of a column a text has, and how many all texts have together.
    Different {
        text: usize,
        column: usize,
    },
    DifferentInAll {
        column: usize,
    },
    /// How many values of a column both texts have.
    Common {
        column: usize,
    },
    /// How many words of a text have this value in this column.
    Count {
        text: usize,
        column: usize,
        value: u32,
    },
}

impl Feature {
    fn value(self, example: &Example) -> u32 {
        let texts = &example.texts;
        let at = |Place(text, index): Place| {
            let words = &texts[text];
            let index = if index < 0 { words.len() as isize + index } else { index };
            usize::try_from(index).ok().and_then(|index| words.get(index))
        };
        let different = |text: usize, column: usize| -> BTreeSet<u32> {
            texts[text].iter().map(|word| word[column]).filter(|value| *value > 0).collect()
        };
        let shared = || different(0, WORD).intersection(&different(1, WORD)).count();
        let number = |count: usize| u32::try_from(count).unwrap();
        match self {
            Self::Has { text, word } => u32::from(texts[text].iter().any(|known| known[WORD] == word)),
            Self::At { place, column } => at(place).map_or(0, |word| word[column]),
            Self::Agree { first, second, column } => {
                let value = |place| at(place).map_or(0, |word| word[column]);
                let (first, second) = (value(first), value(second));
                if first == 0 || second == 0 { 2 } else { u32::from(first == second) }
            }
            Self::Length { text } => number(texts[text].len()),
            Self::LengthDifference => number(100 + texts[0].len() - texts[1].len()),
            Self::Shared => number(shared()),
            Self::Overlap => number(10 * shared() / different(0, WORD).union(&different(1, WORD)).count()),
            Self::SameOrder => {
                let both: BTreeSet<u32> =
                    different(0, WORD).intersection(&different(1, WORD)).copied().collect();
                let order = |text: usize| -> Vec<u32> {
                    texts[text].iter().map(|word| word[WORD]).filter(|word| both.contains(word)).collect()
                };
                u32::from(order(0) == order(1))
            }
            Self::Different { text, column } => number(different(text, column).len()),
            Self::DifferentInAll { column } => {
                let all = (0..texts.len()).flat_map(|text| different(text, column));
                number(all.collect::<BTreeSet<u32>>().len())
            }
            Self::Common { column } => {
                number(different(0, column).intersection(&different(1, column)).count())
            }
            Self::Count { text, column, value } => {
                number(texts[text].iter().filter(|word| word[column] == value).count())
            }
        }
    }
}

/// Whether an example is learnt from; else it is scored. Two sentences of a minimal pair, one after the other, are of
/// the same half.
fn is_learnt_from(index: usize) -> bool {
    (index / 2).is_multiple_of(2)
}

/// Whether a feature looks at what words mean.
fn reads_meanings(feature: Feature) -> bool {
    reads(feature, &["meaning"])
}

/// Whether a feature looks at one of these columns.
pub(crate) fn reads(feature: Feature, columns: &[&str]) -> bool {
    match feature {
        Feature::At { column, .. }
        | Feature::Agree { column, .. }
        | Feature::Different { column, .. }
        | Feature::DifferentInAll { column }
        | Feature::Count { column, .. }
        | Feature::Common { column } => columns.contains(&COLUMNS[column]),
        _ => false,
    }
}

/// All features of texts like these.
fn features(examples: &[Example]) -> Vec<Feature> {
    let texts = examples[0].texts.len();
    let mut features = Vec::new();
    let places: Vec<Place> =
        (0..texts).flat_map(|text| (-PLACES..PLACES).map(move |index| Place(text, index))).collect();
    for (number, &place) in places.iter().enumerate() {
        features.extend((0..COLUMNS.len()).map(|column| Feature::At { place, column }));
        for &second in &places[number + 1..] {
            let agree = |column| Feature::Agree { first: place, second, column };
            features.extend((0..COLUMNS.len()).map(agree));
        }
    }
    for text in 0..texts {
        features.push(Feature::Length { text });
        for column in 0..COLUMNS.len() {
            features.push(Feature::Different { text, column });
            let values: BTreeSet<u32> =
                examples.iter().flat_map(|example| &example.texts[text]).map(|word| word[column]).collect();
            for value in values.into_iter().filter(|value| *value > 0) {
                features.push(match column {
                    WORD => Feature::Has { text, word: value },
                    _ => Feature::Count { text, column, value },
                });
            }
        }
    }
    features.extend((0..COLUMNS.len()).map(|column| Feature::DifferentInAll { column }));
    if texts == 2 {
        features.extend([Feature::LengthDifference, Feature::Shared, Feature::Overlap, Feature::SameOrder]);
        features.extend((0..COLUMNS.len()).map(|column| Feature::Common { column }));
    }
    features
}

/// What is known of each word of a suite, as numbers.
struct Numbered {
    words: HashMap<String, Known>,
}

impl Numbered {
    fn new(suite: &Suite) -> Self {
        let worlds = worlds(suite);
        let mut numbers: HashMap<(usize, String), u32> = HashMap::new();
        let mut words: Vec<&String> = suite.lexicon.keys().collect();
        words.sort();
        let known = words.into_iter().map(|word| {
            let mut known = Known::default();
            for (column, name) in COLUMNS.into_iter().enumerate() {
                let value = match name {
                    "world" => worlds.get(word).map(String::as_str),
                    _ => suite.get(word, name),
                };
                // A meaning is a number that means something within a class only.
                let value = value.map(|value| match name {
                    "meaning" => format!("{} {value}", suite.class(word)),
                    _ => value.to_owned(),
                });
                if let Some(value) = value {
                    let next = u32::try_from(numbers.len()).unwrap() + 1;
                    known[column] = *numbers.entry((column, value)).or_insert(next);
                }
            }
            (word.clone(), known)
        });
        Self { words: known.collect() }
    }

    fn examples(&self, rows: &[Row]) -> Vec<Example> {
        let mut labels: Vec<&String> = rows.iter().map(|row| &row.label).collect();
        labels.sort();
        labels.dedup();
        let example = |row: &Row| Example {
            texts: row
                .texts
                .iter()
                .map(|text| text.split(' ').map(|word| self.words[word]).collect())
                .collect(),
            label: row
                .label
                .parse()
                .unwrap_or_else(|_| labels.iter().position(|label| **label == row.label).unwrap() as f64),
        };
        rows.iter().map(example).collect()
    }
}

/// A name for the world of each name: friends are of one world.
fn worlds(suite: &Suite) -> HashMap<String, String> {
    let mut worlds: HashMap<String, String> = HashMap::new();
    let friends: BTreeMap<&String, &String> = suite
        .facts
        .iter()
        .filter(|(_, value)| suite.class(value) == "name")
        .map(|((name, _), friend)| (name, friend))
        .collect();
    for &name in friends.keys() {
        let mut member = name;
        while !worlds.contains_key(member) {
            worlds.insert(member.clone(), name.clone());
            member = friends[member];
        }
    }
    worlds
}

/// How well the commonest label of a feature's values says the labels of other examples.
pub(crate) fn accuracy(feature: Feature, examples: &[Example]) -> f64 {
    let values: Vec<u32> = examples.iter().map(|example| feature.value(example)).collect();
    let mut counts: HashMap<u32, BTreeMap<u64, usize>> = HashMap::new();
    let mut all: BTreeMap<u64, usize> = BTreeMap::new();
    let halves = || values.iter().zip(examples).enumerate();
    for (_, (value, example)) in halves().filter(|(index, _)| is_learnt_from(*index)) {
        let label = example.label.to_bits();
        *counts.entry(*value).or_default().entry(label).or_default() += 1;
        *all.entry(label).or_default() += 1;
    }
    let commonest =
        |counts: &BTreeMap<u64, usize>| *counts.iter().max_by_key(|(_, count)| **count).unwrap().0;
    let commonest_of_all = commonest(&all);
    let answers: HashMap<u32, u64> =
        counts.iter().map(|(value, counts)| (*value, commonest(counts))).collect();
    let scored = || halves().filter(|(index, _)| !is_learnt_from(*index)).map(|(_, scored)| scored);
    let right = scored().filter(|(value, example)| {
        *answers.get(value).unwrap_or(&commonest_of_all) == example.label.to_bits()
    });
    right.count() as f64 / scored().count() as f64
}

/// Spearman's correlation of the labels with the mean label of a feature's values.
fn correlation(feature: Feature, examples: &[Example]) -> f64 {
    let values: Vec<u32> = examples.iter().map(|example| feature.value(example)).collect();
    let mut sums: HashMap<u32, (f64, f64)> = HashMap::new();
    let halves = || values.iter().zip(examples).enumerate();
    for (_, (value, example)) in halves().filter(|(index, _)| is_learnt_from(*index)) {
        let sum = sums.entry(*value).or_default();
        *sum = (sum.0 + example.label, sum.1 + 1.0);
    }
    let mean = |value: &u32| sums.get(value).map_or(2.5, |(sum, count)| sum / count);
    let (answers, labels): (Vec<f64>, Vec<f64>) = halves()
        .filter(|(index, _)| !is_learnt_from(*index))
        .map(|(_, (value, example))| (mean(value), example.label))
        .unzip();
    crate::bag_of_words::correlation(&ranks(&answers), &ranks(&labels))
}

/// Of equal values each has the mean of their places.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut places: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    for (place, value) in sorted.iter().enumerate() {
        let sum = places.entry(value.to_bits()).or_default();
        *sum = (sum.0 + place as f64, sum.1 + 1.0);
    }
    values.iter().map(|value| places[&value.to_bits()]).map(|(sum, count)| sum / count).collect()
}

/// The features that do best.
pub(crate) fn search(
    examples: &[Example],
    score: fn(Feature, &[Example]) -> f64,
    is_tried: impl Fn(Feature) -> bool,
) -> (Feature, f64) {
    let tried: Vec<Feature> = features(examples).into_iter().filter(|feature| is_tried(*feature)).collect();
    let scored: Vec<(Feature, f64)> =
        tried.into_par_iter().map(|feature| (feature, score(feature, examples))).collect();
    scored
        .into_iter()
        .filter(|(_, score)| !score.is_nan())
        .max_by(|first, second| first.1.total_cmp(&second.1))
        .unwrap()
}

fn of_task(suite: &Suite, numbered: &Numbered, task: &str) -> Vec<Example> {
    let rows: Vec<Row> = ["train", "dev", "test"].iter().flat_map(|set| suite.rows(task, set)).collect();
    numbered.examples(&rows)
}

const SIZES: Sizes = Sizes { documents: 1, train: 2000, dev: 2000, test: 2000 };
const SEEDS: [u64; 3] = [11, 12, 13];

#[test]
fn no_single_feature_solves_a_classification() {
    for seed in SEEDS {
        let suite = Suite::new(seed, SIZES);
        let numbered = Numbered::new(&suite);
        for (task, most) in [
            // The forms in the singular are odd in number where one does not agree: three errors in ten.
            ("acceptability", 0.68),
            // An evaluation that follows the text's first noun at once is not negated: one text in six.
            ("polarity", 0.6),
            // Of one's world three others in seven are of one's gender, of another world one in two.
            ("entailment", 0.56),
            ("topic", 0.29),
        ] {
            let mut examples = of_task(&suite, &numbered, task);
            if task == "topic" {
                // Who it is is the answer.
                examples.iter_mut().for_each(Example::leave_names_out);
            }
            // Which world names are of is the answer to entailment.
            let is_tried = |feature| task != "entailment" || !reads(feature, &["world"]);
            let (feature, found) = search(&examples, accuracy, is_tried);
            println!("seed {seed}, {task}: {feature:?} has {found}");
            assert!(
                found < most,
                "seed {seed}, {task}: {feature:?} has {found}, {most} was expected at most"
            );
        }
        // Whether the verbs mean the same is half of the answer; the roles are the other. That a name has changed its
        // place shows in the active: one pair in eight.
        let examples = of_task(&suite, &numbered, "paraphrase");
        for (most, is_tried) in [(0.65, false), (0.77, true)] {
            let (feature, found) =
                search(&examples, accuracy, |feature| is_tried || !reads_meanings(feature));
            println!("seed {seed}, paraphrase: {feature:?} has {found}");
            assert!(found < most, "seed {seed}: {feature:?} has {found}, {most} was expected at most");
        }
    }
}

#[test]
fn no_single_feature_solves_similarity() {
    for seed in SEEDS {
        let suite = Suite::new(seed, SIZES);
        let examples = of_task(&suite, &Numbered::new(&suite), "similarity");
        // How many meanings or kinds both have is most of the answer, and needs the lexicon.
        for (most, is_tried) in [(0.72, false), (0.9, true)] {
            let answers = ["meaning", "kind", "topic"];
            let (feature, found) =
                search(&examples, correlation, |feature| is_tried || !reads(feature, &answers));
            println!("seed {seed}, similarity: {feature:?} has {found}");
            assert!(found < most, "seed {seed}: {feature:?} has {found}, {most} was expected at most");
        }
    }
}

/// A control: the search finds the leak that the task of entailment once had, a wrong value of another topic.
#[test]
fn the_search_finds_a_feature_that_solves_a_task() {
    let suite = Suite::new(SEEDS[0], SIZES);
    let numbered = Numbered::new(&suite);
    let mut examples = of_task(&suite, &numbered, "entailment");
    let topic = COLUMNS.iter().position(|column| *column == "topic").unwrap();
    for example in examples.iter_mut().filter(|example| example.label == 0.0) {
        for word in &mut example.texts[1] {
            // Names keep their world.
            if word[topic] > 0 && word[WORLD] == 0 {
                word[topic] += 1000;
            }
        }
    }
    let (feature, found) = search(&examples, accuracy, |feature| !reads(feature, &["world"]));
    assert!(found > 0.85, "{feature:?} has {found}");
    assert!(
        matches!(feature, Feature::Agree { column, .. } | Feature::Common { column }
            | Feature::DifferentInAll { column } | Feature::Different { column, .. } if column == topic),
        "{feature:?}"
    );
}

#[test]
fn no_single_feature_tells_a_true_fact_from_a_wrong_one() {
    for seed in SEEDS {
        let suite = Suite::new(seed, SIZES);
        let numbered = Numbered::new(&suite);
        let rows: Vec<Row> = suite.pairs("fact").into_iter().flatten().collect();
        let (feature, found) = search(&numbered.examples(&rows), accuracy, |_| true);
        println!("seed {seed}, fact: {feature:?} has {found}");
        assert!(found < 0.54, "seed {seed}: {feature:?} has {found}");
    }
}

/// Of pairs that differ in their grammar no word and no class tells: all that tells is what stands where.
#[test]
fn no_word_of_a_minimal_pair_tells() {
    let suite = Suite::new(SEEDS[0], SIZES);
    let numbered = Numbered::new(&suite);
    for phenomenon in ["gender", "number", "reflexive", "selection", "order"] {
        let rows: Vec<Row> = suite.pairs(phenomenon).into_iter().flatten().collect();
        let is_tried = |feature| match feature {
            Feature::Has { .. } | Feature::Length { .. } => true,
            Feature::Count { column, .. } | Feature::Different { column, .. } => column == CLASS,
            _ => false,
        };
        let (feature, found) = search(&numbered.examples(&rows), accuracy, is_tried);
        println!("{phenomenon}: {feature:?} has {found}");
        assert!(found < 0.54, "{phenomenon}: {feature:?} has {found}");
    }
}
