use serde::{Deserialize, Serialize};

use crate::Error;

/// How a vocabulary is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Tokens in the vocabulary, special tokens included; BERT and ELECTRA have 30,522.
    pub vocab_size: usize,
    /// How often two neighbouring tokens must occur to become one. Usual is 2.
    pub min_frequency: u64,
    /// Whether text is lower-cased.
    pub lowercase: bool,
    /// Whether nonspacing marks are removed: `é` → `e`. Hangul is put together again afterwards, but
    /// scripts whose marks carry meaning lose them: switch it off for Hindi, Thai, Arabic with vowel signs,
    /// or Japanese.
    pub strip_accents: bool,
    /// Share of the characters' occurrences that the alphabet must cover, within 0..=1; the rarest characters
    /// beyond it are left to `[UNK]`.
    pub character_coverage: f64,
    /// Characters in the alphabet at most, whatever the coverage. Each may take two places of the vocabulary
    /// (`가`, `##가`).
    pub alphabet_limit: usize,
    /// Distinct words kept in memory, at some 300 bytes each while merging; beyond it the rarest are dropped
    /// and counted.
    pub max_words: usize,
}

impl TrainConfig {
    /// Lower-cased and without accents, as BERT's and ELECTRA's published vocabularies. The alphabet covers
    /// 99.995 % of the text, with at most a quarter of the vocabulary, so that scripts with thousands of
    /// characters leave room for words.
    pub fn uncased(vocab_size: usize) -> Self {
        Self {
            vocab_size,
            min_frequency: 2,
            lowercase: true,
            strip_accents: true,
            character_coverage: 0.99995,
            alphabet_limit: vocab_size / 4,
            max_words: 8_000_000,
        }
    }

    /// Case and accents kept, otherwise as [`uncased`](Self::uncased).
    pub fn cased(vocab_size: usize) -> Self {
        Self { lowercase: false, strip_accents: false, ..Self::uncased(vocab_size) }
    }

    /// Checks each field.
    ///
    /// # Errors
    /// [`Error::Config`] naming the field.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |field, expected, found: String| Err(Error::Config { field, expected, found });
        if !(8..=1 << 31).contains(&self.vocab_size) {
            let expected = "8 to 2147483648 tokens: 5 special ones, a character or more, and ids of 31 bits";
            return wrong("vocab_size", expected, self.vocab_size.to_string());
        }
        if self.min_frequency == 0 {
            return wrong("min_frequency", "at least 1", self.min_frequency.to_string());
        }
        if !(self.character_coverage > 0.0 && self.character_coverage <= 1.0) {
            return wrong(
                "character_coverage",
                "a share above 0, at most 1",
                self.character_coverage.to_string(),
            );
        }
        if self.alphabet_limit == 0 {
            return wrong("alphabet_limit", "at least 1 character", self.alphabet_limit.to_string());
        }
        if !(1000..=u32::MAX as usize).contains(&self.max_words) {
            return wrong("max_words", "1000 to 4294967295 words", self.max_words.to_string());
        }
        Ok(())
    }
}
