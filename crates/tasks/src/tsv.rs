//! Tab-separated files. Quotes mean nothing: GLUE's files have single ones within fields.

use crate::error::{listed, short};
use crate::file::File;
use crate::form::{Bare, Column, Header};
use crate::record::{Cell, Place, Record};
use crate::selection::{PAIR, Source};
use crate::{Error, Example, Split, Task};

/// The examples, and what was left out.
pub(crate) fn read(
    task: &Task,
    split: &Split,
    file: &File,
    header: &Header,
    source: &Source,
) -> Result<(Vec<Example>, Vec<String>), Error> {
    let (_, head) = file.lines().next().expect("a file that was read is not empty");
    let names: Vec<&str> = head.split('\t').collect();
    let columns =
        Columns::find(task, split, file, header, &names).map_err(|error| not_csv(file, head, error))?;
    let selection = match &source.selection {
        Some(selection) => Some((columns_of_pairs(file, &names)?, selection.pairs()?, selection.listed)),
        None => None,
    };

    let (mut examples, mut left_out) = (Vec::new(), Vec::new());
    for (line, text) in file.lines().skip(usize::from(columns.has_header)) {
        let fields: Vec<&str> = text.split('\t').collect();
        if fields.len() != names.len() {
            if task.form.skips_broken {
                left_out.push(format!("line {line}"));
                continue;
            }
            return Err(Error::ColumnCount {
                path: file.path.clone(),
                line,
                first: 1,
                expected: names.len(),
                found: fields.len(),
                is_cut_off: fields.len() < names.len() && file.ends_within(line),
            });
        }
        if let Some(([first, second], pairs, listed)) = &selection
            && pairs.contains(&(fields[*first].to_owned(), fields[*second].to_owned())) != *listed
        {
            continue;
        }
        let index =
            columns.index.map_or_else(|| examples.len().to_string(), |index| fields[index].to_owned());
        let record = Record {
            index,
            text: cells(&columns.text, &fields),
            choices: cells(&columns.choices, &fields),
            label: (!columns.label.is_empty()).then(|| label(task, cells(&columns.label, &fields))),
        };
        examples.push(task.example(record, Place { path: &file.path, line })?);
    }
    Ok((examples, left_out))
}

/// Where columns are missing: whether the file has its fields between commas instead.
fn not_csv(file: &File, head: &str, error: Error) -> Error {
    let is_about_columns =
        matches!(error, Error::Header { .. } | Error::FewColumns { .. } | Error::Unlabelled { .. });
    let has_commas = !head.contains('\t') && head.contains([',', ';']);
    if is_about_columns && has_commas {
        return Error::Csv { path: file.path.clone(), found: format!("{:?}", short(head)) };
    }
    error
}

fn cells<'a>(columns: &'a [(usize, String)], fields: &[&'a str]) -> Vec<Cell<'a>> {
    let cell =
        |(index, column): &'a (usize, String)| Cell { column: column.into(), value: fields[*index].into() };
    columns.iter().map(cell).collect()
}

/// The cells of the labels, each a label of its own.
fn label<'a>(task: &Task, mut cells: Vec<Cell<'a>>) -> Vec<Cell<'a>> {
    match cells.pop() {
        Some(cell) if cells.is_empty() => task.parts(cell),
        last => cells.into_iter().chain(last).collect(),
    }
}

fn columns_of_pairs(file: &File, names: &[&str]) -> Result<[usize; 2], Error> {
    let place = |name| names.iter().position(|other| *other == name);
    match (place(PAIR[0]), place(PAIR[1])) {
        (Some(first), Some(second)) => Ok([first, second]),
        _ => Err(header_error(file, &PAIR, names)),
    }
}

fn header_error(file: &File, missing: &[&str], names: &[&str]) -> Error {
    let noun = if missing.len() == 1 { "a column" } else { "the columns" };
    Error::Header {
        path: file.path.clone(),
        expected: format!("{noun} {}", listed(missing, "and")),
        found: listed(names, "and"),
    }
}

/// Positions from 0, and what messages call them.
struct Columns {
    has_header: bool,
    text: Vec<(usize, String)>,
    choices: Vec<(usize, String)>,
    /// One or, of several labels with a column each, these; none where the file has none.
    label: Vec<(usize, String)>,
    index: Option<usize>,
}

impl Columns {
    fn find(task: &Task, split: &Split, file: &File, header: &Header, names: &[&str]) -> Result<Self, Error> {
        let form = &task.form;
        if let Header::Unless(Bare { columns, text, label }) = header
            && names.len() == *columns
            && form.text.iter().all(|column| place(column, names).is_none())
        {
            let numbered = |number: usize| (number - 1, format!("column {number}"));
            return Ok(Self {
                has_header: false,
                text: vec![numbered(*text)],
                choices: Vec::new(),
                label: vec![numbered(*label)],
                index: None,
            });
        }
        let has_header = *header != Header::Absent;
        let index = form.index.iter().filter(|_| form.needs_index);
        let needed: Vec<&Column> = form.text.iter().chain(&form.choices).chain(index).collect();
        check(file, &needed, names)?;
        let find = |column: &Column| {
            let index = place(column, names).expect("the columns were checked");
            let name =
                if has_header { format!("column {:?}", names[index]) } else { column.describe("column") };
            (index, name)
        };
        let has_label = |column: &&Column| place(column, names).is_some();
        let label: Vec<_> = form.label.iter().filter(has_label).map(find).collect();
        // A test set may lack all of them.
        if let Some(column) = form.label.iter().find(|column| !has_label(column))
            && !(label.is_empty() && split.is_test())
        {
            if !has_header {
                return Err(Place { path: &file.path, line: 1 }
                    .unlabelled(column.describe("column"), &split.to_string()));
            }
            return Err(Error::Header {
                path: file.path.clone(),
                expected: format!("{}, as a {split} set needs labels", column.describe("a column")),
                found: listed(names, "and"),
            });
        }
        Ok(Self {
            has_header,
            text: form.text.iter().map(find).collect(),
            choices: form.choices.iter().map(find).collect(),
            label,
            index: form.index.as_ref().and_then(|column| place(column, names)),
        })
    }
}

fn check(file: &File, needed: &[&Column], names: &[&str]) -> Result<(), Error> {
    let missing: Vec<&Column> =
        needed.iter().filter(|column| place(column, names).is_none()).copied().collect();
    let mut absent = Vec::new();
    for column in missing {
        match column {
            Column::Named(names) => absent.push(names[0].as_str()),
            Column::Number(number) => {
                return Err(Error::FewColumns {
                    path: file.path.clone(),
                    line: 1,
                    expected: *number,
                    found: names.len(),
                });
            }
        }
    }
    if absent.is_empty() { Ok(()) } else { Err(header_error(file, &absent, names)) }
}

/// The position of a column, if the first line has it.
fn place(column: &Column, names: &[&str]) -> Option<usize> {
    match column {
        Column::Named(known) => known.iter().find_map(|known| names.iter().position(|name| name == known)),
        Column::Number(number) => (*number <= names.len()).then(|| number - 1),
    }
}
