use unicode_segmentation::UnicodeSegmentation;

use crate::runs::Shortened;

/// Texts up to this length are split as they are: even the worst of them takes no time worth saving.
const SHORT: usize = 512;

/// Splits text at the sentence boundaries of Unicode Annex #29, in any language.
///
/// Sentences are trimmed of white space, empty ones are left out, and nothing else is lost. The rules know
/// no abbreviations: `Dr. Kim` is split after the period, because a capital follows.
///
/// ```
/// use electra_text::sentences;
/// let split: Vec<_> = sentences("비가 온다. 우산을 챙겨라!  今日は雨。傘を持つ。").collect();
/// assert_eq!(split, ["비가 온다.", "우산을 챙겨라!", "今日は雨。", "傘を持つ。"]);
/// ```
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let shortened = if text.len() > SHORT { Shortened::new(text) } else { None };
    let mut bounds = match shortened {
        None => Bounds::Direct(text.split_sentence_bounds()),
        Some(shortened) => Bounds::Found { text, start: 0, ends: shortened.ends().into_iter() },
    };
    // Not handed out as it is: the library's `size_hint` subtracts below zero at the end of the text.
    std::iter::from_fn(move || bounds.find(|sentence| !sentence.is_empty()))
}

/// Where sentences end: as the library goes along, or found beforehand.
enum Bounds<'a> {
    Direct(unicode_segmentation::USentenceBounds<'a>),
    Found { text: &'a str, start: usize, ends: std::vec::IntoIter<usize> },
}

impl<'a> Iterator for Bounds<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match self {
            Self::Direct(bounds) => bounds.next().map(str::trim),
            Self::Found { text, start, ends } => {
                let end = ends.next()?;
                Some(text[std::mem::replace(start, end)..end].trim())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(sentences(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn english() {
        check(
            "It rained. \"Did it?\" Pi is 3.14 today!  Yes... it is",
            &["It rained.", "\"Did it?\"", "Pi is 3.14 today!", "Yes... it is"],
        );
    }

    #[test]
    fn korean() {
        check("비가 온다. 우산을 챙겼니? 응!", &["비가 온다.", "우산을 챙겼니?", "응!"]);
    }

    #[test]
    fn chinese() {
        check("今天下雨。带伞了吗?带了!", &["今天下雨。", "带伞了吗?", "带了!"]);
    }

    #[test]
    fn arabic() {
        check("هل تمطر اليوم؟ نعم. خذ المظلة!", &["هل تمطر اليوم؟", "نعم.", "خذ المظلة!"]);
    }

    #[test]
    fn hindi() {
        check("आज बारिश है। छाता लो। ठीक?", &["आज बारिश है।", "छाता लो।", "ठीक?"]);
    }

    #[test]
    fn nothing_but_space_is_no_sentence() {
        check(" \u{3000}\t\n", &[]);
        check("", &[]);
        assert_eq!(sentences("").size_hint().0, 0);
    }
    /// Each would take minutes if the time grew with the square of the length.
    #[test]
    fn long_runs_behind_a_period_end() {
        let long = |unit: &str| unit.repeat(300_000 / unit.chars().count());
        for run in [")", " ", "]\u{301}", "\u{301}", "\u{200d})", "\u{3000}\t", "»)"] {
            for rest in ["", "5", "b", "B", " Next one."] {
                let text = format!("a.{}{rest}", long(run));
                let glued: usize = sentences(&text).map(|sentence| sentence.chars().count()).sum();
                assert!(glued >= 2 && glued <= text.chars().count(), "{run:?} {rest:?}");
            }
        }
        let text = format!("a.{}5", long(")"));
        assert_eq!(sentences(&text).collect::<Vec<_>>(), [&text[..300_002], "5"]);
        let text = format!("a.{}b", long(" "));
        assert_eq!(sentences(&text).collect::<Vec<_>>(), [&text]);
    }
}
