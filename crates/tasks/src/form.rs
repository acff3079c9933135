use crate::multi_label::Encoding;

/// How the files of a task are written, and where in them the task's parts are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    pub(crate) syntax: Syntax,
    /// One or two. None of SQuAD's form, whose fields have their names.
    pub(crate) text: Vec<Column>,
    /// Of multiple choice: one column each or, of JSON Lines, one field with a list.
    pub(crate) choices: Vec<Column>,
    /// One, or one for each of several labels. Of SQuAD's form and of CoNLL's with the label in the last column: none.
    pub(crate) label: Vec<Column>,
    pub(crate) encoding: Encoding,
    /// What stands between several labels of a text.
    pub(crate) separator: String,
    pub(crate) index: Option<Column>,
    /// Whether a file without the index column is refused; of GLUE's, some have one.
    pub(crate) needs_index: bool,
    /// The labels of multiple choice in the order of the choices; empty if they are numbers from 0.
    pub(crate) choice_labels: Vec<String>,
    pub(crate) keeps_empty: bool,
    pub(crate) skips_broken: bool,
}

/// What stands between several labels of a text unless the task says something else.
pub(crate) const SEPARATOR: &str = ",";

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Syntax {
    Tsv(Header),
    Jsonl,
    /// Lines that begin with one of these are comments.
    Conll {
        comments: Vec<String>,
    },
    Squad,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Header {
    /// The first line names the columns.
    Named,
    /// There is none: columns are numbers.
    Absent,
    /// As `Named`, unless the first line has not the names but as many columns as this file.
    Unless(Bare),
}

/// A file without a header beside others that have one, as CoLA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bare {
    /// How many columns it has.
    pub(crate) columns: usize,
    /// The text's, from 1.
    pub(crate) text: usize,
    /// The label's, from 1.
    pub(crate) label: usize,
}

/// Where a part of an example stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Under one of these names.
    Named(Vec<String>),
    /// In the column of this number, from 1.
    Number(usize),
}

impl Column {
    /// One name or several with `|` between them.
    pub(crate) fn named(names: &str) -> Self {
        Self::Named(names.split('|').map(str::to_owned).collect())
    }

    /// `column "label"`, `field "gold_label" or "label"`, `column 2`.
    pub(crate) fn describe(&self, noun: &str) -> String {
        match self {
            Self::Named(names) => format!("{noun} {}", crate::error::listed(names, "or")),
            Self::Number(number) => format!("{noun} {number}"),
        }
    }
}
