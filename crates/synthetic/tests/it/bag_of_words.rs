//! No task is solved by the words alone, without their order.

use std::collections::{HashMap, HashSet};

use electra_synthetic::Sizes;

use crate::suite::{Row, Suite};

/// Which words a text has, those of a pair's two apart and what both have; for pairs also how many they share.
fn features(row: &Row, known: &mut HashMap<String, usize>) -> Vec<(usize, f64)> {
    let bags: Vec<HashSet<&str>> = row.texts.iter().map(|text| text.split(' ').collect()).collect();
    let mut names: Vec<(String, f64)> = vec![("bias".to_owned(), 1.0)];
    for (text, bag) in bags.iter().enumerate() {
        names.extend(bag.iter().map(|word| (format!("{text} {word}"), 1.0)));
    }
    if let [first, second] = &bags[..] {
        let shared: Vec<&&str> = first.intersection(second).collect();
        names.push(("shared".to_owned(), shared.len() as f64));
        names.extend(shared.into_iter().map(|word| (format!("both {word}"), 1.0)));
    }
    names.sort_by(|first, second| first.0.cmp(&second.0));
    let mut features = Vec::new();
    for (name, value) in names {
        let next = known.len();
        features.push((*known.entry(name).or_insert(next), value));
    }
    features
}

/// The scores that one-against-the-rest ridge regression by gradient descent gives the test rows, a column a target.
fn linear(train: &[Row], test: &[Row], targets: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut known = HashMap::new();
    let train: Vec<_> = train.iter().map(|row| features(row, &mut known)).collect();
    let test: Vec<_> = test.iter().map(|row| features(row, &mut known)).collect();
    let fit = |target: &Vec<f64>| {
        let mut weights = vec![0.0; known.len()];
        let value = |weights: &[f64], row: &[(usize, f64)]| {
            row.iter().map(|&(index, x)| weights[index] * x).sum::<f64>()
        };
        for _ in 0..30 {
            for (row, target) in train.iter().zip(target) {
                let error = value(&weights, row) - target;
                let length: f64 = row.iter().map(|(_, x)| x * x).sum();
                for &(index, x) in row {
                    weights[index] -= 0.1 * (error * x / length + 0.001 * weights[index]);
                }
            }
        }
        test.iter().map(|row| value(&weights, row)).collect()
    };
    targets.iter().map(fit).collect()
}

/// The share of the test set that it gets right.
fn accuracy([train, test]: &[Vec<Row>; 2]) -> f64 {
    let mut labels: Vec<String> = train.iter().map(|row| row.label.clone()).collect();
    labels.sort();
    labels.dedup();
    let target =
        |label: &String| train.iter().map(|row| if row.label == *label { 1.0 } else { -1.0 }).collect();
    let scores = linear(train, test, &labels.iter().map(target).collect::<Vec<_>>());
    let right = test.iter().enumerate().filter(|&(row, example)| {
        let best =
            (0..labels.len()).max_by(|&first, &second| scores[first][row].total_cmp(&scores[second][row]));
        labels[best.unwrap()] == example.label
    });
    right.count() as f64 / test.len() as f64
}

fn sets(suite: &Suite, task: &str) -> [Vec<Row>; 2] {
    ["train", "test"].map(|set| suite.rows(task, set))
}

fn suite(seed: u64) -> Suite {
    Suite::new(seed, Sizes { documents: 1, train: 2000, dev: 1, test: 1000 })
}

/// A control: the learner finds what a word tells, so that what it fails at below is not its own fault.
#[test]
fn bags_of_words_solve_what_a_word_tells() {
    let suite = suite(1);
    let mut sets = sets(&suite, "similarity");
    for row in sets.iter_mut().flatten() {
        let negated = row.texts[0].split(' ').any(|word| suite.class(word) == "negation");
        row.label = if negated { "negated" } else { "plain" }.to_owned();
    }
    let negated = sets[1].iter().filter(|row| row.label == "negated").count();
    assert!((200..800).contains(&negated), "{negated} of 1,000 are negated");
    let found = accuracy(&sets);
    assert!(found > 0.95, "{found} of the test set is right, more was expected");
}

#[test]
fn bags_of_words_do_not_solve_the_classifications() {
    for seed in 1..=3 {
        let suite = suite(seed);
        // The oracle has 1.0 everywhere. Chance is 0.5, for topics 0.25.
        for (task, most) in [
            ("acceptability", 0.57),
            ("polarity", 0.57),
            ("paraphrase", 0.57),
            ("entailment", 0.57),
            ("topic", 0.33),
        ] {
            let found = accuracy(&sets(&suite, task));
            println!("seed {seed}, {task}: {found}");
            assert!(
                found < most,
                "seed {seed}, {task}: {found} of the test set is right, {most} at most expected"
            );
        }
    }
}

#[test]
fn bags_of_words_do_not_solve_similarity() {
    for seed in 1..=3 {
        let [train, test] = sets(&suite(seed), "similarity");
        let number = |row: &Row| row.label.parse::<f64>().unwrap();
        let target: Vec<f64> = train.iter().map(|row| number(row) - 2.5).collect();
        let scores = linear(&train, &test, &[target]).remove(0);
        let labels: Vec<f64> = test.iter().map(number).collect();
        let correlation = correlation(&scores, &labels);
        println!("seed {seed}, similarity: {correlation}");
        // How many words a pair shares tells much of how alike they are, and not all.
        assert!((0.5..0.72).contains(&correlation), "seed {seed}: {correlation}");
    }
}

/// Pearson's, which for scores in a line with the labels is 1.
pub(crate) fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let product = |values: &[f64], mean: f64, with: &[f64], other: f64| -> f64 {
        values.iter().zip(with).map(|(a, b)| (a - mean) * (b - other)).sum()
    };
    product(x, mx, y, my) / (product(x, mx, x, mx) * product(y, my, y, my)).sqrt()
}
