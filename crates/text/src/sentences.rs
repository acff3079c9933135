use unicode_segmentation::UnicodeSegmentation;

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
    let mut bounds = text.split_sentence_bounds().map(str::trim);
    // Not handed out as it is: its `size_hint` subtracts below zero at the end of the text.
    std::iter::from_fn(move || bounds.find(|sentence| !sentence.is_empty()))
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
}
