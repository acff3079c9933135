//! What a table is made of, for whichever form it is written in.

use electra_analysis::Verdict;

use crate::format::MISSING;
use crate::sentences;

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A column's headline, and whether it holds numbers.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) numeric: bool,
}

/// A cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Text(String),
    /// An arm's title with the class of its colour.
    Arm(String, &'static str),
    Verdict(Verdict),
    /// A difference, marked by the verdict on it if there is one either way.
    Difference(String, Verdict),
    /// Whether something came out.
    Passed(Option<bool>),
    /// To be copied as it is.
    Code(String),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A difference with the word of its verdict, if that is one either way.
pub(crate) fn difference(difference: &str, verdict: Verdict) -> String {
    if verdict.is_apart() {
        format!("{} {difference}", sentences::verdict(verdict))
    } else {
        difference.into()
    }
}

/// As the report writes whether a control came out.
pub(crate) fn passed(passed: Option<bool>) -> &'static str {
    match passed {
        Some(true) => "yes",
        Some(false) => "no",
        None => MISSING,
    }
}

/// A headline that begins with # is that of numbers.
pub(crate) fn table(caption: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    let column = |title: &&str| {
        let (numeric, title) = title.strip_prefix('#').map_or((false, *title), |title| (true, title));
        Column { title: title.into(), numeric }
    };
    Table { caption: caption.into(), columns: columns.iter().map(column).collect(), rows }
}

/// Names and values.
pub(crate) fn facts(caption: &str, facts: Vec<(String, Cell)>) -> Table {
    table(caption, &["", ""], facts.into_iter().map(|(name, value)| vec![Cell::Text(name), value]).collect())
}
