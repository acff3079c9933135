//! The language itself.

use std::collections::{HashMap, HashSet};

use electra_synthetic::Language;
use proptest::prelude::*;

#[test]
fn words_are_different_and_known() {
    let language = Language::new(9);
    let entries = language.entries();
    let known: HashSet<&str> = entries.iter().map(|entry| &*entry.word).collect();
    assert_eq!(known.len(), entries.len(), "no form has two meanings");
    for number in 0..500 {
        for word in language.document(number).words() {
            assert!(known.contains(word.form), "{}", word.form);
        }
    }
}

#[test]
fn every_word_is_used_and_no_document_is_told_twice() {
    let language = Language::new(2);
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut texts = HashSet::new();
    for number in 0..5000 {
        let document = language.document(number);
        assert!(texts.insert(document.text()));
        for word in document.words() {
            *counts.entry(word.form.to_owned()).or_default() += 1;
        }
    }
    for entry in language.entries() {
        assert!(counts.get(&entry.word).is_some_and(|&count| count >= 5), "{}", entry.word);
    }
}

#[test]
fn statements_of_documents_are_true() {
    let language = Language::new(5);
    let entries = language.entries();
    let by_word: HashMap<&str, _> = entries.iter().map(|entry| (&*entry.word, entry)).collect();
    let facts: HashSet<(&str, &str)> = language.facts().map(|(name, _, value)| (name, value)).collect();
    let mut statements = 0;
    for number in 0..500 {
        for sentence in &language.document(number).sentences {
            let class = |index: usize| by_word[sentence[index].form].class;
            let statement = (0..sentence.len()).any(|index| class(index) == "relation");
            if statement {
                let (first, second) = (sentence[0].form, sentence[1].form);
                assert!(facts.contains(&(first, second)) || facts.contains(&(second, first)));
                statements += 1;
            }
        }
    }
    assert!(
        (700..=800).contains(&statements),
        "a fact in each document, and a second one in half of them: {statements}"
    );
}

proptest! {
    #[test]
    fn documents_depend_on_seed_and_number_alone(seed in any::<u64>(), number in any::<u64>()) {
        let (first, second) = (Language::new(seed), Language::new(seed));
        let _ = second.document(number ^ 1);
        prop_assert_eq!(first.document(number), second.document(number));
        prop_assert!(first.document(number).words().all(|word| word.alternatives >= 1));
    }
}
