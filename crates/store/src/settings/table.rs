//! Tables of settings: keys with sections, one table over another, differences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use toml::{Table, Value};

use crate::Error;

/// Reads TOML; `origin` is what messages name.
///
/// # Errors
/// [`Error::Toml`] with line, column and the parser's message.
pub fn parse(origin: &str, text: &str) -> Result<Table, Error> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let place = error.span().map(|span| {
            let before = &text[..span.start];
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
            format!(": line {}, column {}", 1 + before.matches('\n').count(), 1 + column)
        });
        let place = place.unwrap_or_default();
        Error::Toml {
            origin: format!("{origin}{place}"),
            message: error.message().trim().replace('\n', ", "),
        }
    })
}

/// Settings as a table.
///
/// # Panics
/// If they are not a table of values that TOML has: keys are text, and whole numbers stay below 2⁶³.
#[must_use]
pub fn to_table(settings: &impl Serialize) -> Table {
    Table::try_from(settings).expect("settings are a table of values that TOML has")
}

/// Settings as TOML.
///
/// # Panics
/// As [`to_table`].
#[must_use]
pub fn to_toml(settings: &impl Serialize) -> String {
    toml::to_string(settings).expect("settings are a table of values that TOML has")
}

/// The value of a key with its sections, such as `budget.steps`.
#[must_use]
pub fn find<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (sections, key) = key.rsplit_once('.').map_or((None, key), |(sections, key)| (Some(sections), key));
    let mut table = table;
    for section in sections.into_iter().flat_map(|sections| sections.split('.')) {
        table = table.get(section)?.as_table()?;
    }
    table.get(key)
}

/// Puts a value at a key with its sections, which are made where they are missing.
pub fn put(table: &mut Table, key: &str, value: Value) {
    merge(table, nested(key, value));
}

/// A table with one value at a key of several parts.
pub(super) fn nested(key: &str, value: Value) -> Table {
    let mut parts = key.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let innermost = Table::from_iter([(last.to_owned(), value)]);
    parts.fold(innermost, |table, part| Table::from_iter([(part.to_owned(), Value::Table(table))]))
}

/// Puts `over` over `under`, table into table.
pub fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Values in TOML's notation by their full keys.
#[must_use]
pub fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    flatten("", table, &mut values);
    values
}

fn flatten(prefix: &str, table: &Table, values: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(table) => flatten(&format!("{key}."), table, values),
            value => {
                values.insert(key, value.to_string());
            }
        }
    }
}

/// A setting in which what a folder belongs to differs from what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key, with its sections.
    pub key: String,
    /// Its value in the folder; none if it is not set there.
    pub found: Option<String>,
    /// The value that was asked for; none if it is not set.
    pub expected: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        write!(f, "{} = {} (wanted: {})", self.key, show(&self.found), show(&self.expected))
    }
}

/// Every setting in which two tables differ, in the order of the keys.
#[must_use]
pub fn differences(found: &Table, expected: &Table) -> Vec<Difference> {
    let (found, expected) = (flat(found), flat(expected));
    let keys: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    keys.into_iter()
        .filter(|key| found.get(*key) != expected.get(*key))
        .map(|key| Difference {
            key: key.clone(),
            found: found.get(key).cloned(),
            expected: expected.get(key).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_sections() {
        let mut table = parse("a.toml", "seed = 1\n[model]\nsize = 3\n").unwrap();
        put(&mut table, "model.encoder.width", Value::Integer(64));
        put(&mut table, "model.size", Value::Integer(4));
        assert_eq!(find(&table, "model.encoder.width"), Some(&Value::Integer(64)));
        assert_eq!(find(&table, "model.encoder.depth"), None);
        assert_eq!(find(&table, "seed.width"), None);
        let values = flat(&table);
        let values: Vec<(&str, &str)> =
            values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(values, [("model.encoder.width", "64"), ("model.size", "4"), ("seed", "1")]);
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line() {
        let refused = |text| parse("a.toml", text).unwrap_err().to_string();
        let expected = "a.toml: line 2, column 8: string values must be quoted, expected literal string";
        assert_eq!(refused("seed = 1\nname = \n"), expected);
        assert!(refused("seed = 1\nseed = 2").starts_with("a.toml: line 2, column 1: duplicate key"));
    }

    #[test]
    fn differences_have_both_values() {
        let table = |text| parse("a.toml", text).unwrap();
        let shown: Vec<String> = differences(
            &table("same = 1\nseed = 1\n[a]\nname = \"x\"\n"),
            &table("same = 1\n[a]\nname = \"y\"\nmore = [1, 2]\n"),
        )
        .iter()
        .map(ToString::to_string)
        .collect();
        assert_eq!(
            shown,
            [
                "a.more = not set (wanted: [1, 2])",
                "a.name = \"x\" (wanted: \"y\")",
                "seed = 1 (wanted: not set)"
            ]
        );
    }
}
