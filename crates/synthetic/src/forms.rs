//! The sound of the language: what its words look like.

use std::collections::HashSet;

use crate::random::Random;

const CONSONANTS: &[u8] = b"ptkbdgmnlrsvzfh";
const VOWELS: &[u8] = b"aeiou";

/// Draws words that are all different. A consonant and a vowel make a syllable; words with a meaning of their own
/// have two syllables, function words have one that is closed by a consonant, so that the two cannot be mistaken.
pub(crate) struct Forms {
    random: Random,
    used: HashSet<String>,
}

impl Forms {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed, b"forms\0\0\0", 0), used: HashSet::new() }
    }

    /// A word such as `tamo`.
    pub(crate) fn word(&mut self) -> String {
        self.draw("cvcv")
    }

    /// A function word such as `tam`.
    pub(crate) fn function(&mut self) -> String {
        self.draw("cvc")
    }

    /// A content word of the language of nested clauses, such as `atom`.
    pub(crate) fn stem(&mut self) -> String {
        self.draw("vcvc")
    }

    /// A function word of that language, such as `at`.
    pub(crate) fn particle(&mut self) -> String {
        self.draw("vc")
    }

    fn draw(&mut self, pattern: &str) -> String {
        loop {
            let form: String = pattern
                .chars()
                .map(|sound| {
                    let letters = if sound == 'c' { CONSONANTS } else { VOWELS };
                    char::from(*self.random.pick(letters))
                })
                .collect();
            if self.used.insert(form.clone()) {
                return form;
            }
        }
    }
}

/// The plural of a noun.
pub(crate) fn plural_noun(stem: &str) -> String {
    format!("{stem}l")
}

/// The form of a verb after a plural subject.
pub(crate) fn plural_verb(stem: &str) -> String {
    format!("{stem}n")
}
