//! Scores of answers that are spans of text, as SQuAD has them (Rajpurkar et al. 2016; 2018 for questions without an
//! answer), for any language.
//!
//! Answers are compared as words: in lower case, without punctuation, without the `articles`, whatever the spaces
//! between. `articles` are the words to leave out in the language at hand (`a`, `an` and `the` in SQuAD's English);
//! there may be none. Punctuation is ASCII's, as in SQuAD's own program, and all that Unicode calls so. A character of
//! a script without spaces (Han, kana, Thai, Lao, Burmese, Khmer) is a word of its own, as MLQA (Lewis et al. 2020)
//! has it for Chinese; otherwise a sentence would be one word, right or wrong as a whole.
//!
//! For ASCII text both scores are those of SQuAD's program.

use std::collections::HashMap;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// 1 if the answer is one of the right ones, 0 if not.
///
/// A question without right answers, or with empty ones only, has the empty answer.
#[must_use]
pub fn exact_match<L: AsRef<str>, A: AsRef<str>>(answer: &str, labels: &[L], articles: &[A]) -> f64 {
    best(answer, labels, articles, |answer, label| f64::from(u8::from(answer == label)))
}

/// The harmonic mean of the share of the answer's words that are right and the share of the right words that it has,
/// for the right answer where it is greatest. A word counts as often as it occurs in both.
///
/// A question without right answers, or with empty ones only, has the empty answer, which scores 1, and any other
/// 0.
#[must_use]
pub fn token_f1<L: AsRef<str>, A: AsRef<str>>(answer: &str, labels: &[L], articles: &[A]) -> f64 {
    best(answer, labels, articles, shared)
}

fn best<L: AsRef<str>, A: AsRef<str>>(
    answer: &str,
    labels: &[L],
    articles: &[A],
    score: impl Fn(&[String], &[String]) -> f64,
) -> f64 {
    let articles: Vec<String> = articles.iter().map(|article| plain(article.as_ref())).collect();
    let answer = words(answer, &articles);
    // A right answer of which nothing is left is none, as in SQuAD's program.
    let labels =
        labels.iter().map(|label| words(label.as_ref(), &articles)).filter(|label| !label.is_empty());
    let best = labels.map(|label| score(&answer, &label)).reduce(f64::max);
    best.unwrap_or_else(|| score(&answer, &[]))
}

fn shared(answer: &[String], label: &[String]) -> f64 {
    // Two that are empty share nothing, and are the same.
    if answer == label {
        return 1.0;
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in label {
        *left.entry(word).or_default() += 1;
    }
    let mut both = 0;
    for word in answer {
        if let Some(count) = left.get_mut(word.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            both += 1;
        }
    }
    2.0 * f64::from(both) / (answer.len() + label.len()) as f64
}

/// The words of a text in the form in which they are compared.
fn words(text: &str, articles: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for spaced in
        plain(text).split_whitespace().filter(|word| !articles.iter().any(|article| article == word))
    {
        let mut word = String::new();
        for character in spaced.chars() {
            if is_unspaced(character) {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                words.push(character.into());
            } else {
                word.push(character);
            }
        }
        words.extend((!word.is_empty()).then_some(word));
    }
    words
}

/// Lower case, no punctuation.
fn plain(text: &str) -> String {
    text.to_lowercase().chars().filter(|character| !is_punctuation(*character)).collect()
}

/// ASCII's punctuation has symbols, such as `$`, that Unicode does not call so.
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || (!character.is_ascii() && character.general_category_group() == GeneralCategoryGroup::Punctuation)
}

/// Of a script that puts no spaces between words, by Unicode's blocks.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' // Burmese
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}' // Han: repetition, zero
        | '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' // kana
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' // Han
        | '\u{20000}'..='\u{3FFFF}' // Han: the planes kept for it
    )
}

#[cfg(test)]
mod tests {
    use super::{exact_match, token_f1};

    const ENGLISH: &[&str] = &["a", "an", "the"];
    const NONE: &[&str] = &[];

    #[test]
    fn case_punctuation_spaces_and_articles_do_not_count() {
        assert_eq!(exact_match("The  Broncos,", &["Denver", "broncos"], ENGLISH), 1.0);
        assert_eq!(exact_match("The Broncos", &["broncos"], NONE), 0.0);
        assert_eq!(exact_match("anthem", &["them"], ENGLISH), 0.0);
        assert_eq!(exact_match("«DER ÄRGER» – fort…", &["ärger fort"], &["Der", "die"]), 1.0);
        assert_eq!(exact_match("$5", &["5"], NONE), 1.0);
        assert_eq!(exact_match("20 €", &["20"], NONE), 0.0);
    }

    #[test]
    fn shared_words_count_as_often_as_both_have_them() {
        // 2 of 3 are right, of 4 there are 2.
        assert_eq!(token_f1("new new york", &["york new jersey old"], NONE), 2.0 * 2.0 / 7.0);
        assert_eq!(token_f1("new york", &["boston", "york"], NONE), 2.0 / 3.0);
        assert_eq!(token_f1("chicago", &["boston", "york"], NONE), 0.0);
    }

    #[test]
    fn without_an_answer_the_empty_one_is_right() {
        for score in [exact_match::<&str, &str>, token_f1::<&str, &str>] {
            assert_eq!(score("", &[], ENGLISH), 1.0);
            assert_eq!(score(" – the", &[""], ENGLISH), 1.0);
            assert_eq!(score("york", &[], ENGLISH), 0.0);
            assert_eq!(score("", &["york"], ENGLISH), 0.0);
        }
    }

    #[test]
    fn scripts_without_spaces_have_words_of_one_character() {
        assert_eq!(token_f1("北京大学", &["北京"], NONE), 2.0 * 2.0 / 6.0);
        assert_eq!(token_f1("2008年。", &["2008"], NONE), 2.0 / 3.0);
        assert_eq!(token_f1("2008年", &["年"], NONE), 2.0 / 3.0);
        assert_eq!(exact_match("2008年", &["年2008"], NONE), 0.0);
        assert_eq!(exact_match("กรุงเทพ", &["กรุง เทพ"], NONE), 1.0);
    }
}
