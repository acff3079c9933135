//! Byte-pair merges over words, with exact counts and an order that depends on the words alone.
//!
//! The `tokenizers` library has a trainer for this, but lets the order of hash tables into its vocabularies:
//! ids of `##` characters are given out in such an order, and ids decide ties; and a pair that several merges
//! gave rise to is merged in parts, in any order. Its counts of pairs have 32 bits. Here each pair has one
//! exact count, and of equally frequent pairs the one with the lower ids is merged first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ahash::AHashMap;

use super::alphabet::Alphabet;
use super::count::Word;

type Pair = (u32, u32);

/// Where a pair occurs.
#[derive(Default)]
struct Occurrences {
    count: u64,
    /// Words that had the pair when it was counted; some may have lost it since, or stand here twice.
    words: Vec<u32>,
}

pub(super) struct Merger {
    tokens: Vec<String>,
    ids: AHashMap<String, u32>,
    /// The symbols of all words; each word owns the first `len` from `start` on.
    symbols: Vec<u32>,
    spans: Vec<Span>,
    pairs: AHashMap<Pair, Occurrences>,
    /// For each pair at least one entry with its count or more.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
    uncovered: u64,
}

struct Span {
    start: usize,
    len: u32,
    count: u64,
}

impl Merger {
    /// Tokens so far: `special`, the alphabet, and the `##` forms of its characters that occur.
    pub(super) fn new(words: Vec<Word>, alphabet: &Alphabet, special: &[&str]) -> Self {
        let mut merger = Self {
            tokens: special.iter().map(|&token| token.to_owned()).collect(),
            ids: AHashMap::new(),
            symbols: Vec::new(),
            spans: Vec::with_capacity(words.len()),
            pairs: AHashMap::new(),
            queue: BinaryHeap::new(),
            uncovered: 0,
        };
        let index: AHashMap<char, u32> = alphabet.chars().iter().copied().zip(0..).collect();
        let mut continues = vec![false; alphabet.len()];
        // A word with a character outside the alphabet will be [UNK] as a whole: its pairs never occur.
        let mut word_symbols = Vec::new();
        for (word, count) in words {
            word_symbols.clear();
            word_symbols.extend(word.chars().map_while(|char| index.get(&char).copied()));
            if word_symbols.len() < word.chars().count() {
                merger.uncovered += count;
                continue;
            }
            let len = word_symbols.len() as u32;
            merger.spans.push(Span { start: merger.symbols.len(), len, count });
            for &symbol in word_symbols.iter().skip(1) {
                continues[symbol as usize] = true;
            }
            merger.symbols.append(&mut word_symbols);
        }

        merger.tokens.extend(alphabet.chars().iter().map(char::to_string));
        let first = special.len() as u32;
        let mut continued = vec![0; alphabet.len()];
        for (char, id) in alphabet.chars().iter().zip(0..).filter(|&(_, id)| continues[id as usize]) {
            continued[id as usize] = merger.tokens.len() as u32;
            merger.tokens.push(format!("##{char}"));
        }
        for span in &merger.spans {
            let symbols = &mut merger.symbols[span.start..][..span.len as usize];
            for (position, symbol) in symbols.iter_mut().enumerate() {
                *symbol = if position == 0 { first + *symbol } else { continued[*symbol as usize] };
            }
        }
        merger.ids = merger.tokens.iter().cloned().zip(0..).collect();
        merger.count_pairs();
        merger
    }

    fn count_pairs(&mut self) {
        for (word, span) in self.spans.iter().enumerate() {
            for pair in self.symbols[span.start..][..span.len as usize].windows(2) {
                let occurrences = self.pairs.entry((pair[0], pair[1])).or_default();
                occurrences.count += span.count;
                occurrences.words.push(word as u32);
            }
        }
        self.queue = self.pairs.iter().map(|(&pair, found)| (found.count, Reverse(pair))).collect();
    }

    /// Merges until there are `vocab_size` tokens or no pair occurs `min_frequency` times.
    pub(super) fn run(&mut self, vocab_size: usize, min_frequency: u64, mut progress: impl FnMut(usize)) {
        while self.tokens.len() < vocab_size {
            let Some((count, Reverse(pair))) = self.queue.pop() else { break };
            let exact = self.pairs.get(&pair).map_or(0, |found| found.count);
            if exact < count {
                if exact > 0 {
                    self.queue.push((exact, Reverse(pair)));
                }
                continue;
            }
            if count < min_frequency {
                break;
            }
            let known = self.tokens.len();
            self.merge(pair);
            if self.tokens.len() > known {
                progress(self.tokens.len());
            }
        }
    }

    fn merge(&mut self, pair: Pair) {
        let Some(found) = self.pairs.remove(&pair) else { return };
        let merged = self.token_of(pair);
        let mut grown = Vec::new();
        for word in found.words {
            self.merge_in(word, pair, merged, &mut grown);
        }
        grown.sort_unstable();
        grown.dedup();
        for pair in grown {
            if let Some(found) = self.pairs.get(&pair) {
                self.queue.push((found.count, Reverse(pair)));
            }
        }
    }

    /// Merges the pair in one word and keeps the counts of its neighbours; pairs that now occur more often go
    /// to `grown`.
    fn merge_in(&mut self, word: u32, pair: Pair, merged: u32, grown: &mut Vec<Pair>) {
        let span = &mut self.spans[word as usize];
        let (count, len) = (span.count, span.len as usize);
        let symbols = &mut self.symbols[span.start..][..len];
        let (mut read, mut write) = (0, 0);
        while read < len {
            if read + 1 < len && (symbols[read], symbols[read + 1]) == pair {
                if write > 0 {
                    let before = symbols[write - 1];
                    lose(&mut self.pairs, (before, pair.0), count);
                    gain(&mut self.pairs, (before, merged), count, word, grown);
                }
                if read + 2 < len {
                    let after = symbols[read + 2];
                    lose(&mut self.pairs, (pair.1, after), count);
                    gain(&mut self.pairs, (merged, after), count, word, grown);
                }
                symbols[write] = merged;
                read += 2;
            } else {
                symbols[write] = symbols[read];
                read += 1;
            }
            write += 1;
        }
        span.len = write as u32;
    }

    /// The id of two tokens joined, which may be there already by way of other merges.
    fn token_of(&mut self, pair: Pair) -> u32 {
        let (first, second) = (&self.tokens[pair.0 as usize], &self.tokens[pair.1 as usize]);
        let token = format!("{first}{}", second.strip_prefix("##").unwrap_or(second));
        *self.ids.entry(token).or_insert_with_key(|token| {
            self.tokens.push(token.clone());
            self.tokens.len() as u32 - 1
        })
    }

    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    pub(super) fn into_tokens(self) -> Vec<String> {
        self.tokens
    }

    /// Distinct words that take part.
    pub(super) fn words(&self) -> usize {
        self.spans.len()
    }

    /// Occurrences of words with a character outside the alphabet.
    pub(super) fn uncovered(&self) -> u64 {
        self.uncovered
    }
}

/// A pair that is being merged is no longer in the table, and its own overlaps (`aaa`) need no count.
fn lose(pairs: &mut AHashMap<Pair, Occurrences>, pair: Pair, count: u64) {
    if let Some(found) = pairs.get_mut(&pair) {
        found.count -= count;
        if found.count == 0 {
            pairs.remove(&pair);
        }
    }
}

fn gain(pairs: &mut AHashMap<Pair, Occurrences>, pair: Pair, count: u64, word: u32, grown: &mut Vec<Pair>) {
    let found = pairs.entry(pair).or_default();
    found.count += count;
    if found.words.last() != Some(&word) {
        found.words.push(word);
    }
    grown.push(pair);
}
