//! The labels of a text that may have several.

use std::borrow::Cow;

use serde::Deserialize;

use crate::error::short;
use crate::record::{Cell, Place};
use crate::{Error, Labels, Task};

/// How files say which labels are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    /// By their names.
    #[default]
    Names,
    /// By their positions in the task's list, from 0.
    Ids,
    /// Of several labels: by a 0 or 1 for each of the list.
    Indicators,
}

impl Task {
    /// A field with the labels of a text, as one cell for each label. Where a text has one label the field is that.
    pub(crate) fn parts<'a>(&self, cell: Cell<'a>) -> Vec<Cell<'a>> {
        let form = &self.form;
        if !matches!(self.labels, Labels::MultiLabel(_)) {
            return vec![cell];
        }
        if cell.value.trim().is_empty() && form.encoding != Encoding::Indicators {
            return Vec::new();
        }
        let parts: Vec<&str> = if form.separator.trim().is_empty() {
            cell.value.split_whitespace().collect()
        } else {
            cell.value.split(&form.separator).map(str::trim).collect()
        };
        parts
            .into_iter()
            .map(|part| Cell { column: cell.column.clone(), value: Cow::Owned(part.to_owned()) })
            .collect()
    }

    /// The positions of the labels that these cells name, in ascending order.
    pub(crate) fn positions(
        &self,
        labels: &[String],
        cells: &[Cell<'_>],
        place: Place<'_>,
    ) -> Result<Vec<usize>, Error> {
        if self.form.encoding == Encoding::Indicators {
            return self.indicated(labels.len(), cells, place);
        }
        let mut found: Vec<usize> = Vec::with_capacity(cells.len());
        for cell in cells {
            let position = self.class(labels, cell, place)?;
            if found.contains(&position) {
                let twice = format!("{:?} twice", short(&cell.value));
                return Err(place.value(&cell.column, "each label once", twice));
            }
            found.push(position);
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The positions of those of `count` cells that say yes.
    fn indicated(&self, count: usize, cells: &[Cell<'_>], place: Place<'_>) -> Result<Vec<usize>, Error> {
        if cells.len() != count {
            // Only a list of JSON has no cell.
            let list = || self.form.label[0].describe("field");
            let column = cells.first().map_or_else(list, |cell| cell.column.to_string());
            let expected = format!("0 or 1 for each of the {count} labels");
            let values = if cells.len() == 1 { "value" } else { "values" };
            return Err(place.value(&column, expected, format!("{} {values}", cells.len())));
        }
        let mut found = Vec::new();
        for (position, cell) in cells.iter().enumerate() {
            match cell.value.trim() {
                "1" | "1.0" | "true" | "True" => found.push(position),
                "0" | "0.0" | "false" | "False" => {}
                other => return Err(place.value(&cell.column, "0 or 1", format!("{:?}", short(other)))),
            }
        }
        Ok(found)
    }
}
