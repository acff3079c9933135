//! In what two runs' settings differ.

use std::collections::BTreeMap;
use std::fmt;

use super::Config;

/// A setting in which a run's folder differs from what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key, with its sections.
    pub key: String,
    /// Its value in the folder; none if it is not set there.
    pub found: Option<String>,
    /// The value that is wanted; none if it is not set.
    pub wanted: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        write!(f, "{} = {} (wanted: {})", self.key, show(&self.found), show(&self.wanted))
    }
}

/// Every setting in which two configurations differ, in the order of the keys.
pub(crate) fn differences(found: &Config, wanted: &Config) -> Vec<Difference> {
    let (found, wanted) = (flat(found), flat(wanted));
    let mut keys: Vec<&String> = found.keys().chain(wanted.keys()).collect();
    keys.sort();
    keys.dedup();
    let pairs = keys.into_iter().map(|key| (key, found.get(key), wanted.get(key)));
    pairs
        .filter(|(_, found, wanted)| found != wanted)
        .map(|(key, found, wanted)| Difference {
            key: key.clone(),
            found: found.cloned(),
            wanted: wanted.cloned(),
        })
        .collect()
}

/// Values in TOML's notation by their full keys.
fn flat(config: &Config) -> BTreeMap<String, String> {
    let table = toml::Table::try_from(config).expect("a configuration is a table");
    let mut values = BTreeMap::new();
    flatten("", &table, &mut values);
    values
}

fn flatten(prefix: &str, table: &toml::Table, values: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            toml::Value::Table(table) => flatten(&format!("{key}."), table, values),
            value => {
                values.insert(key, value.to_string());
            }
        }
    }
}
