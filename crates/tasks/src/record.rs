//! From the fields of a line, whatever the syntax, to an example.

use std::borrow::Cow;
use std::path::Path;

use crate::error::{listed, short};
use crate::multi_label::Encoding;
use crate::{Content, Error, Example, Kind, Label, Labels, Task};

/// A field of a line and what messages call it.
pub(crate) struct Cell<'a> {
    /// Such as `column "label"`.
    pub(crate) column: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
}

/// The parts of an example that is a sequence or a choice.
pub(crate) struct Record<'a> {
    pub(crate) index: String,
    pub(crate) text: Vec<Cell<'a>>,
    pub(crate) choices: Vec<Cell<'a>>,
    /// One; of several labels, one for each that the line names. None where it is not known what is right.
    pub(crate) label: Option<Vec<Cell<'a>>>,
}

/// A line of a file.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a Path,
    pub(crate) line: u64,
}

impl Place<'_> {
    pub(crate) fn empty(self, column: &str) -> Error {
        Error::EmptyText { path: self.path.to_owned(), line: self.line, column: column.to_owned() }
    }

    pub(crate) fn unlabelled(self, column: String, split: &str) -> Error {
        Error::Unlabelled { path: self.path.to_owned(), line: self.line, column, split: split.to_owned() }
    }

    pub(crate) fn value(self, column: &str, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::Value {
            path: self.path.to_owned(),
            line: self.line,
            column: column.to_owned(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn unknown<S: AsRef<str>>(self, cell: &Cell<'_>, known: &[S]) -> Error {
        Error::UnknownLabel {
            path: self.path.to_owned(),
            line: self.line,
            column: cell.column.clone().into_owned(),
            found: short(&cell.value),
            expected: listed(known, "or"),
        }
    }

    /// The position of a label among `known`.
    fn class<S: AsRef<str>>(self, cell: &Cell<'_>, known: &[S]) -> Result<usize, Error> {
        let position = known.iter().position(|label| label.as_ref() == cell.value);
        position.ok_or_else(|| self.unknown(cell, known))
    }

    /// The same, of a position as it stands there.
    fn id(self, cell: &Cell<'_>, count: usize) -> Result<usize, Error> {
        let id: Option<usize> = cell.value.trim().parse().ok().filter(|id| *id < count);
        id.ok_or_else(|| {
            let expected = format!("the number of a label, 0 to {}", count - 1);
            self.value(&cell.column, expected, format!("{:?}", short(&cell.value)))
        })
    }

    fn number(self, cell: &Cell<'_>, low: f64, high: f64) -> Result<f64, Error> {
        let number: Option<f64> = cell.value.trim().parse().ok().filter(|number: &f64| number.is_finite());
        number.filter(|number| (low..=high).contains(number)).ok_or_else(|| {
            let expected = match (low.is_finite(), high.is_finite()) {
                (true, true) => format!("a number from {low} to {high}"),
                (true, false) => format!("a number of at least {low}"),
                (false, true) => format!("a number of at most {high}"),
                (false, false) => "a number".to_owned(),
            };
            self.value(&cell.column, expected, format!("{:?}", short(&cell.value)))
        })
    }
}

/// The cell of what is one value.
fn single<'a, 'b>(cells: &'b [Cell<'a>]) -> &'b Cell<'a> {
    cells.first().expect("only several labels may be no cell")
}

impl Task {
    /// Makes an example of a record. Texts are checked and not changed.
    pub(crate) fn example(&self, record: Record<'_>, place: Place<'_>) -> Result<Example, Error> {
        if !self.form.keeps_empty {
            let mut cells = record.text.iter().chain(&record.choices);
            if let Some(cell) = cells.find(|cell| cell.value.trim().is_empty()) {
                return Err(place.empty(&cell.column));
            }
        }
        let mut texts = record.text.into_iter().map(|cell| cell.value.into_owned());
        let text = texts.next().unwrap_or_default();
        let pair = texts.next();
        let content = if self.kind == Kind::Choice {
            let choices: Vec<String> =
                record.choices.into_iter().map(|cell| cell.value.into_owned()).collect();
            let label =
                record.label.map(|cells| self.choice(single(&cells), choices.len(), place)).transpose()?;
            Content::Choice { text, pair, choices, label }
        } else {
            let label = record.label.map(|cells| self.label(&cells, place)).transpose()?;
            Content::Sequence { text, pair, label }
        };
        Ok(Example { index: record.index, content })
    }

    fn label(&self, cells: &[Cell<'_>], place: Place<'_>) -> Result<Label, Error> {
        match &self.labels {
            Labels::Classes(labels) => self.class(labels, single(cells), place).map(Label::Class),
            Labels::MultiLabel(labels) => self.positions(labels, cells, place).map(Label::MultiLabel),
            Labels::Values { low, high } => place.number(single(cells), *low, *high).map(Label::Value),
            Labels::Within => unreachable!("sequences have classes or values"),
        }
    }

    /// The position of a label among the task's.
    pub(crate) fn class(&self, labels: &[String], cell: &Cell<'_>, place: Place<'_>) -> Result<usize, Error> {
        match self.form.encoding {
            Encoding::Ids => place.id(cell, labels.len()),
            Encoding::Names | Encoding::Indicators => place.class(cell, labels),
        }
    }

    /// Which of `count` choices a label means.
    fn choice(&self, cell: &Cell<'_>, count: usize, place: Place<'_>) -> Result<usize, Error> {
        let labels = &self.form.choice_labels;
        if labels.is_empty() {
            let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
            return place.class(cell, &numbers);
        }
        place.class(cell, &labels[..labels.len().min(count)])
    }
}
