//! Tasks of one's own: `task.toml`.

mod raw;
mod target;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use electra_store::Error as StoreError;
use electra_store::settings::{Origin, find, parse};
use toml::{Table, Value};

use crate::error::{listed, nearest};
use crate::file::File;
use crate::form::{Column, Form, Header, Syntax};
use crate::selection::Source;
use crate::{Error, Kind, Split, Task};
use raw::{Broken, Empty, Raw, RawForm, RawKind};

/// The keys that every task has, and what they hold.
const REQUIRED: [(&str, &str); 2] = [
    ("kind", "\"sequence\", \"tokens\", \"spans\" or \"choice\""),
    ("files", "a section [files] with train, dev or test"),
];

/// Reads a `task.toml`.
pub(crate) fn read(path: &Path) -> Result<Task, Error> {
    let file = File::read(path, "a task's description")?;
    let name = path.display().to_string();
    let table = parse(&name, &file.text)?;
    let origin = Origin { name: &name, text: Some(&file.text), set: &[] };
    for (key, expected) in REQUIRED {
        if find(&table, key).is_none() {
            return Err(StoreError::MissingKey { origin: name, key, expected }.into());
        }
    }
    Definition { path, origin, raw: origin.read(table.clone())?, table }.task()
}

struct Definition<'a> {
    path: &'a Path,
    origin: Origin<'a>,
    raw: Raw,
    table: Table,
}

impl Definition<'_> {
    /// An error about a key, which may be missing.
    fn refuse(&self, key: &str, what: impl fmt::Display) -> Error {
        StoreError::Toml { origin: self.origin.place(key), message: format!("{key}: {what}") }.into()
    }

    fn task(self) -> Result<Task, Error> {
        let form = self.form()?;
        self.check_keys(form)?;
        let raw = &self.raw;
        let kind = match raw.kind {
            RawKind::Sequence => {
                Kind::Sequence { pair: raw.text.as_ref().and_then(Value::as_array).map_or(0, Vec::len) == 2 }
            }
            RawKind::Tokens => Kind::Tokens,
            RawKind::Spans => Kind::Spans { unanswerable: raw.unanswerable.unwrap_or(false) },
            RawKind::Choice => Kind::Choice,
        };
        let labels = self.labels()?;
        let metrics = self.metrics(&labels)?;
        let positive = self.positive(&labels, &metrics)?;
        let scheme = self.scheme(&labels, &metrics)?;
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let name = raw.name.clone().unwrap_or_else(|| folder_name(folder));
        if ["", ".", ".."].contains(&name.as_str()) || name.contains(['/', '\\']) {
            return Err(self.refuse("name", format!("{name:?}; expected a name that a folder can have")));
        }
        Ok(Task {
            title: raw.title.clone().unwrap_or_else(|| name.clone()),
            name,
            kind,
            labels,
            metrics,
            positive,
            scheme,
            articles: raw.articles.clone().unwrap_or_default(),
            epochs: raw.epochs,
            form: self.columns(form)?,
            sources: self.sources(folder)?,
            place: self.path.to_owned(),
        })
    }

    /// As it is said, or else by kind and by the names of the files.
    fn form(&self) -> Result<RawForm, Error> {
        let kind = self.raw.kind;
        let fitting: &[RawForm] = match kind {
            RawKind::Sequence | RawKind::Choice => &[RawForm::Tsv, RawForm::Jsonl],
            RawKind::Tokens => &[RawForm::Conll, RawForm::Jsonl],
            RawKind::Spans => &[RawForm::Squad],
        };
        let is_jsonl = |file: &String| {
            let name = file.strip_suffix(".gz").or(file.strip_suffix(".zst")).unwrap_or(file);
            [".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending))
        };
        let form = match self.raw.form {
            Some(form) => form,
            None if fitting.contains(&RawForm::Jsonl) && self.raw.files.values().any(is_jsonl) => {
                RawForm::Jsonl
            }
            None => fitting[0],
        };
        if !fitting.contains(&form) {
            let fitting: Vec<String> = fitting.iter().map(RawForm::to_string).collect();
            let expected = listed(&fitting, "or");
            return Err(self.refuse(
                "form",
                format!("\"{form}\" is not a form of kind = \"{kind}\"; expected {expected}"),
            ));
        }
        Ok(form)
    }

    /// Refuses keys that would have no effect.
    fn check_keys(&self, form: RawForm) -> Result<(), Error> {
        let kind = self.raw.kind;
        let is_spans = kind == RawKind::Spans;
        let is_regression = self.is_regression();
        let is_multi_label = self.is_multi_label();
        let has_classes = matches!(kind, RawKind::Sequence | RawKind::Tokens) && !is_regression;
        let tabular = matches!(form, RawForm::Tsv | RawForm::Jsonl);
        let of_kind = |kind: RawKind| format!("kind = \"{kind}\"");
        let of_form = format!("form = \"{form}\"");
        let [regression, multi_label] = ["regression", "multi_label"].map(|key| format!("{key} = true"));
        let rules = [
            ("text", !is_spans, of_kind(kind)),
            ("label", !is_spans, of_kind(kind)),
            ("labels", !is_spans, of_kind(kind)),
            ("choices", kind == RawKind::Choice, of_kind(kind)),
            ("regression", kind == RawKind::Sequence, of_kind(kind)),
            ("multi_label", kind == RawKind::Sequence, of_kind(kind)),
            ("regression", !is_multi_label, multi_label.clone()),
            ("positive", !is_multi_label, multi_label),
            ("separator", is_multi_label, "one label a text".to_owned()),
            ("label_encoding", has_classes, "labels that are no classes".to_owned()),
            ("label_encoding", !self.has_label_columns(), "a column for each label".to_owned()),
            ("unanswerable", is_spans, of_kind(kind)),
            ("articles", is_spans, of_kind(kind)),
            ("positive", matches!(kind, RawKind::Sequence | RawKind::Tokens), of_kind(kind)),
            ("labels", !is_regression, regression.clone()),
            ("positive", !is_regression, regression),
            ("range", is_regression, "labels that are classes".to_owned()),
            ("header", form == RawForm::Tsv, of_form.clone()),
            ("broken", matches!(form, RawForm::Tsv | RawForm::Squad), of_form.clone()),
            ("scheme", kind == RawKind::Tokens, of_kind(kind)),
            ("index", tabular, of_form.clone()),
            ("empty", tabular && kind != RawKind::Tokens, of_kind(kind)),
            ("comments", form == RawForm::Conll, of_form),
        ];
        match rules.iter().find(|(key, applies, _)| !applies && self.table.contains_key(*key)) {
            Some((key, _, context)) => {
                Err(self.refuse(key, format!("has no meaning with {context}; take it out")))
            }
            None => Ok(()),
        }
    }

    fn columns(&self, form: RawForm) -> Result<Form, Error> {
        let raw = &self.raw;
        let numbered = form == RawForm::Conll || raw.header == Some(false);
        let text = match (&raw.text, raw.kind) {
            (Some(value), _) => self.many("text", value, numbered)?,
            (None, RawKind::Spans) => Vec::new(),
            (None, _) if form == RawForm::Conll => vec![Column::Number(1)],
            (None, _) => {
                return Err(self.refuse("text", "missing; expected the column of the text, or a list of two"));
            }
        };
        let most = if raw.kind == RawKind::Tokens { 1 } else { 2 };
        if text.len() > most {
            return Err(self.refuse(
                "text",
                format!("{} columns; expected {}", text.len(), if most == 1 { "one" } else { "one or two" }),
            ));
        }
        let choices = match (&raw.choices, raw.kind) {
            (Some(value), _) => self.many("choices", value, numbered)?,
            (None, RawKind::Choice) => {
                return Err(self.refuse("choices", "missing; expected a list of columns"));
            }
            (None, _) => Vec::new(),
        };
        if raw.kind == RawKind::Choice && choices.len() == 1 && form == RawForm::Tsv {
            return Err(self.refuse("choices", "one column; expected two or more"));
        }
        let label = match &raw.label {
            Some(value @ Value::Array(_)) if self.is_multi_label() => self.many("label", value, numbered)?,
            Some(value) => vec![self.column("label", value, numbered)?],
            None if raw.kind == RawKind::Spans || form == RawForm::Conll => Vec::new(),
            None => return Err(self.refuse("label", "missing; expected the column of the label")),
        };
        let index = raw.index.as_ref().map(|value| self.column("index", value, numbered)).transpose()?;
        let syntax = match form {
            RawForm::Tsv if numbered => Syntax::Tsv(Header::Absent),
            RawForm::Tsv => Syntax::Tsv(Header::Named),
            RawForm::Jsonl => Syntax::Jsonl,
            RawForm::Conll => Syntax::Conll { comments: raw.comments.clone().unwrap_or_default() },
            RawForm::Squad => Syntax::Squad,
        };
        Ok(Form {
            syntax,
            text,
            choices,
            label,
            encoding: self.encoding()?,
            separator: self.separator()?.to_owned(),
            index,
            needs_index: true,
            choice_labels: if raw.kind == RawKind::Choice {
                raw.labels.clone().unwrap_or_default()
            } else {
                Vec::new()
            },
            keeps_empty: raw.empty == Some(Empty::Keep),
            skips_broken: raw.broken == Some(Broken::Skip),
        })
    }

    fn many(&self, key: &str, value: &Value, numbered: bool) -> Result<Vec<Column>, Error> {
        match value {
            Value::Array(values) if values.is_empty() => {
                Err(self.refuse(key, "an empty list; expected columns"))
            }
            Value::Array(values) => values.iter().map(|value| self.column(key, value, numbered)).collect(),
            value => Ok(vec![self.column(key, value, numbered)?]),
        }
    }

    fn column(&self, key: &str, value: &Value, numbered: bool) -> Result<Column, Error> {
        match value {
            Value::String(name) if !numbered => Ok(Column::Named(vec![name.clone()])),
            Value::Integer(number) if numbered && *number > 0 => {
                Ok(Column::Number(usize::try_from(*number).unwrap_or(usize::MAX)))
            }
            value if numbered => Err(self.refuse(
                key,
                format!("{value}; expected the number of a column, from 1, as there is no header"),
            )),
            value => Err(self.refuse(key, format!("{value}; expected the name of a column or field"))),
        }
    }

    fn sources(&self, folder: &Path) -> Result<BTreeMap<Split, Vec<Source>>, Error> {
        if self.raw.files.is_empty() {
            return Err(self.refuse("files", "none; expected train, dev or test"));
        }
        let mut sources = BTreeMap::new();
        for (name, file) in &self.raw.files {
            let split = name.parse().map_err(|what: Error| {
                let suggestion =
                    nearest(name, ["train", "dev", "test"]).map(|known| format!("; did you mean {known}?"));
                self.refuse(&format!("files.{name}"), format!("{what}{}", suggestion.unwrap_or_default()))
            })?;
            if file.is_empty() {
                return Err(self.refuse(&format!("files.{name}"), "no name; expected a file's name"));
            }
            sources.insert(split, vec![Source::file(folder.join(file))]);
        }
        Ok(sources)
    }
}

/// What a folder is called; `.` is a folder, too.
fn folder_name(folder: &Path) -> String {
    let whole = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let whole = whole.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
