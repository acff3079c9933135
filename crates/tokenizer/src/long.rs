//! Long pieces, such as lines of a script that has no spaces, in memory that does not grow with them: the library takes a
//! hundred times their length.

use std::collections::BTreeSet;

use ahash::AHashMap;
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer,
};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::pipeline::{Pipeline, types};

/// Bytes of a piece that are given to the library at once.
pub(crate) const PART: usize = 4096;

/// BERT's pipeline, alone or followed by NFC, over a part of a text at a time. Only for pipelines that
/// [`is_piecewise`](crate::pipeline::is_piecewise) knows.
#[derive(Debug, Clone)]
pub(crate) struct Long {
    bert: Option<NormalizerWrapper>,
    recomposes: bool,
    added: Added,
    /// Characters of a word; a longer one is unknown whatever is in it.
    most: usize,
}

/// What a text consists of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'t> {
    /// A word, normalized. One that is too long to be known is cut, and still too long.
    Word(&'t str),
    /// An added token.
    Token(u32),
}

impl Long {
    pub(crate) fn new(pipeline: &Pipeline) -> Self {
        let bert = match pipeline.get_normalizer() {
            Some(NormalizerWrapper::Sequence(sequence)) => sequence.as_ref().first().cloned(),
            other => other.cloned(),
        };
        Self {
            bert,
            recomposes: types(pipeline.get_normalizer()).last().is_some_and(|last| last == "NFC"),
            added: Added::new(pipeline),
            most: pipeline.get_model().max_input_chars_per_word,
        }
    }

    /// Hands over the items of a text, which is taken in parts of about `size` bytes. With `special_as_text` special tokens
    /// are text.
    pub(crate) fn for_each(
        &self,
        text: &str,
        size: usize,
        special_as_text: bool,
        mut each: impl FnMut(Item<'_>),
    ) {
        let mut rest = text;
        while let Some((start, end, id)) = self.added.first(rest, special_as_text) {
            self.words(&rest[..start], size, &mut |word| each(Item::Word(word)));
            each(Item::Token(id));
            rest = &rest[end..];
        }
        self.words(rest, size, &mut |word| each(Item::Word(word)));
    }

    /// The words of a text without added tokens.
    fn words(&self, text: &str, size: usize, each: &mut impl FnMut(&str)) {
        let mut words = Words { most: self.most, unfinished: String::new() };
        let mut composable = Composable::new(size, self.most);
        let mut rest = text;
        while !rest.is_empty() {
            // What BERT's normalizer does to a character does not depend on those beside it.
            let end = rest.ceil_char_boundary(size);
            let part = normalized(self.bert.as_ref(), &rest[..end]);
            rest = &rest[end..];
            if self.recomposes {
                composable.push(&part);
                if let Some(part) = composable.take(rest.is_empty()) {
                    words.read(&normalized(Some(&NFC.into()), &part), each);
                }
            } else {
                words.read(&part, each);
            }
        }
        words.finish(each);
    }
}

fn normalized(normalizer: Option<&NormalizerWrapper>, text: &str) -> String {
    let mut text = NormalizedString::from(text);
    if let Some(normalizer) = normalizer {
        normalizer.normalize(&mut text).expect("loading refuses normalizers that can fail");
    }
    text.get().to_owned()
}

/// Text that waits for what composes with its end.
struct Composable {
    text: String,
    /// Bytes of the text in which no place to cut it was found.
    searched: usize,
    /// Bytes without such a place after which the text is cut all the same.
    longest: usize,
    size: usize,
}

impl Composable {
    /// Marks and jamo that compose with one another are two for one at most, and none of them ends a word: a word of so
    /// many has too many characters wherever it is cut.
    fn new(size: usize, most: usize) -> Self {
        let longest = most.saturating_add(2).saturating_mul(16).max(size);
        Self { text: String::new(), searched: 0, longest, size }
    }

    fn push(&mut self, part: &str) {
        self.text.push_str(part);
    }

    /// As much as composes with nothing that is still to come.
    fn take(&mut self, is_end: bool) -> Option<String> {
        if is_end {
            self.searched = 0;
            return Some(std::mem::take(&mut self.text));
        }
        if self.text.len() < self.size {
            return None;
        }
        let from = self.text.floor_char_boundary(self.searched);
        let place = self.text[from..].char_indices().rev().find(|(_, c)| begins(*c));
        let place = place.map(|(offset, _)| from + offset).filter(|place| *place > 0);
        self.searched = self.text.len();
        let end = place.or_else(|| (self.text.len() > self.longest).then_some(self.text.len()))?;
        let rest = self.text.split_off(end);
        self.searched = 0;
        Some(std::mem::replace(&mut self.text, rest))
    }
}

/// Whether a character composes with nothing before it, as all but marks, the vowels and final consonants of Hangul, and
/// vowels of Kirat Rai.
fn begins(c: char) -> bool {
    let joins = matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}' | '\u{16d40}'..='\u{16d7f}');
    !joins && c.general_category_group() != GeneralCategoryGroup::Mark
}

/// Words of a normalized text that comes in parts.
struct Words {
    most: usize,
    /// The beginning of a word that the end of a part may have cut.
    unfinished: String,
}

impl Words {
    fn read(&mut self, part: &str, each: &mut impl FnMut(&str)) {
        let splits = split(part);
        for (text, (start, end), _) in splits.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            let is_word = is_word(text);
            if start > 0 || !is_word {
                self.finish(each);
            }
            let is_whole = end < part.len() && self.unfinished.is_empty();
            if !is_word || is_whole {
                each(text);
            } else {
                self.unfinished.push_str(text);
                self.shorten();
                if end < part.len() {
                    self.finish(each);
                }
            }
        }
        if part.chars().next_back().is_some_and(char::is_whitespace) {
            self.finish(each);
        }
    }

    /// A word that is too long stays so.
    fn shorten(&mut self) {
        let too_long = self.most.saturating_add(1);
        if self.unfinished.len() > too_long
            && let Some((end, _)) = self.unfinished.char_indices().nth(too_long)
        {
            self.unfinished.truncate(end);
        }
    }

    fn finish(&mut self, each: &mut impl FnMut(&str)) {
        if !self.unfinished.is_empty() {
            each(&self.unfinished);
            self.unfinished.clear();
        }
    }
}

fn split(text: &str) -> PreTokenizedString {
    let mut splits = PreTokenizedString::from(text);
    BertPreTokenizer.pre_tokenize(&mut splits).expect("splitting at characters cannot fail");
    splits
}

/// Whether what the pre-tokenizer has split off is a word: else it is a mark, which is split off from words.
fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_alphanumeric() => {
            split(&format!("a{c}")).get_splits(OffsetReferential::Original, OffsetType::Byte).len() == 1
        }
        _ => true,
    }
}

/// Tokens that are looked for in a text before it is normalized.
#[derive(Debug, Clone)]
struct Added {
    /// With their ids, and whether they are special.
    tokens: AHashMap<String, (u32, bool)>,
    begins: [bool; 256],
    /// Their lengths in bytes, the longest first.
    lengths: Vec<usize>,
}

impl Added {
    fn new(pipeline: &Pipeline) -> Self {
        let added = pipeline.get_added_tokens_decoder();
        let added = added.iter().filter(|(_, token)| !token.content.is_empty());
        let tokens: AHashMap<String, (u32, bool)> =
            added.map(|(id, token)| (token.content.clone(), (*id, token.special))).collect();
        let mut begins = [false; 256];
        tokens.keys().for_each(|token| begins[usize::from(token.as_bytes()[0])] = true);
        let lengths: BTreeSet<usize> = tokens.keys().map(String::len).collect();
        Self { tokens, begins, lengths: lengths.into_iter().rev().collect() }
    }

    /// The first of them in a text, and of those that begin there the longest: where it begins and ends, and its id.
    fn first(&self, text: &str, special_as_text: bool) -> Option<(usize, usize, u32)> {
        let mut start = 0;
        while start < text.len() {
            if !self.begins[usize::from(text.as_bytes()[start])] {
                start += 1;
                continue;
            }
            let ends = self.lengths.iter().map(|length| start + length);
            let found = ends.filter_map(|end| Some((end, *self.tokens.get(text.get(start..end)?)?))).next();
            match found {
                Some((end, (id, is_special))) if !(is_special && special_as_text) => {
                    return Some((start, end, id));
                }
                // The library goes on behind what it has found, though it is text.
                Some((end, _)) => start = end,
                None => start += 1,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tokenizer;
    use crate::pipeline::Normalization;

    /// However long a run of characters without a place to cut it is, no part is longer than a few times its size.
    #[test]
    fn parts_stay_small() {
        for c in [
            '\u{301}',
            '\u{1161}',
            '\u{11a8}',
            'é',
            '漢',
            ',',
            ' ',
            '😀',
            '\u{200d}',
            'ㄱ',
            '\u{0bbe}',
            '\u{16d67}',
        ] {
            let mut composable = Composable::new(64, 100);
            let mut taken = 0;
            for _ in 0..1000 {
                composable.push(&c.to_string().repeat(20));
                if let Some(part) = composable.take(false) {
                    taken += part.len();
                }
                assert!(composable.text.len() < 2000, "{c:?}: {}", composable.text.len());
            }
            assert!(taken > 0, "{c:?}");
        }
    }

    #[test]
    fn a_word_that_is_too_long_is_cut_and_still_too_long() {
        let tokenizer =
            Tokenizer::from_vocab(&["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"], true).unwrap();
        let long = Long::new(&tokenizer.pipeline);
        let mut lengths = Vec::new();
        long.for_each(&format!("{},é{}", "é".repeat(5000), "ㅏ".repeat(5000)), 64, false, |item| match item
        {
            Item::Word(word) => lengths.push(word.chars().count()),
            Item::Token(id) => panic!("{id}"),
        });
        assert!(lengths.len() == 3 && lengths[1] == 1, "{lengths:?}");
        assert!([lengths[0], lengths[2]].iter().all(|length| (101..200).contains(length)), "{lengths:?}");
    }

    /// Runs of one character, and of two in turn, are what the library makes of them.
    #[test]
    fn long_runs_are_encoded_as_the_library_does() {
        let runs = [
            "\u{301}",
            "e\u{301}",
            "\u{1112}\u{1161}\u{11ab}",
            "\u{1161}",
            "\u{11a8}",
            "é",
            "漢",
            "漢é",
            ",",
            "。",
            "=\u{338}",
            "😀",
            "\u{200d}",
            "e\u{200d}\u{301}",
            "ㄱ",
            "\u{0b95}\u{0bbe}",
            "क्",
            "\u{16d67}",
            "한",
            "[MASK",
            "[MASK]é",
            "İ",
            "\u{a0}",
            "\u{302e}\u{301}",
            "\u{fffd}é",
            "\u{1}a\u{301}",
        ];
        let vocab = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "e", "é", "漢", ",", "한", "##한", "\u{301}", "[",
            "mask", "]",
        ];
        for lowercase in [false, true] {
            for recomposed in [false, true] {
                let mut tokenizer = Tokenizer::from_vocab(&vocab, lowercase).unwrap();
                if recomposed {
                    let normalization =
                        Normalization { lowercase, strip_accents: None, tokenize_chinese_chars: true };
                    tokenizer = tokenizer.with_normalizer(normalization.recomposed());
                }
                for run in runs {
                    for count in [1, 30, 3000] {
                        for around in [["", ""], ["e", "e"], [",", "한"]] {
                            let text = format!("{}{}{}", around[0], run.repeat(count), around[1]);
                            let found = tokenizer.encode_in_parts(&text, 256);
                            assert_eq!(
                                found,
                                tokenizer.encode_whole(&text),
                                "{run:?} {count} {around:?} {lowercase} {recomposed}"
                            );
                        }
                    }
                }
            }
        }
    }
}
