//! How numbers and lists are written. What is missing is "–"; what is not finite never gets here as it is.

use electra_analysis::Range;

/// What stands for a missing value.
pub(crate) const MISSING: &str = "–";

/// A number with so many decimals and a true minus sign; −0.0 is 0.0.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return MISSING.into();
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.into(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// Points, 0 to 100.
pub(crate) fn points(value: f64) -> String {
    number(value, 1)
}

/// Points with their sign.
pub(crate) fn signed(value: f64) -> String {
    let text = points(value);
    if value > 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        format!("+{text}")
    } else {
        text
    }
}

/// `1.0 to 5.2`.
pub(crate) fn range(range: Range) -> String {
    format!("{} to {}", points(range.low), points(range.high))
}

pub(crate) fn or_missing<T>(value: Option<T>, write: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| MISSING.into(), write)
}

/// A probability without its leading zero: `.031`, `< .001`.
pub(crate) fn p(value: f64) -> String {
    if !value.is_finite() {
        MISSING.into()
    } else if value < 0.001 {
        "<\u{a0}.001".into()
    } else if value > 0.9995 {
        "1".into()
    } else {
        number(value, 3).trim_start_matches('0').into()
    }
}

/// A share as a percentage of at most two decimals: `6.25 %`.
pub(crate) fn percent(share: f64) -> String {
    let text = number(100.0 * share, 2);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}\u{a0}%")
}

/// A probability that was found by drawing, in whole percent: `64 %`, `> 99 %`.
pub(crate) fn probability(share: f64) -> String {
    match 100.0 * share {
        percent if percent > 99.0 => ">\u{a0}99\u{a0}%".into(),
        percent if percent < 1.0 => "<\u{a0}1\u{a0}%".into(),
        percent => format!("{}\u{a0}%", number(percent, 0)),
    }
}

/// A count with its digits in groups of three.
#[must_use]
pub fn count(value: f64) -> String {
    let digits = number(value, 0);
    let sign = if digits.starts_with('−') { "−" } else { "" };
    let bare = digits.trim_start_matches('−');
    if !bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits;
    }
    let mut grouped = String::from(sign);
    for (index, digit) in bare.chars().enumerate() {
        if index > 0 && (bare.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A value of a setting: a whole number with its digits in groups, any other as it is.
pub(crate) fn size(value: f64) -> String {
    if value.fract() == 0.0 { count(value) } else { value.to_string().replace('-', "−") }
}

/// A large number as `1.42 × 10¹⁸`; below 100,000 as it is.
pub(crate) fn scientific(value: f64) -> String {
    if value.abs() < 1e5 || !value.is_finite() {
        return count(value);
    }
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{} × 10{}", digits.replace('-', "−"), superscript(exponent)),
        None => text,
    }
}

/// `10¹⁵`, `3·10¹⁵`, `1.5·10¹⁵`: the marks of a logarithmic axis.
pub(crate) fn tick(value: f64) -> String {
    let text = format!("{value:.2e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    match digits.trim_end_matches('0').trim_end_matches('.') {
        "1" => format!("10{}", superscript(exponent)),
        digits => format!("{digits}·10{}", superscript(exponent)),
    }
}

fn superscript(digits: &str) -> String {
    let raised = |digit| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' => '⁰',
        digit => char::from_u32('⁰' as u32 + (digit as u32).wrapping_sub('0' as u32)).unwrap_or(digit),
    };
    digits.chars().map(raised).collect()
}

/// `41 s`, `12 min`, `1 h 05 min`, `3 d 4 h`.
pub(crate) fn time(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return MISSING.into();
    }
    let whole = seconds.round() as u64;
    let minutes = (seconds / 60.0).round() as u64;
    match whole {
        0..100 => format!("{whole} s"),
        100..3570 => format!("{minutes} min"),
        3570..172_800 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// `A`, `A and B`, `A, B and C`.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [before @ .., last] => {
            let before: Vec<&str> = before.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", before.join(", "), last.as_ref())
        }
    }
}

/// Small numbers as words.
pub(crate) fn word(number: usize) -> String {
    const WORDS: [&str; 11] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.get(number).map_or_else(|| number.to_string(), |word| (*word).into())
}

/// `1 seed`, `3 seeds`.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The text with its first letter as a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The sentence with exactly one full stop at its end, if it has no other mark there.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', '。', '！', '？', '…', '।']) {
        text.into()
    } else {
        format!("{text}.")
    }
}

/// The least and the greatest, none of nothing.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |extent, value| match extent {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_readers() {
        assert_eq!(
            (number(-0.04, 1), number(-1.25, 2), number(f64::NAN, 1)),
            ("0.0".into(), "−1.25".into(), "–".into())
        );
        assert_eq!((signed(0.04), signed(0.06), signed(-3.0)), ("0.0".into(), "+0.1".into(), "−3.0".into()));
        assert_eq!(
            (p(0.0312), p(0.0004), p(1.0), p(0.0)),
            (".031".into(), "<\u{a0}.001".into(), "1".into(), "<\u{a0}.001".into())
        );
        assert_eq!(
            (percent(0.0625), percent(1.0), percent(0.5)),
            ("6.25\u{a0}%".into(), "100\u{a0}%".into(), "50\u{a0}%".into())
        );
        assert_eq!(
            (probability(0.641), probability(0.9999), probability(0.0)),
            ("64\u{a0}%".into(), ">\u{a0}99\u{a0}%".into(), "<\u{a0}1\u{a0}%".into())
        );
        assert_eq!(
            (count(1_234_567.0), count(-1000.0), count(999.0)),
            ("1,234,567".into(), "−1,000".into(), "999".into())
        );
        assert_eq!(
            (scientific(1.419e18), scientific(2e-3), tick(1e15)),
            ("1.42 × 10¹⁸".into(), "0".into(), "10¹⁵".into())
        );
        assert_eq!((tick(3e-7), tick(1.5e12)), ("3·10⁻⁷".into(), "1.5·10¹²".into()));
        assert_eq!(
            (time(41.2), time(725.0), time(3900.0), time(270_000.0)),
            ("41 s".into(), "12 min".into(), "1 h 05 min".into(), "3 d 3 h".into())
        );
        assert_eq!(time(3599.0), "1 h 00 min");
    }

    #[test]
    fn lists_are_written_for_readers() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(
            (list(&["A"]), list(&["A", "B"]), list(&["A", "B", "C"])),
            ("A".into(), "A and B".into(), "A, B and C".into())
        );
        assert_eq!(
            (word(5), word(28), plural(1, "seed"), plural(2, "seed")),
            ("five".into(), "28".into(), "1 seed".into(), "2 seeds".into())
        );
        assert_eq!(
            (sentence(" no stop "), sentence("there!"), sentence("")),
            ("no stop.".into(), "there!".into(), String::new())
        );
    }
}
