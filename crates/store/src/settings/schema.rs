//! Which keys there are.

use serde::Serialize;
use toml::{Table, Value};

use super::table::{find, to_table};
use super::{Origin, place};

use crate::Error;

/// The keys that settings may have, taken from settings in which every key is set.
#[derive(Clone, Debug)]
pub struct Schema {
    sample: Table,
    /// Full keys, those of sections too.
    keys: Vec<String>,
}

impl Schema {
    /// The keys of a sample that has them all.
    #[must_use]
    pub fn of_sample(sample: &impl Serialize) -> Self {
        let sample = to_table(sample);
        let mut keys = Vec::new();
        collect(&sample, "", &mut keys);
        Self { sample, keys }
    }

    /// Whether the value of a key is text.
    #[must_use]
    pub fn is_text(&self, key: &str) -> bool {
        matches!(find(&self.sample, key), Some(Value::String(_)))
    }

    /// Refuses keys that do not exist; values are looked at when the settings are read.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] for the first, with the known one that is nearest in any section.
    pub fn check(&self, origin: &Origin<'_>, table: &Table) -> Result<(), Error> {
        self.check_section(origin, "", table, &self.sample)
    }

    fn check_section(
        &self,
        origin: &Origin<'_>,
        prefix: &str,
        table: &Table,
        sample: &Table,
    ) -> Result<(), Error> {
        for (key, value) in table {
            let full = format!("{prefix}{key}");
            match (value, sample.get(key)) {
                (_, None) => {
                    return Err(Error::UnknownKey {
                        origin: origin.place(&full),
                        nearest: self.nearest(&full),
                        key: full,
                    });
                }
                (Value::Table(table), Some(Value::Table(sample))) => {
                    self.check_section(origin, &format!("{full}."), table, sample)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The known key that was probably meant: the nearest whole key, or the one with the nearest last part, as
    /// a key may have been put into a wrong section.
    fn nearest(&self, key: &str) -> Option<String> {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let distance = |other: &String| {
            strsim::osa_distance(key, other).min(strsim::osa_distance(&last(key), &last(other)) + 1)
        };
        let (nearest, distance) =
            self.keys.iter().map(|other| (other, distance(other))).min_by_key(|pair| pair.1)?;
        place::is_near(distance, &last(key)).then(|| nearest.clone())
    }
}

fn collect(table: &Table, prefix: &str, keys: &mut Vec<String>) {
    for (key, value) in table {
        keys.push(format!("{prefix}{key}"));
        if let Value::Table(table) = value {
            collect(table, &format!("{prefix}{key}."), keys);
        }
    }
}
