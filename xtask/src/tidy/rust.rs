//! Just enough of Rust's grammar to tell code from comments and literals.

/// The code of a Rust file: comments and the insides of literals are spaces, lines stay where they are.
pub(super) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    while start < chars.len() {
        let end = skipped(&chars, start);
        if end > start {
            out.extend(chars[start..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            start = end;
        } else {
            // A whole word at once, so that the `r` of a name is not taken for the start of a raw string.
            let word = chars[start..].iter().take_while(|c| is_word(**c)).count().max(1);
            out.extend(&chars[start..start + word]);
            start += word;
        }
    }
    out
}

/// Whether a character belongs to a name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Lines, counted from 1, that hold a whole word.
pub(super) fn lines_with_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let holds = move |line: &str| line.split(|c| !is_word(c)).any(|found| found == word);
    (1..).zip(code.lines()).filter(move |(_, line)| holds(line)).map(|(number, _)| number)
}

/// The end of the comment or literal that begins here, or `start` where none does.
fn skipped(chars: &[char], start: usize) -> usize {
    let rest = &chars[start..];
    match rest {
        ['/', '/', ..] => start + rest.iter().take_while(|c| **c != '\n').count(),
        ['/', '*', ..] => start + block_comment(rest),
        ['"', ..] => start + quoted(rest, 1),
        ['b' | 'c', '"', ..] => start + quoted(rest, 2),
        ['r', '"' | '#', ..] => start + raw(rest, 1),
        ['b' | 'c', 'r', '"' | '#', ..] => start + raw(rest, 2),
        ['\'', '\\', _, ..] => start + 3 + rest[3..].iter().take_while(|c| **c != '\'').count() + 1,
        // A character, unlike a lifetime, is closed after one.
        ['\'', _, '\'', ..] => start + 3,
        _ => start,
    }
    .min(chars.len())
}

/// Length of a block comment; such comments nest.
fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut start) = (0, 0);
    while start < rest.len() {
        let step = match rest[start..] {
            ['/', '*', ..] => 1,
            ['*', '/', ..] => -1,
            _ => 0,
        };
        depth += step;
        start += if step == 0 { 1 } else { 2 };
        if depth == 0 {
            break;
        }
    }
    start
}

/// Length of a string whose text begins at `start`.
fn quoted(rest: &[char], mut start: usize) -> usize {
    while start < rest.len() && rest[start] != '"' {
        start += if rest[start] == '\\' { 2 } else { 1 };
    }
    start + 1
}

/// Length of a raw string whose hashes begin at `start`, or 0 where it is a raw name such as `r#type`.
fn raw(rest: &[char], start: usize) -> usize {
    let hashes = rest[start..].iter().take_while(|c| **c == '#').count();
    if rest.get(start + hashes) != Some(&'"') {
        return 0;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let text = &rest[start + hashes + 1..];
    let length = text.windows(close.len()).position(|window| window == close).unwrap_or(text.len());
    start + hashes + 1 + length + close.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank() {
        for text in [
            "a // word\nb",
            "a /* word /* word */ word */ b",
            "a \"word \\\" word\" b",
            "a b\"word\" c\"word\" b",
            "a r\"word\" r#\"word \" word\"# br##\"word \"# word\"## b",
            "a '\\'' \"word\" '\"' \"word\" b",
            "a '\\u{1F600}' \"word\" b",
            "a \"word\nword\" b",
        ] {
            let code = code(text);
            assert!(!code.contains("word"), "{text} → {code}");
            assert!(code.starts_with('a') && code.ends_with('b'), "{text} → {code}");
            assert_eq!(code.lines().count(), text.lines().count(), "{text}");
            assert_eq!(code.chars().count(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn code_stays() {
        for text in ["fn a<'word>(r#word: &'word str) {}", "let for_r = 1; \"", "word", "attr\"s\""] {
            let expected = text.replace("\"s\"", "   ").replace('"', " ");
            assert_eq!(code(text), expected);
        }
    }

    #[test]
    fn unfinished_literals_end_with_the_file() {
        for text in ["\"a", "\"a\\", "r#\"a", "/* a", "'\\", "b'"] {
            assert_eq!(code(text).chars().count(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn words_are_whole() {
        let found: Vec<_> = lines_with_word("word_code\nword {\n(word)\nsword\n", "word").collect();
        assert_eq!(found, [2, 3]);
    }
}
