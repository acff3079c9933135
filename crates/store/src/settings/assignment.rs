//! `key=value`, as after `--set`.

use toml::{Table, Value};

use super::table::{nested, put};
use crate::Error;

/// A key and its value, as after `--set`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The key, with its sections.
    pub key: String,
    /// Its value.
    pub value: Value,
}

impl Assignment {
    /// Reads `key=value`. The value is TOML, or text that needs no quotes; where `is_text` says so of the key, it
    /// is text though it looks like a number. `example` is shown where there is no `=`.
    ///
    /// # Errors
    /// [`Error::Toml`] if there is no `=`.
    pub fn parse(assignment: &str, example: &str, is_text: impl FnOnce(&str) -> bool) -> Result<Self, Error> {
        let Some((key, text)) = assignment.split_once('=') else {
            let message = format!("expected key=value, such as {example}");
            return Err(Error::Toml { origin: format!("--set {assignment}"), message });
        };
        let (key, text) = (key.trim(), text.trim());
        let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok();
        let parsed = parsed.and_then(|mut table| table.remove("value"));
        // A path or a name may look like a number.
        let is_text = is_text(key);
        let value = parsed
            .filter(|value| !is_text || value.is_str() || value.is_table())
            .unwrap_or_else(|| Value::String(text.to_owned()));
        Ok(Self { key: key.to_owned(), value })
    }

    /// A table with this value alone.
    #[must_use]
    pub fn to_table(&self) -> Table {
        nested(&self.key, self.value.clone())
    }

    /// Puts the value into a table.
    pub fn put_into(self, table: &mut Table) {
        put(table, &self.key, self.value);
    }

    /// The key without its section, if that is `section`.
    #[must_use]
    pub fn key_in<'a>(&'a self, section: &str) -> Option<&'a str> {
        self.key.strip_prefix(section)?.strip_prefix('.')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_plain_text() {
        for (text, expected) in [
            ("a=1", Value::Integer(1)),
            ("a = 1.5", Value::Float(1.5)),
            ("a=true", Value::Boolean(true)),
            ("a=cpu", Value::String("cpu".into())),
            ("a=\"1\"", Value::String("1".into())),
            ("a=[0.5]", Value::Array(vec![Value::Float(0.5)])),
            ("a=b=c", Value::String("b=c".into())),
            ("a=", Value::String(String::new())),
        ] {
            assert_eq!(Assignment::parse(text, "", |_| false).unwrap().value, expected, "{text}");
        }
        let text = Assignment::parse("data.corpus=2024", "", |key| key == "data.corpus").unwrap();
        assert_eq!(text.value, Value::String("2024".into()));
        assert_eq!((text.key_in("data"), text.key_in("budget")), (Some("corpus"), None));
        let error = Assignment::parse("steps", "budget.steps=100", |_| false).unwrap_err().to_string();
        assert_eq!(error, "--set steps: expected key=value, such as budget.steps=100");
    }
}
