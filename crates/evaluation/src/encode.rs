//! Texts as rows of ids.
//!
//! `[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`, the second with its separator being segment 1.
//! What is too long loses tokens at the ends as transformers' `longest_first` takes them: from the longer of
//! the two until both are equally long, then from both.

use std::ops::Range;

use electra_tokenizer::Tokenizer;

use crate::batches::Row;

/// A row of one text or two, of at most `max_length` tokens.
pub(crate) fn sequence(
    tokenizer: &Tokenizer,
    first: &[u32],
    second: Option<&[u32]>,
    max_length: usize,
) -> Row {
    let special = tokenizer.special();
    let (length, second_length) = match second {
        Some(second) => longest_first(first.len(), second.len(), max_length - 3),
        None => (first.len().min(max_length - 2), 0),
    };
    let mut input_ids = Vec::with_capacity(length + second_length + 3);
    input_ids.push(special.cls);
    input_ids.extend(&first[..length]);
    input_ids.push(special.sep);
    let begin = input_ids.len();
    if let Some(second) = second {
        input_ids.extend(&second[..second_length]);
        input_ids.push(special.sep);
    }
    Row { input_ids, second: begin }
}

/// How many tokens of two texts are left where `capacity` fit.
///
/// The longer is cut to what the shorter leaves; if it would become the shorter by that, both get half, and
/// the one that was longer (of equals the second) gets the odd token.
fn longest_first(first: usize, second: usize, capacity: usize) -> (usize, usize) {
    let (short, long) = (first.min(second), first.max(second));
    if short + long <= capacity {
        return (first, second);
    }
    let left = capacity.saturating_sub(short);
    let (short, long) = if left > short { (short, left) } else { (capacity / 2, capacity - capacity / 2) };
    if first > second { (long, short) } else { (short, long) }
}

/// Words in rows of at most `max_length` tokens, none of them cut in two: for each row its first word's
/// number, the row, and the position of each word's first token. A word of more tokens than a row has room
/// for loses the rest; one without any becomes `[UNK]`.
pub(crate) fn words(
    tokenizer: &Tokenizer,
    words: &[String],
    max_length: usize,
) -> Vec<(usize, Row, Vec<usize>)> {
    let special = tokenizer.special();
    let capacity = max_length - 2;
    let mut rows = Vec::new();
    let mut open: Option<(usize, Vec<u32>, Vec<usize>)> = None;
    let mut close = |(first, mut input_ids, positions): (usize, Vec<u32>, Vec<usize>)| {
        input_ids.push(special.sep);
        let second = input_ids.len();
        rows.push((first, Row { input_ids, second }, positions));
    };
    for (number, word) in words.iter().enumerate() {
        let mut ids = tokenizer.encode(word);
        if ids.is_empty() {
            ids.push(special.unk);
        }
        ids.truncate(capacity);
        if let Some(full) = open.take_if(|(_, row, _)| row.len() - 1 + ids.len() > capacity) {
            close(full);
        }
        let (_, row, positions) = open.get_or_insert_with(|| (number, vec![special.cls], Vec::new()));
        positions.push(row.len());
        row.extend(ids);
    }
    if let Some(last) = open {
        close(last);
    }
    rows
}

/// A text in pieces whose tokens are known: the smallest parts of it that an answer can begin or end at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces {
    /// The ids of the whole text.
    pub(crate) ids: Vec<u32>,
    /// For each id, the bytes of the piece that it belongs to.
    pub(crate) bytes: Vec<Range<usize>>,
}

impl Pieces {
    /// Words between white space, cut further where letters and digits meet other characters if the tokens
    /// stay the same by that. So no offsets of the tokenizer are needed, and no language is assumed.
    pub(crate) fn new(tokenizer: &Tokenizer, text: &str) -> Self {
        let mut pieces = Self::default();
        let mut rest = 0;
        for word in text.split_whitespace() {
            let begin = rest + text[rest..].find(word).expect("the word is a part of the rest");
            rest = begin + word.len();
            let whole = tokenizer.encode(word);
            let parts = parts(word);
            let encoded: Vec<Vec<u32>> =
                parts.iter().map(|part| tokenizer.encode(&word[part.clone()])).collect();
            if encoded.concat() == whole {
                for (part, ids) in parts.into_iter().zip(encoded) {
                    pieces.push(&ids, begin + part.start..begin + part.end);
                }
            } else {
                pieces.push(&whole, begin..rest);
            }
        }
        pieces
    }

    fn push(&mut self, ids: &[u32], bytes: Range<usize>) {
        self.ids.extend(ids);
        self.bytes.extend(ids.iter().map(|_| bytes.clone()));
    }

    /// The first and the last id of what overlaps these bytes.
    pub(crate) fn overlapping(&self, bytes: &Range<usize>) -> Option<(usize, usize)> {
        let overlaps = |piece: &Range<usize>| piece.start < bytes.end && bytes.start < piece.end;
        let first = self.bytes.iter().position(overlaps)?;
        let last = self.bytes.iter().rposition(overlaps)?;
        Some((first, last))
    }
}

/// The parts of a word: runs of letters and digits, and every other character alone.
fn parts(word: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut in_run = false;
    for (start, character) in word.char_indices() {
        let end = start + character.len_utf8();
        match parts.last_mut() {
            Some(last) if in_run && character.is_alphanumeric() => last.end = end,
            _ => parts.push(start..end),
        }
        in_run = character.is_alphanumeric();
    }
    parts
}

/// A window of a text behind a question: `[CLS] question [SEP] part of the text [SEP]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) row: Row,
    /// The first id of the text that is in it.
    pub(crate) first: usize,
    /// How many are.
    pub(crate) count: usize,
    /// Where the first is in the row.
    pub(crate) begin: usize,
}

/// The windows of a text, each `stride` ids after the other, until one reaches the end (reference, `qa_tasks.py`;
/// its `doc_stride`). A question longer than half of a row is cut.
pub(crate) fn windows(
    tokenizer: &Tokenizer,
    question: &[u32],
    text: &[u32],
    max_length: usize,
    stride: usize,
) -> Vec<Window> {
    let question = &question[..question.len().min((max_length - 3) / 2)];
    let capacity = max_length - 3 - question.len();
    let mut windows = Vec::new();
    let mut first = 0;
    loop {
        let count = capacity.min(text.len() - first);
        let row = sequence(tokenizer, question, Some(&text[first..first + count]), max_length);
        windows.push(Window { begin: row.second, row, first, count });
        if first + count >= text.len() {
            return windows;
        }
        first += stride.min(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_text_is_cut_first() {
        assert_eq!(longest_first(3, 4, 10), (3, 4));
        assert_eq!(longest_first(3, 40, 10), (3, 7));
        assert_eq!(longest_first(40, 3, 10), (7, 3));
        assert_eq!(longest_first(40, 30, 11), (6, 5));
        assert_eq!(longest_first(30, 40, 11), (5, 6));
        assert_eq!(longest_first(30, 30, 11), (5, 6));
    }

    #[test]
    fn parts_are_runs_of_letters_and_single_others() {
        let words =
            |word: &str| parts(word).into_iter().map(|part| word[part].to_owned()).collect::<Vec<_>>();
        assert_eq!(words("(1066–1087),"), ["(", "1066", "–", "1087", ")", ","]);
        assert_eq!(words("größe"), ["größe"]);
    }
}
