use ahash::AHashMap;

use super::config::TrainConfig;
use super::count::Word;

/// The characters that become tokens of their own.
pub(super) struct Alphabet {
    chars: Vec<char>,
    met: usize,
    coverage: f64,
}

impl Alphabet {
    /// The most frequent characters, until they cover the share asked for or reach the limit; of equally
    /// frequent ones the lower code point first, so that the choice depends on the text alone.
    pub(super) fn choose(words: &[Word], config: &TrainConfig) -> Self {
        let mut counts = AHashMap::<char, u64>::new();
        for (word, count) in words {
            for char in word.chars() {
                *counts.entry(char).or_default() += count;
            }
        }
        let total: u64 = counts.values().sum();
        let met = counts.len();
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|&(char, count)| (std::cmp::Reverse(count), char));

        let needed = config.character_coverage * total as f64;
        let mut covered = 0;
        let mut chars = Vec::new();
        for (char, count) in counts {
            if chars.len() == config.alphabet_limit || covered as f64 >= needed {
                break;
            }
            covered += count;
            chars.push(char);
        }
        chars.sort_unstable();
        Self { chars, met, coverage: covered as f64 / total as f64 }
    }

    /// In the order of the code points.
    pub(super) fn chars(&self) -> &[char] {
        &self.chars
    }

    pub(super) fn len(&self) -> usize {
        self.chars.len()
    }

    /// Distinct characters of the text.
    pub(super) fn met(&self) -> usize {
        self.met
    }

    /// Share of the occurrences that is covered.
    pub(super) fn coverage(&self) -> f64 {
        self.coverage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[(&str, u64)]) -> Vec<Word> {
        words.iter().map(|(word, count)| ((*word).into(), *count)).collect()
    }

    #[test]
    fn the_frequent_come_first_and_ties_go_to_the_lower_code_point() {
        let words = words(&[("bca", 5), ("d", 6), ("z", 1)]);
        let mut config = TrainConfig::cased(100);
        config.character_coverage = 1.0;
        config.alphabet_limit = 3;
        let alphabet = Alphabet::choose(&words, &config);
        assert_eq!(alphabet.chars(), ['a', 'b', 'd']);
        assert_eq!((alphabet.met(), alphabet.coverage()), (5, 16.0 / 22.0));
    }

    #[test]
    fn coverage_leaves_the_rarest_out() {
        let words = words(&[("a", 90), ("b", 9), ("c", 1)]);
        let mut config = TrainConfig::cased(100);
        config.character_coverage = 0.99;
        assert_eq!(Alphabet::choose(&words, &config).chars(), ['a', 'b']);
        config.character_coverage = 1.0;
        assert_eq!(Alphabet::choose(&words, &config).chars(), ['a', 'b', 'c']);
    }
}
