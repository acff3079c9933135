//! Why settings are refused, in words: serde speaks of Rust's types, and not of where a value comes from.

use std::fmt;

use toml::de::{DeTable, DeValue};

const UNKNOWN: &str = "there is no such key";

/// A key that a table of settings cannot have, or not with this value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key, with its sections; empty if the whole is meant.
    pub key: String,
    /// Its value, if it is the value that is wrong.
    found: Option<String>,
    /// What is wrong, or what was expected of the value.
    what: String,
}

impl Refusal {
    /// What was wrong where a table, not a text, was read.
    #[must_use]
    pub fn of(error: &toml::de::Error) -> Self {
        let shown = error.to_string();
        let section = shown.lines().rev().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
        let section = section.unwrap_or_default().to_owned();
        let message = error.message().lines().next().unwrap_or_default();
        let within = |key: &str| if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        let refusal = |key: String, found: Option<String>, what: String| Self { key, found, what };
        if let Some((key, known)) = named(message, "unknown field") {
            let what = match nearest(key, &known) {
                Some(meant) => format!("{UNKNOWN}; did you mean {meant}?"),
                None => format!("{UNKNOWN}; expected {}", listed(&known)),
            };
            return refusal(within(key), None, what);
        }
        if let Some((key, _)) = named(message, "missing field") {
            return refusal(within(key), None, "missing".to_owned());
        }
        if let Some((found, known)) = named(message, "unknown variant") {
            return refusal(section, Some(format!("{found:?}")), format!("expected {}", listed(&known)));
        }
        let typed = ["invalid type: ", "invalid value: ", "invalid length "].into_iter().find_map(|begin| {
            let (found, expected) = message.strip_prefix(begin)?.rsplit_once(", expected ")?;
            Some((begin, found, expected))
        });
        match typed {
            Some((begin, found, expected)) => {
                let found =
                    if begin == "invalid length " { format!("a list of {found}") } else { value(found) };
                let least =
                    if begin == "invalid value: " && found.starts_with('-') { " of at least 0" } else { "" };
                refusal(section, Some(found), format!("expected {}{least}", kind(expected)))
            }
            None => refusal(section, None, message.to_owned()),
        }
    }

    /// Where the value was set: the last `--set` with this key, or else the file, with the line if its text is given.
    /// And what is wrong with it.
    #[must_use]
    pub fn placed(&self, origin: &str, text: Option<&str>, set: &[String]) -> (String, String) {
        let key = |assignment: &str| assignment.split('=').next().unwrap_or_default().trim().to_owned();
        let is_within =
            |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
        let is_meant = |one: &&String| {
            let key = key(one);
            // A section that there is not comes from the keys that were to be in it.
            let makes = self.what.starts_with(UNKNOWN) && is_within(&key, &self.key);
            key == self.key || is_within(&self.key, &key) || makes
        };
        match set.iter().rev().find(is_meant) {
            // The value has just been said.
            Some(one) if key(one) == self.key => (format!("--set {one}"), self.what.clone()),
            Some(one) => (format!("--set {one}"), self.to_string()),
            None => match text.and_then(|text| line(text, &self.key)) {
                Some(line) => (format!("{origin}: line {line}"), self.to_string()),
                None => (origin.to_owned(), self.to_string()),
            },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, found, what } = self;
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        if let Some(found) = found {
            write!(f, "{found}; ")?;
        }
        f.write_str(what)
    }
}

/// The name in a message such as "unknown field `a`, expected one of `b`, `c`", and those after it.
fn named<'a>(message: &'a str, begin: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let mut quoted = message.strip_prefix(begin)?.split('`').skip(1).step_by(2);
    let name = quoted.next()?;
    Some((name, quoted.collect()))
}

/// The name that was probably meant.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |other: &str| strsim::osa_distance(name, other);
    let (distance, nearest) =
        known.iter().map(|other| (distance(other), *other)).min_by_key(|pair| pair.0)?;
    (distance <= 1 + name.chars().count() / 3).then_some(nearest)
}

/// `a, b or c`.
fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "none".to_owned(),
    }
}

/// A value as TOML has it, of serde's "string "abc"", "integer `3`" or "sequence".
fn value(found: &str) -> String {
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "a section of keys".to_owned(),
        _ => match found.strip_prefix("string ") {
            Some(text) => text.to_owned(),
            None => found.split('`').nth(1).unwrap_or(found).to_owned(),
        },
    }
}

/// A type as a reader of settings knows it.
fn kind(expected: &str) -> String {
    let plain = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "path string" | "string or map" => "text",
        "a sequence" => "a list",
        "a map" => "a section of keys",
        _ if expected.starts_with("struct ") => "a section of keys",
        _ => match expected.strip_prefix("an array of length ") {
            Some(length) => return format!("a list of {length}"),
            None => expected,
        },
    };
    plain.to_owned()
}

/// The line of a key in a file, or of the section that lacks it.
fn line(text: &str, key: &str) -> Option<u64> {
    let table = DeTable::parse(text).ok()?;
    let parts: Vec<&str> = key.split('.').collect();
    let at = place(table.get_ref(), &parts)?;
    Some(1 + text[..at].matches('\n').count() as u64)
}

/// Where the deepest part of a key that is there stands.
fn place(table: &DeTable<'_>, parts: &[&str]) -> Option<usize> {
    let (first, rest) = parts.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref().as_ref() == *first)?;
    let deeper = match value.get_ref() {
        DeValue::Table(table) => place(table, rest),
        // Which of several is not said: the first that has the key.
        DeValue::Array(list) => list.iter().find_map(|one| place(one.get_ref().as_table()?, rest)),
        _ => None,
    };
    Some(deeper.unwrap_or(key.span().start))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use toml::Table;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        Cls,
        Mean,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "they are there to be refused")]
    struct Section {
        steps: u64,
        rate: Option<f64>,
        betas: Option<[f64; 2]>,
        choice: Option<Choice>,
        names: Option<Vec<String>>,
        cased: Option<bool>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is there to be refused")]
    struct Whole {
        section: Section,
        list: Option<Vec<Section>>,
    }

    fn refused(text: &str) -> Refusal {
        Refusal::of(&text.parse::<Table>().unwrap().try_into::<Whole>().unwrap_err())
    }

    #[test]
    fn types_are_said_in_words() {
        for (line, expected) in [
            ("steps = \"abc\"", "section.steps: \"abc\"; expected a whole number"),
            ("steps = 1.5", "section.steps: 1.5; expected a whole number"),
            ("steps = -1", "section.steps: -1; expected a whole number of at least 0"),
            ("steps = 1\nrate = \"fast\"", "section.rate: \"fast\"; expected a number"),
            ("steps = 1\nbetas = [0.5]", "section.betas: a list of 1; expected a list of 2"),
            ("steps = 1\nchoice = \"max\"", "section.choice: \"max\"; expected cls or mean"),
            ("steps = 1\nnames = 3", "section.names: 3; expected a list"),
            ("steps = 1\nnames = [3]", "section.names: 3; expected text"),
            ("steps = 1\ncased = 0", "section.cased: 0; expected true or false"),
            ("steps = 1\nsetps = 2", "section.setps: there is no such key; did you mean steps?"),
            (
                "steps = 1\nwarm_up = 2",
                "section.warm_up: there is no such key; expected steps, rate, betas, choice, names or cased",
            ),
            ("rate = 1.0", "section.steps: missing"),
        ] {
            assert_eq!(refused(&format!("[section]\n{line}\n")).to_string(), expected, "{line}");
        }
        assert_eq!(refused("section = 3").to_string(), "section: 3; expected a section of keys");
    }

    #[test]
    fn a_value_is_placed_where_it_was_set() {
        let text = "# a comment\n[section]\nrate = 1.0\nsteps = \"abc\"\n";
        let refusal = refused(text);
        let placed = |text, set: &[&str]| {
            let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
            let (origin, message) = refusal.placed("a.toml", text, &set);
            format!("{origin}: {message}")
        };
        let of_file = "section.steps: \"abc\"; expected a whole number";
        assert_eq!(placed(None, &[]), format!("a.toml: {of_file}"));
        assert_eq!(placed(Some(text), &["section.step=1"]), format!("a.toml: line 4: {of_file}"));
        assert_eq!(
            placed(Some(text), &["section.steps=3", "section.steps = abc"]),
            "--set section.steps = abc: expected a whole number"
        );
        assert_eq!(
            placed(Some(text), &["section={ steps = \"abc\" }"]),
            format!("--set section={{ steps = \"abc\" }}: {of_file}")
        );
        let refusal = refused("section = { steps = 1 }\nlist = [{ steps = 1, setps = 1 }]");
        let set = ["section.setps=1".to_owned(), "list.setps.deep=1".to_owned()];
        assert_eq!(refusal.placed("a.toml", None, &set).0, "--set list.setps.deep=1");
        // What is missing is missing in its section; of a list, the first with the key is shown.
        let text = "[section]\nsteps = 1\n[[list]]\nsteps = 1\n[[list]]\nsteps = 1\nsetps = 1\n";
        let refusal = refused(text);
        assert_eq!(refusal.placed("a.toml", Some(text), &[]).0, "a.toml: line 7", "{refusal}");
        let text = "\n[section]\nrate = 1.0\n";
        assert_eq!(refused(text).placed("a.toml", Some(text), &[]).0, "a.toml: line 2");
    }
}
