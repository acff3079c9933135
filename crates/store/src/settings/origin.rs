//! Where settings come from, and what is wrong with them in words.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::{Table, Value};

use super::deserializer::{Deserializer, Refusal};
use super::place;
use crate::Error;

/// Where settings come from: a file with its text, and what `--set` put over it.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The file, or what else messages name.
    pub name: &'a str,
    /// What is in it, so that messages name the line.
    pub text: Option<&'a str>,
    /// What was put over it, each as `key=value`.
    pub set: &'a [String],
}

impl<'a> Origin<'a> {
    /// A file of which no line is named.
    #[must_use]
    pub fn file(name: &'a str) -> Self {
        Self { name, text: None, set: &[] }
    }

    /// Makes settings of a table.
    ///
    /// # Errors
    /// [`Error::Toml`] naming the place, the key with its sections, its value, and what was expected.
    pub fn read<T: DeserializeOwned>(&self, table: Table) -> Result<T, Error> {
        self.read_value("", Value::Table(table))
    }

    /// As [`read`](Self::read), of the value of a key alone.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_value<T: DeserializeOwned>(&self, key: &str, value: Value) -> Result<T, Error> {
        serde_path_to_error::deserialize(Deserializer(value)).map_err(|error| {
            let mut parts: Vec<String> = if key.is_empty() { Vec::new() } else { vec![key.to_owned()] };
            parts.extend(error.path().iter().filter_map(|segment| match segment {
                Segment::Map { key } => Some(key.clone()),
                Segment::Enum { variant } => Some(variant.clone()),
                Segment::Seq { .. } | Segment::Unknown => None,
            }));
            self.refuse(parts, &error.into_inner())
        })
    }

    /// Where a key got its value: the last `--set` with this key or a section that it is in, else the file, with the line
    /// where that is known.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        match self.assignment(key, false) {
            Some(assignment) => format!("--set {assignment}"),
            None => self.file_place(key),
        }
    }

    fn file_place(&self, key: &str) -> String {
        match self.text.and_then(|text| place::line(text, key)) {
            Some(line) => format!("{}: line {line}", self.name),
            None => self.name.to_owned(),
        }
    }

    fn refuse(&self, mut parts: Vec<String>, refusal: &Refusal) -> Error {
        if let Refusal::UnknownKey { key, .. } | Refusal::MissingKey { key } = refusal
            && (matches!(refusal, Refusal::MissingKey { .. }) || parts.last() != Some(key))
        {
            parts.push(key.clone());
        }
        let key = parts.join(".");
        let is_unknown = matches!(refusal, Refusal::UnknownKey { .. });
        let whole = if key.is_empty() { refusal.to_string() } else { format!("{key}: {refusal}") };
        match self.assignment(&key, is_unknown) {
            // The key and its value have just been read.
            Some(assignment) if key_of(assignment) == key => {
                Error::Toml { origin: format!("--set {assignment}"), message: refusal.expectation() }
            }
            Some(assignment) => Error::Toml { origin: format!("--set {assignment}"), message: whole },
            None => Error::Toml { origin: self.file_place(&key), message: whole },
        }
    }

    /// The last `--set` that gave a key its value. A section that does not exist comes from the keys in it.
    fn assignment(&self, key: &str, is_unknown: bool) -> Option<&'a String> {
        let is_within =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
        self.set.iter().rev().find(|assignment| {
            let set = key_of(assignment);
            set == key || is_within(key, set) || (is_unknown && is_within(set, key))
        })
    }
}

fn key_of(assignment: &str) -> &str {
    assignment.split('=').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        Cls,
        Mean,
        NGram {
            #[allow(dead_code, reason = "it is there to be refused")]
            max: usize,
        },
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
        small: Option<u8>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is there to be refused")]
    struct Whole {
        section: Section,
        list: Option<Vec<Section>>,
        any: Option<Table>,
    }

    fn read(text: &str, with_lines: bool, set: &[&str]) -> Result<Whole, String> {
        let set: Vec<String> = set.iter().map(|assignment| (*assignment).to_owned()).collect();
        let origin = Origin { name: "a.toml", text: with_lines.then_some(text), set: &set };
        origin.read(text.parse().unwrap()).map_err(|error| error.to_string())
    }

    fn refused(text: &str) -> String {
        read(text, false, &[]).unwrap_err()
    }

    #[test]
    fn what_is_right_is_read() {
        let text = "[section]\nsteps = 3\nrate = 1\nbetas = [1, 0.5]\nchoice = { n-gram = { max = 2 } }\n\
            [any]\nlist = [1, [2.5, \"x\"]]\n";
        let whole = read(text, false, &[]).unwrap();
        assert_eq!((whole.section.steps, whole.section.rate), (3, Some(1.0)));
        assert_eq!(whole.section.betas, Some([1.0, 0.5]));
        assert!(matches!(whole.section.choice, Some(Choice::NGram { max: 2 })));
        assert_eq!(whole.any.unwrap(), text.parse::<Table>().unwrap()["any"].as_table().unwrap().clone());
        let text = "[section]\nsteps = 3\nchoice = \"mean\"\n";
        assert!(matches!(read(text, false, &[]).unwrap().section.choice, Some(Choice::Mean)));
    }

    #[test]
    fn types_are_named_in_words() {
        for (line, expected) in [
            ("steps = \"abc\"", "section.steps: \"abc\"; expected a whole number"),
            ("steps = 1.5", "section.steps: 1.5; expected a whole number"),
            ("steps = -1", "section.steps: -1; expected a whole number of at least 0"),
            ("steps = 1\nsmall = 256", "section.small: 256; expected a whole number that fits u8"),
            ("steps = 1\nrate = \"fast\"", "section.rate: \"fast\"; expected a number"),
            ("steps = 1\nbetas = [0.5]", "section.betas: a list of 1; expected a list of 2"),
            ("steps = 1\nbetas = 0.5", "section.betas: 0.5; expected a list of 2"),
            ("steps = 1\nbetas = [0.5, \"x\"]", "section.betas: \"x\"; expected a number"),
            ("steps = 1\nchoice = \"max\"", "section.choice: \"max\"; expected cls, mean or n-gram"),
            ("steps = 1\nchoice = 3", "section.choice: 3; expected cls, mean or n-gram"),
            (
                "steps = 1\nchoice = { n-gram = { max = true } }",
                "section.choice.n-gram.max: true; expected a whole number",
            ),
            ("steps = 1\nnames = 3", "section.names: 3; expected a list"),
            ("steps = 1\nnames = [3]", "section.names: 3; expected text"),
            ("steps = 1\ncased = 0", "section.cased: 0; expected true or false"),
            ("steps = 1\nsetps = 2", "section.setps: there is no such key; did you mean steps?"),
            (
                "steps = 1\nwarm_up = 2",
                "section.warm_up: there is no such key; expected steps, rate, betas, choice, names, cased or small",
            ),
            ("rate = 1.0", "section.steps: missing"),
        ] {
            assert_eq!(refused(&format!("[section]\n{line}\n")), format!("a.toml: {expected}"), "{line}");
        }
        assert_eq!(refused("section = 3"), "a.toml: section: 3; expected a section of keys");
        assert_eq!(refused("section = [1]"), "a.toml: section: a list; expected a section of keys");
    }

    #[test]
    fn a_value_is_placed_where_it_was_set() {
        let text = "# a comment\n[section]\nrate = 1.0\nsteps = \"abc\"\n";
        let of_file = "section.steps: \"abc\"; expected a whole number";
        let refused = |text, with_lines, set: &[&str]| read(text, with_lines, set).unwrap_err();
        assert_eq!(refused(text, false, &[]), format!("a.toml: {of_file}"));
        assert_eq!(refused(text, true, &["section.step=1"]), format!("a.toml: line 4: {of_file}"));
        assert_eq!(
            refused(text, true, &["section.steps=3", "section.steps = abc"]),
            "--set section.steps = abc: expected a whole number"
        );
        assert_eq!(
            refused(text, true, &["section={ steps = \"abc\" }"]),
            format!("--set section={{ steps = \"abc\" }}: {of_file}")
        );
        let text = "section = { steps = 1 }\nlist = [{ steps = 1, setps = 1 }]";
        let error = refused(text, false, &["section.setps=1", "list.setps.deep=1"]);
        assert!(error.starts_with("--set list.setps.deep=1: list.setps: there is no such key"), "{error}");
        // What is missing is missing in its section; of a list, the first with the key is shown.
        let text = "[section]\nsteps = 1\n[[list]]\nsteps = 1\n[[list]]\nsteps = 1\nsetps = 1\n";
        assert!(refused(text, true, &[]).starts_with("a.toml: line 7: "));
        let text = "\n[section]\nrate = 1.0\n";
        assert_eq!(refused(text, true, &[]), "a.toml: line 2: section.steps: missing");
    }
}
