//! A short way for most pieces of most texts: ASCII and Hangul syllables, on which BERT's normalizer does
//! next to nothing.

use std::borrow::Cow;

use serde_json::json;

use crate::pipeline::{Pipeline, as_json, is_piecewise, types};

/// What a pipeline does to visible ASCII characters and Hangul syllables.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    lowercase: bool,
    /// Whether syllables come out as they went in.
    hangul: bool,
    /// ASCII characters that begin an added token, which the library must look for.
    begins_token: [bool; 128],
}

impl Plain {
    /// `None` if the pipeline is not BERT's, alone or followed by NFC.
    ///
    /// In BERT's pipeline visible ASCII is neither removed nor spaced nor decomposed, and only its capitals
    /// change. A syllable is not a capital either, and stays as it is unless it is decomposed and not composed
    /// again. Without combining marks and single jamo in a piece nothing composes across characters. Of
    /// these characters, ASCII punctuation alone splits words.
    pub(crate) fn new(pipeline: &Pipeline) -> Option<Self> {
        if !is_piecewise(pipeline) {
            return None;
        }
        let normalizer = as_json(pipeline.get_normalizer()?);
        let bert = normalizer.get("normalizers").map_or(&normalizer, |parts| &parts[0]);
        let lowercase = bert["lowercase"] == json!(true);
        let strips = bert["strip_accents"].as_bool().unwrap_or(lowercase);
        let recomposes = types(pipeline.get_normalizer()).last().is_some_and(|last| last == "NFC");
        let mut plain = Self { lowercase, hangul: !strips || recomposes, begins_token: [false; 128] };
        for token in pipeline.get_added_tokens_decoder().values() {
            match token.content.chars().next() {
                Some(first) if first.is_ascii() => plain.begins_token[first as usize] = true,
                Some(first) if is_syllable(first) => plain.hangul = false,
                _ => {}
            }
        }
        Some(plain)
    }

    /// Hands over the words of a piece, normalized; `false`, before the first, if the piece is not plain.
    pub(crate) fn for_each_word(&self, piece: &str, mut each: impl FnMut(&str)) -> bool {
        let is_plain = |char: char| match char {
            '!'..='~' => !self.begins_token[char as usize],
            _ => self.hangul && is_syllable(char),
        };
        if !piece.chars().all(is_plain) {
            return false;
        }
        let has_capitals = self.lowercase && piece.bytes().any(|byte| byte.is_ascii_uppercase());
        let piece = if has_capitals { Cow::Owned(piece.to_ascii_lowercase()) } else { Cow::Borrowed(piece) };
        let mut start = 0;
        for (position, byte) in piece.bytes().enumerate() {
            if byte.is_ascii_punctuation() {
                if start < position {
                    each(&piece[start..position]);
                }
                each(&piece[position..=position]);
                start = position + 1;
            }
        }
        if start < piece.len() {
            each(&piece[start..]);
        }
        true
    }
}

fn is_syllable(char: char) -> bool {
    ('가'..='힣').contains(&char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tokenizer;

    const VOCAB: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    fn words(lowercase: bool, piece: &str) -> Option<Vec<String>> {
        let tokenizer = Tokenizer::from_vocab(&VOCAB, lowercase).unwrap();
        let mut words = Vec::new();
        let plain = Plain::new(&tokenizer.pipeline).unwrap();
        plain.for_each_word(piece, |word| words.push(word.to_owned())).then_some(words)
    }

    #[test]
    fn ascii_is_split_at_punctuation_and_lower_cased() {
        let expected = ["(", "don", "'", "t", "-", "-", "x1", ")"].map(str::to_owned);
        assert_eq!(words(true, "(Don't--X1)").unwrap(), expected);
        assert_eq!(words(false, "Don't").unwrap()[0], "Don");
    }

    #[test]
    fn what_takes_more_is_left_to_the_library() {
        for piece in ["é", "a[MASK]", "漢", "a\u{7f}", "e\u{301}", "ㄱ"] {
            assert_eq!(words(true, piece), None, "{piece}");
        }
        // Uncased BERT takes syllables apart.
        assert_eq!(words(true, "비"), None);
        assert_eq!(words(false, "비.").unwrap(), ["비", "."]);
    }
}
