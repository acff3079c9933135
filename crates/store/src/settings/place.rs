//! Where in a file a key stands, and which key was meant.

use toml::de::{DeTable, DeValue};

/// The line of a key in a file, or of the section that lacks it.
pub(super) fn line(text: &str, key: &str) -> Option<u64> {
    let table = DeTable::parse(text).ok()?;
    let parts: Vec<&str> = key.split('.').collect();
    let offset = offset(table.get_ref(), &parts)?;
    Some(1 + text[..offset].matches('\n').count() as u64)
}

/// Where the deepest part of a key that is there stands.
fn offset(table: &DeTable<'_>, parts: &[&str]) -> Option<usize> {
    let (first, rest) = parts.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref().as_ref() == *first)?;
    let deeper = match value.get_ref() {
        DeValue::Table(table) => offset(table, rest),
        // Which of several is not known: the first that has the key.
        DeValue::Array(list) => list.iter().find_map(|entry| offset(entry.get_ref().as_table()?, rest)),
        _ => None,
    };
    Some(deeper.unwrap_or(key.span().start))
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |other: &str| strsim::osa_distance(name, other);
    let (distance, nearest) =
        known.iter().map(|other| (distance(other), *other)).min_by_key(|pair| pair.0)?;
    is_near(distance, name).then_some(nearest)
}

/// Whether so many typing errors may be in a name.
pub(super) fn is_near(distance: usize, name: &str) -> bool {
    distance <= 1 + name.chars().count() / 3
}
