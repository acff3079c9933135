use std::io;
use std::path::{Path, PathBuf};

use crate::file::File;

/// Why a task could not be found or its files not be read. Lines and columns count from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither the table nor a folder has a task of this name.
    #[error(
        "no task {name:?}{}: expected a folder with a task.toml, or one of {known}",
        suggestion.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
    )]
    UnknownTask {
        /// The name as given.
        name: String,
        /// The name in the table that was probably meant.
        suggestion: Option<&'static str>,
        /// All names in the table.
        known: String,
    },

    /// A task of the table was named, and its files are not where they were said to be.
    #[error("{}: no files of the task {task}: expected a folder {task} with {expected}", folder.display())]
    NoFolder {
        /// Where they were looked for.
        folder: PathBuf,
        /// The task.
        task: String,
        /// Files of which one would do.
        expected: String,
    },

    /// A task of the table was named without a folder of data.
    #[error("the task {task} needs a folder of data that holds a folder {task}")]
    NoData {
        /// The task.
        task: String,
    },

    /// The name of a set is none.
    #[error("no set {name:?}; expected train, dev, test, dev-NAME or test-NAME")]
    UnknownSet {
        /// The name as given.
        name: String,
    },

    /// A task lacks a set that is asked for.
    #[error("{}: no {split} set of the task {task}: expected {expected}", place.display())]
    MissingSet {
        /// The task's folder, or its `task.toml`.
        place: PathBuf,
        /// The task.
        task: String,
        /// The set.
        split: String,
        /// The file that would be it.
        expected: String,
    },

    /// A file or folder could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system, or the decoder of a damaged file, said.
        source: io::Error,
    },

    /// A file is of a format that is not read.
    #[error("{}: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The format, and what was expected in its place.
        what: String,
    },

    /// A table has commas between its fields.
    #[error(
        "{}: line 1: CSV is not read: write it with tabs between the fields, or as JSON Lines; found {found}",
        path.display()
    )]
    Csv {
        /// The file.
        path: PathBuf,
        /// Its first line.
        found: String,
    },

    /// A file is not UTF-8.
    #[error("{}: line {line}: not UTF-8 at byte {byte} of the line; convert the file to UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line with the first broken byte.
        line: u64,
        /// That byte in its line, from 1.
        byte: u64,
    },

    /// A file or folder holds no example.
    #[error("{}: nothing in it; expected {expected}", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// What it should hold.
        expected: String,
    },

    /// The first line does not name the columns that are needed.
    #[error("{}: line 1: expected a header with {expected}, found {found}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// The columns that are missing.
        expected: String,
        /// The fields of the line.
        found: String,
    },

    /// A line has more or fewer columns than the first.
    #[error(
        "{}: line {line}: expected {expected} columns as in line {first}, found {found}{}",
        path.display(),
        if *is_cut_off { "; the file ends in the middle of the line and may be cut off" } else { "" }
    )]
    ColumnCount {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The line that it should be like.
        first: u64,
        /// Columns of that line.
        expected: usize,
        /// Columns of this line.
        found: usize,
        /// Whether it is the last line and has no end.
        is_cut_off: bool,
    },

    /// The columns of a file are fewer than a task needs.
    #[error("{}: line {line}: expected at least {expected} columns, found {found}", path.display())]
    FewColumns {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The number of the last column that is needed.
        expected: usize,
        /// Columns of the line.
        found: usize,
    },

    /// A text is empty or white space.
    #[error("{}: line {line}, {column}: empty; expected text", path.display())]
    EmptyText {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column or field.
        column: String,
    },

    /// A label is none of the task's.
    #[error("{}: line {line}, {column}: unknown label {found:?}; expected {expected}", path.display())]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column or field.
        column: String,
        /// The label.
        found: String,
        /// The task's labels.
        expected: String,
    },

    /// A set that needs labels has none.
    #[error("{}: line {line}: no labels: expected {column}, as a {split} set needs them", path.display())]
    Unlabelled {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column or field that should hold them.
        column: String,
        /// The set.
        split: String,
    },

    /// A value is of the wrong form.
    #[error("{}: line {line}, {column}: expected {expected}, found {found}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column or field.
        column: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },

    /// JSON that is broken, or not of the form that is needed.
    #[error("{}: line {line}, column {column}: expected {expected}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// Where in the line the parser stopped.
        column: usize,
        /// What should be there.
        expected: &'static str,
        /// What the parser said.
        reason: String,
    },

    /// A question in SQuAD's form whose answers cannot be used.
    #[error("{}: line {line}, question {id:?}: {what}", path.display())]
    Question {
        /// The file.
        path: PathBuf,
        /// The line with its id.
        line: u64,
        /// Its id.
        id: String,
        /// What is wrong, and what was expected.
        what: String,
    },

    /// A `task.toml` cannot be read or does not describe a task: the message names the key and its line.
    #[error(transparent)]
    Definition(#[from] electra_store::Error),
}

impl Error {
    /// An [`Error::Io`] with its place, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// What `serde_json` said; `line` is where the text that it read begins.
    pub(crate) fn json(file: &File, line: u64, expected: &'static str, error: &serde_json::Error) -> Self {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let mut reason = error.to_string().replace(&place, "");
        let line = line + (error.line() as u64).saturating_sub(1);
        if error.is_eof() && line < file.last_line() {
            // Of lines that are parsed one by one, the end of any is an end of file to the parser.
            reason = reason.replace("EOF while", "the line ends while");
        } else if error.is_eof() {
            reason.push_str("; the file may be cut off");
        } else if let Some((_, expected)) = reason.split_once("invalid length 0, ") {
            // An object may be written as a list of its fields, too, of which an empty one has none.
            reason = format!("an empty list, {expected}");
        }
        Self::Json { path: file.path.clone(), line, column: error.column(), expected, reason }
    }
}

/// As many characters of a value as a message can hold.
const SHORT: usize = 60;

/// A value for a message: a field may be the whole rest of a broken file.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `"a", "b" or "c"`.
pub(crate) fn listed<S: AsRef<str>>(names: &[S], conjunction: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{:?}", short(name.as_ref()))).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// The known name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &str| strsim::osa_distance(&name.to_lowercase(), &other.to_lowercase());
    let (distance, nearest) =
        known.into_iter().map(|other| (distance(other), other)).min_by_key(|pair| pair.0)?;
    (distance <= 1 + name.chars().count() / 3).then_some(nearest)
}
