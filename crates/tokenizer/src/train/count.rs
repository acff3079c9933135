use std::collections::HashMap;

use ahash::AHashMap;
use compact_str::CompactString;
use rayon::prelude::*;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use super::config::TrainConfig;
use super::normalization;
use crate::Error;
use crate::load::word_piece;
use crate::long::{Item, Long, PART};
use crate::pipeline::{Pipeline, bert, pieces};
use crate::plain::Plain;

/// A word and how often it occurs.
pub(super) type Word = (CompactString, u64);

/// Text taken into memory at a time, twice over: one chunk is counted while the next is read.
const CHUNK_BYTES: usize = 8 << 20;
/// What a line costs beyond its bytes: its place in the list and in the heap. Without it, a chunk of lines of
/// one character would take many times its size.
const LINE_BYTES: usize = 64;
/// WordPiece does not look inside longer words.
const MAX_WORD_CHARS: usize = 100;

/// Counts words as the tokenizer will see them: normalized, split at spaces and punctuation.
pub(super) struct Counter {
    splitter: Splitter,
    max_words: usize,
    words: AHashMap<CompactString, u64>,
    lines: u64,
    total: u64,
    long: u64,
    rare: u64,
}

/// Words in the order of their letters.
pub(super) struct Counts {
    pub(super) words: Vec<Word>,
    pub(super) lines: u64,
    pub(super) total: u64,
    pub(super) long: u64,
    pub(super) rare: u64,
}

impl Counter {
    pub(super) fn new(config: &TrainConfig) -> Self {
        Self {
            splitter: Splitter::new(config),
            max_words: config.max_words,
            words: AHashMap::new(),
            lines: 0,
            total: 0,
            long: 0,
            rare: 0,
        }
    }

    /// Chunks end where the text says, never where a thread is done, so that dropping rare words in between
    /// is the same on any number of threads.
    pub(super) fn count(
        &mut self,
        mut lines: impl Iterator<Item = Result<String, Error>> + Send,
    ) -> Result<(), Error> {
        let mut chunk = read_chunk(&mut lines)?;
        while !chunk.is_empty() {
            let (next, ()) = rayon::join(|| read_chunk(&mut lines), || self.count_chunk(&chunk));
            chunk = next?;
        }
        Ok(())
    }

    fn count_chunk(&mut self, chunk: &[String]) {
        let pieces = count_pieces(chunk);
        let splitter = &self.splitter;
        let words = pieces
            .par_iter()
            .fold(AHashMap::<CompactString, u64>::new, |mut words, (piece, count)| {
                splitter.for_each_word(piece, |word| *words.entry(word.into()).or_default() += count);
                words
            })
            .reduce(AHashMap::new, merged);
        self.lines += chunk.len() as u64;
        for (word, count) in words {
            self.total += count;
            // A long word takes at least as many bytes as characters, so that most need not be counted out.
            if word.len() > MAX_WORD_CHARS && word.chars().count() > MAX_WORD_CHARS {
                self.long += count;
            } else {
                *self.words.entry(word).or_default() += count;
            }
        }
        self.drop_rare();
    }

    /// Half of the room is freed at a time, or the next chunk would ask again.
    fn drop_rare(&mut self) {
        if self.words.len() <= self.max_words {
            return;
        }
        let mut threshold = 0;
        while self.words.len() > self.max_words / 2 {
            threshold += 1;
            let rare = &mut self.rare;
            self.words.retain(|_, count| {
                let keep = *count > threshold;
                *rare += if keep { 0 } else { *count };
                keep
            });
        }
    }

    pub(super) fn finish(self) -> Result<Counts, Error> {
        if self.words.is_empty() {
            return Err(if self.long > 0 { Error::LongWords { words: self.long } } else { Error::NoWords });
        }
        let mut words: Vec<_> = self.words.into_iter().collect();
        words.par_sort_unstable();
        Ok(Counts { words, lines: self.lines, total: self.total, long: self.long, rare: self.rare })
    }
}

fn read_chunk(lines: &mut impl Iterator<Item = Result<String, Error>>) -> Result<Vec<String>, Error> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while bytes < CHUNK_BYTES {
        let Some(line) = lines.next() else { break };
        let line = line?;
        bytes += line.len() + LINE_BYTES;
        chunk.push(line);
    }
    Ok(chunk)
}

/// Normalizing is the dear part, and most pieces occur many times: see [`crate::pipeline::is_piecewise`] for
/// why they may be normalized one by one.
fn count_pieces(chunk: &[String]) -> Vec<(&str, u64)> {
    let share = chunk.len().div_ceil(rayon::current_num_threads()).max(1);
    let counts = chunk
        .par_chunks(share)
        .map(|lines| {
            let mut counts = AHashMap::<&str, u64>::new();
            for piece in lines.iter().flat_map(|line| pieces(line)) {
                *counts.entry(piece).or_default() += 1;
            }
            counts
        })
        .reduce(AHashMap::new, merged);
    counts.into_iter().collect()
}

fn merged<K: std::hash::Hash + Eq>(a: AHashMap<K, u64>, b: AHashMap<K, u64>) -> AHashMap<K, u64> {
    let (mut into, from) = if a.len() < b.len() { (b, a) } else { (a, b) };
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
    into
}

/// Normalizes pieces and splits them into words, as the trained tokenizer will.
struct Splitter {
    pipeline: Pipeline,
    plain: Plain,
    long: Long,
}

impl Splitter {
    fn new(config: &TrainConfig) -> Self {
        // There is no vocabulary yet, and no special token: in training text, a literal `[MASK]` is text.
        let pipeline = bert(word_piece(HashMap::new(), "[UNK]"), normalization(config).recomposed());
        let plain = Plain::new(&pipeline).expect("the pipeline is BERT's, followed by NFC");
        let long = Long::new(&pipeline);
        Self { pipeline, plain, long }
    }

    fn for_each_word(&self, piece: &str, mut each: impl FnMut(&str)) {
        if self.plain.for_each_word(piece, &mut each) {
            return;
        }
        if piece.len() <= PART {
            return self.for_each_word_of_whole(piece, each);
        }
        self.long.for_each(piece, PART, true, |item| match item {
            Item::Word(word) => each(word),
            Item::Token(_) => unreachable!("there is no added token"),
        });
    }

    fn for_each_word_of_whole(&self, piece: &str, mut each: impl FnMut(&str)) {
        let mut normalized = NormalizedString::from(piece);
        if let Some(normalizer) = self.pipeline.get_normalizer() {
            normalizer.normalize(&mut normalized).expect("BERT's normalizer and NFC accept any text");
        }
        let mut split = PreTokenizedString::from(normalized);
        BertPreTokenizer.pre_tokenize(&mut split).expect("BERT's pre-tokenizer accepts any text");
        for (word, _, _) in split.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            each(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_fill_a_chunk_too() {
        let mut lines = (0..1_000_000).map(|_| Ok("a".to_owned()));
        assert_eq!(read_chunk(&mut lines).unwrap().len(), CHUNK_BYTES.div_ceil(LINE_BYTES + 1));
        let mut lines = (0..10).map(|_| Ok("a".repeat(CHUNK_BYTES / 2)));
        assert_eq!(read_chunk(&mut lines).unwrap().len(), 2);
    }

    #[test]
    fn words_of_a_long_piece_are_those_of_the_whole() {
        let splitter = Splitter::new(&TrainConfig::uncased(1000));
        for unit in ["é,", "漢é한", "한국어。", "e\u{301}!", "\u{1112}\u{1161}\u{11ab}-", "[MASK]é"]
        {
            let piece = unit.repeat(3000);
            assert!(piece.len() > PART);
            let (mut parts, mut whole) = (Vec::new(), Vec::new());
            splitter.for_each_word(&piece, |word| parts.push(word.to_owned()));
            splitter.for_each_word_of_whole(&piece, |word| whole.push(word.to_owned()));
            assert!(parts == whole, "{unit}: {} and {} words", parts.len(), whole.len());
        }
        // One that is too long may be cut, and is too long still.
        let mut lengths = Vec::new();
        splitter.for_each_word(&"é".repeat(5000), |word| lengths.push(word.chars().count()));
        assert!(lengths.len() == 1 && lengths[0] > MAX_WORD_CHARS, "{lengths:?}");
    }
}
