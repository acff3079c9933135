//! Fields of a line of JSON: lists of numbers without a value for each: a line may be as long as `--max-line-bytes` allows.

use std::fmt;

use anyhow::{Result, bail, ensure};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Lists of a line at most: a row takes more memory than its text, and is answered with all others of its line.
const MOST_ROWS: usize = 1 << 16;
/// Characters of a text that messages show.
const SHOWN: usize = 40;

/// A field that is a list, or a list of lists of one length.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// All entries, one row after the other; of `true` 1.
    cells: Vec<i64>,
    rows: usize,
    /// Of the first row.
    length: usize,
    nested: bool,
    /// What is there in place of a list.
    other: Option<String>,
    /// The first entry that is neither a whole number nor a truth value, by its place.
    odd: Option<(String, String)>,
    /// The first entry that is not a list where others are, by its place.
    no_list: Option<(String, String)>,
    /// The first truth value, by its place.
    truth: Option<(String, bool)>,
    /// The first row of another length than the first, and its length.
    ragged: Option<(usize, usize)>,
}

impl Lists {
    /// Rows whose entries are from 0 to below `most`. `may_be_bool` says whether `true` is an entry.
    pub(super) fn check(&self, field: &str, most: i64, may_be_bool: bool, expected: &str) -> Result<()> {
        if let Some(shown) = &self.other {
            bail!("{field}: {shown}; expected a list");
        }
        if let Some((place, shown)) = &self.no_list {
            bail!("{field}{place}: {shown}; expected a list");
        }
        if let Some((place, shown)) = &self.odd {
            bail!("{field}{place}: {shown}; expected {expected}");
        }
        if let Some((place, shown)) = self.truth.as_ref().filter(|_| !may_be_bool) {
            bail!("{field}{place}: {shown}; expected {expected}");
        }
        ensure!(
            self.rows <= MOST_ROWS,
            "{field}: {} lists; expected at most {MOST_ROWS} on a line",
            self.rows
        );
        if let Some((row, found)) = self.ragged {
            bail!("{field}[{row}]: {found} numbers; expected {}, as in {field}[0]", self.length);
        }
        if let Some(place) = self.cells.iter().position(|cell| !(0..most).contains(cell)) {
            let (row, column) = (place / self.length, place % self.length);
            let row = if self.nested { format!("[{row}]") } else { String::new() };
            bail!("{field}{row}[{column}]: {}; expected {expected}", self.cells[place]);
        }
        Ok(())
    }

    /// Refuses what has not the shape of `input_ids`.
    pub(super) fn check_shape(&self, field: &str, ids: &Self) -> Result<()> {
        let shape = |lists: &Self| {
            let Self { rows, length, .. } = lists;
            if lists.nested {
                format!("{rows} lists of {length} numbers")
            } else {
                format!("{length} numbers")
            }
        };
        let (found, expected) = (shape(self), shape(ids));
        ensure!(found == expected, "{field}: {found}; expected {expected}, as in input_ids");
        Ok(())
    }

    pub(super) fn is_nested(&self) -> bool {
        self.nested
    }

    /// Numbers of a row.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The rows, where all are of one length and not empty.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[i64]> {
        self.cells.chunks_exact(self.length.max(1))
    }
}

impl<'de> Deserialize<'de> for Lists {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut lists = Self::default();
        Place { lists: &mut lists, level: 0, index: 0 }.deserialize(deserializer)?;
        Ok(lists)
    }
}

/// A value that is being read: the field's own at level 0, an entry of it at level 1, an entry of that at level 2.
struct Place<'a> {
    lists: &'a mut Lists,
    level: usize,
    /// Among those of its level.
    index: usize,
}

impl Place<'_> {
    /// As messages have it behind the field's name.
    fn shown(&self) -> String {
        match self.level {
            0 => String::new(),
            1 => format!("[{}]", self.index),
            _ => format!("[{}][{}]", self.lists.rows, self.index),
        }
    }

    /// Something that is neither a list nor a number.
    fn other(self, shown: &str) {
        let place = self.shown();
        match self.level {
            0 => self.lists.other = Some(shown.to_owned()),
            1 if self.lists.nested => {
                self.lists.no_list.get_or_insert_with(|| (place, shown.to_owned()));
            }
            _ => {
                self.lists.odd.get_or_insert_with(|| (place, shown.to_owned()));
            }
        }
    }

    fn number(self, number: i64) {
        if self.level == 0 || (self.level == 1 && self.lists.nested) {
            self.other(&number.to_string());
        } else {
            self.lists.cells.push(number);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers, or a list of such lists")
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.number(number);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.number(number),
            Err(_) => self.other(&number.to_string()),
        }
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.other(&Value::from(number).to_string());
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        if self.level == 0 || (self.level == 1 && self.lists.nested) {
            self.other(&truth.to_string());
            return Ok(());
        }
        let place = self.shown();
        self.lists.truth.get_or_insert((place, truth));
        self.lists.cells.push(i64::from(truth));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.other("null");
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.other(&short(text));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.other("an object");
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (level, index) = (self.level, self.index);
        if level == 1 && index == 0 {
            self.lists.nested = true;
        }
        if level == 2 || (level == 1 && !self.lists.nested) {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            self.other("a list");
            return Ok(());
        }
        let before = self.lists.cells.len();
        let mut count = 0;
        while list.next_element_seed(Place { lists: self.lists, level: level + 1, index: count })?.is_some() {
            count += 1;
        }
        if level == 0 && self.lists.nested {
            return Ok(());
        }
        let found = self.lists.cells.len() - before;
        if self.lists.rows == 0 {
            self.lists.length = found;
        } else if found != self.lists.length && self.lists.odd.is_none() {
            self.lists.ragged.get_or_insert((self.lists.rows, found));
        }
        self.lists.rows += 1;
        Ok(())
    }
}

/// A field that is a text, or what is there in place of one.
#[derive(Debug)]
pub(super) struct Text(pub(super) Result<String, String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Ok(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(Ok(text)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(Err(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(Err(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(Err(Value::from(number).to_string())))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Text, E> {
        Ok(Text(Err(truth.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(Err("null".to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(Err("a list".to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(Err("an object".to_owned())))
    }
}

/// A text as messages show it, which may be as long as the line.
fn short(text: &str) -> String {
    let mut chars = text.chars();
    let shown: String = chars.by_ref().take(SHOWN).collect();
    if chars.next().is_some() { format!("{shown:?}…") } else { format!("{shown:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory follows from the numbers, not from how they are nested.
    #[test]
    fn an_entry_takes_its_number_and_no_more() {
        for json in [format!("[{}0]", "1,".repeat(9_999)), format!("[{}[0]]", "[1],".repeat(9_999))] {
            let lists: Lists = serde_json::from_str(&json).unwrap();
            assert_eq!((lists.cells.len(), lists.cells.capacity() < 20_000), (10_000, true));
            lists.check("input_ids", 2, false, "0 or 1").unwrap();
        }
        let many = format!("[{}[0]]", "[1],".repeat(MOST_ROWS));
        let error =
            serde_json::from_str::<Lists>(&many).unwrap().check("input_ids", 2, false, "0 or 1").unwrap_err();
        assert_eq!(error.to_string(), "input_ids: 65537 lists; expected at most 65536 on a line");
    }
}
