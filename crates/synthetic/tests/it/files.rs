//! The files: the same bytes everywhere, whole or not at all.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use electra_synthetic::{Error, Language, Sizes};
use sha2::{Digest, Sha256};

use crate::suite::Suite;

const TASKS: [&str; 6] = ["acceptability", "polarity", "paraphrase", "entailment", "similarity", "topic"];
const SMALL: Sizes = Sizes { documents: 2500, train: 50, dev: 30, test: 40 };

pub(crate) fn digest(folder: &Path) -> String {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/"));
        hash.update(fs::read(&file).unwrap());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_seed_gives_these_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let mut digests = Vec::new();
    for threads in [1, 3] {
        let path = folder.path().join(threads.to_string());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Language::new(1).write(SMALL, &path)).unwrap();
        digests.push(digest(&path));
    }
    assert_eq!(digests[0], digests[1]);
    // Whoever changes this changes VERSION in src/write.rs with it.
    assert_eq!(digests[0], "872688ef00fc5607");
}

/// Words that examples ask about, by class and meaning.
fn units(suite: &Suite, task: &str, set: &str) -> HashSet<(String, String)> {
    let rows = suite.rows(task, set);
    let words = rows.iter().flat_map(|row| row.texts.iter().flat_map(|text| text.split(' ')));
    let known = words
        .filter(|word| ["noun", "deed", "social", "act", "evaluation", "name"].contains(&suite.class(word)));
    let meaning = |word: &str| suite.get(word, "meaning").unwrap_or(word).to_owned();
    known.map(|word| (suite.class(word).to_owned(), meaning(word))).collect()
}

/// Words of a class that examples of a task are made with; each set has at least 16 of them.
const UNITS: [(&str, &[&str]); 6] = [
    ("acceptability", &["noun", "deed", "act", "name"]),
    ("polarity", &["noun", "deed", "evaluation", "name"]),
    ("paraphrase", &["social", "name"]),
    ("entailment", &["name"]),
    ("similarity", &["noun", "deed", "name"]),
    ("topic", &["name"]),
];

#[test]
fn no_two_sets_share_a_word_that_they_ask_about_and_each_has_many() {
    let suite = Suite::new(4, Sizes::new(1));
    assert_eq!(UNITS.map(|(task, _)| task), TASKS);
    let mut all = [(); 3].map(|()| HashSet::new());
    for (task, classes) in UNITS {
        let sets = ["train", "dev", "test"].map(|set| units(&suite, task, set));
        let [train, dev, test] = &sets;
        for (first, second) in [(train, dev), (train, test), (dev, test)] {
            assert_eq!(first.intersection(second).next(), None, "{task}");
        }
        for class in classes {
            for set in &sets {
                let count = set.iter().filter(|(other, _)| other == class).count();
                assert!(count >= 16, "{task}: {count} of the class {class}");
            }
        }
        for (all, set) in all.iter_mut().zip(sets) {
            all.extend(set);
        }
    }
    // 32 nouns, 64 names, 16 of every other class.
    assert_eq!(all.map(|set| set.len()), [160; 3]);
}

#[test]
fn dev_and_test_sets_are_large_and_the_largest_can_be_written() {
    let sizes = Sizes::new(1);
    assert!(sizes.dev >= 1000 && sizes.test >= 1000);
    let largest = Sizes { documents: 1, train: 2000, dev: 2000, test: 2000 };
    let suite = Suite::new(6, largest);
    for task in TASKS {
        for set in ["train", "dev", "test"] {
            assert_eq!(suite.rows(task, set).len(), 2000, "{task}, {set}");
        }
    }
}

#[test]
fn what_lies_in_the_folder_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("thesis.txt");
    fs::write(&file, "mine").unwrap();
    let error = Language::new(1).write(SMALL, folder.path()).unwrap_err();
    assert!(matches!(error, Error::Store(electra_store::Error::Occupied { .. })), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = Language::new(1).write(SMALL, &file).unwrap_err();
    assert!(matches!(error, Error::Store(electra_store::Error::Occupied { .. })), "{error}");
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn sizes_have_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("language");
    for (sizes, message) in [
        (Sizes { documents: 0, ..SMALL }, "documents: 0; expected 1 or more"),
        (Sizes { train: 0, ..SMALL }, "train: 0; expected a number from 1 to 2,000"),
        (Sizes { test: 2_001, ..SMALL }, "test: 2001; expected a number from 1 to 2,000"),
    ] {
        assert_eq!(Language::new(1).write(sizes, &path).unwrap_err().to_string(), message);
        assert!(!path.exists());
    }
}
