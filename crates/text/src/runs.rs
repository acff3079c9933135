//! Long runs of brackets and spaces behind a period, which Annex #29 reads through at every character.
//!
//! Rule SB8 asks, at each character of `ATerm Close* Sp*`, whether the next letter is a small one, and
//! `unicode-segmentation` looks for that letter anew each time: a line of a period and 200,000 brackets takes
//! minutes. All but the first `Close` and the first `Sp` of such a run change nothing in the rules' state and
//! are passed over by SB8, and so is whatever rule SB5 ignores. They are therefore taken out before the
//! boundaries are found, none of which lies in front of them.

use unicode_segmentation::UnicodeSegmentation;

/// Characters without effect that a run may keep: fewer are not worth a copy of the text.
const KEPT: usize = 32;
/// The property `ATerm`: a period, or what may be one.
const PERIODS: [char; 4] = ['.', '\u{2024}', '\u{fe52}', '\u{ff0e}'];

/// A text without the characters that have no effect on its boundaries.
pub(crate) struct Shortened {
    text: String,
    /// Where bytes were taken out, in the shortened text, and how many up to there in all.
    gaps: Vec<(usize, usize)>,
}

impl Shortened {
    /// `None` if no run of the text is long enough.
    pub(crate) fn new(text: &str) -> Option<Self> {
        Self::beyond(text, KEPT)
    }

    fn beyond(text: &str, limit: usize) -> Option<Self> {
        let mut shortened = Self { text: String::new(), gaps: Vec::new() };
        let mut copied = 0;
        let mut removed = 0;
        let mut position = 0;
        while let Some(found) = text[position..].find(PERIODS) {
            // All of them are followed on a character's boundary; the run decides how far to go on.
            let start = position + found + text[position + found..].chars().next().map_or(1, char::len_utf8);
            let run = Run::beginning(&text[start..]);
            position = start + run.length;
            if run.idle.len() <= limit {
                continue;
            }
            for (offset, length) in run.idle {
                shortened.text.push_str(&text[copied..start + offset]);
                copied = start + offset + length;
                removed += length;
                shortened.gaps.push((shortened.text.len(), removed));
            }
        }
        if removed == 0 {
            return None;
        }
        shortened.text.push_str(&text[copied..]);
        Some(shortened)
    }

    /// The ends of the whole text's sentences, in bytes.
    pub(crate) fn ends(&self) -> Vec<usize> {
        let mut gaps = self.gaps.iter().peekable();
        let mut removed = 0;
        let mut end = 0;
        let mut ends = Vec::new();
        for sentence in self.text.split_sentence_bounds() {
            end += sentence.len();
            while let Some((_, total)) = gaps.next_if(|(position, _)| *position <= end) {
                removed = *total;
            }
            ends.push(end + removed);
        }
        ends
    }
}

/// What follows a period: `Close* Sp*`, with anything in between that SB5 ignores.
struct Run {
    length: usize,
    /// Offset and length of each character without effect.
    idle: Vec<(usize, usize)>,
}

impl Run {
    fn beginning(text: &str) -> Self {
        let mut run = Self { length: 0, idle: Vec::new() };
        let mut last = Kind::Ignored;
        let mut known = None;
        for character in text.chars() {
            // Adversarial runs are of few kinds, mostly of one.
            let kind = match known {
                Some((known, kind)) if known == character => kind,
                _ => Kind::new(character),
            };
            known = Some((character, kind));
            match (last, kind) {
                (_, Kind::Other) | (Kind::Space, Kind::Close) => break,
                (_, Kind::Ignored) | (Kind::Close, Kind::Close) | (Kind::Space, Kind::Space) => {
                    run.idle.push((run.length, character.len_utf8()));
                }
                _ => last = kind,
            }
            run.length += character.len_utf8();
        }
        run
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Close,
    Space,
    /// `Extend` and `Format`.
    Ignored,
    Other,
}

impl Kind {
    fn new(character: char) -> Self {
        match character {
            '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' => Self::Close,
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Self::Other,
            _ if character.is_whitespace() => Self::Space,
            // Most of what follows a period and its spaces: ASCII, kana, Han, Hangul.
            '\0'..='\x7f' | 'ぁ'..='ゖ' | '一'..='鿿' | '가'..='힣' => Self::Other,
            _ if PERIODS.contains(&character) => Self::Other,
            _ => Self::probed(character),
        }
    }

    /// The library keeps its tables to itself, but where it splits tells the property.
    fn probed(character: char) -> Self {
        let first = |behind: char| {
            let mut text = String::from("5.");
            text.extend([character, behind]);
            text.split_sentence_bounds().next().map_or(0, str::len)
        };
        let whole = 3 + character.len_utf8();
        // Before a capital, a sentence ends behind these alone; before a small letter it goes on (SB8), which
        // sets them apart from `STerm`; and a digit right behind the period goes on as well (SB6).
        if first('B') != whole - 1 || first('b') != whole {
            Self::Other
        } else if first('5') == whole {
            Self::Ignored
        } else {
            Self::Close
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn direct(text: &str) -> Vec<usize> {
        text.split_sentence_bounds()
            .scan(0, |end, sentence| {
                *end += sentence.len();
                Some(*end)
            })
            .collect()
    }

    fn check(text: &str) {
        if let Some(shortened) = Shortened::beyond(text, 0) {
            assert_eq!(shortened.ends(), direct(text), "{text:?}");
        }
    }

    #[test]
    fn kinds_are_those_of_the_annex() {
        for (kind, characters) in [
            (Kind::Close, "\")]»“”「』)❝"),
            (Kind::Space, " \t\u{a0}\u{3000}\u{2009}"),
            (Kind::Ignored, "\u{301}\u{200d}\u{ad}\u{93e}\u{feff}"),
            (Kind::Other, "\n.!?。।؟,-5aZ가天é\u{2024}٣;"),
        ] {
            for character in characters.chars() {
                assert_eq!(Kind::new(character), kind, "{character:?}");
            }
        }
    }

    #[test]
    fn ordinary_text_is_not_touched() {
        for text in
            ["He left. She stayed.", "그가 갔다. 그녀는 남았다.", "아. (하) \"다.\" ...", "3.14 m (ca.)  x"]
        {
            assert!(Shortened::new(&text.repeat(50)).is_none(), "{text}");
        }
    }

    #[test]
    fn boundaries_are_the_librarys() {
        for text in [
            "a.)))5",
            "a.)))b",
            "a.   B",
            "a.))  ))B",
            "a.\u{301}\u{301}5",
            "a.)\u{301}) \u{301} b. ))",
            "A.\u{200d}))B",
        ] {
            check(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn boundaries_are_the_librarys_for_any_mixture(text in "[aB5.!。 )»\u{301}\u{200d},\n가天\u{3000}।\u{2024}-]{0,40}") {
            check(&text);
        }

        #[test]
        fn boundaries_are_the_librarys_for_any_text(text in "(\\PC{0,3}[.]\\PC{0,3}[) ]{0,3}){0,6}") {
            check(&text);
        }
    }
}
