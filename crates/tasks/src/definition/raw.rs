//! What a `task.toml` says, before it is known whether it makes sense.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use toml::Value;
use toml::de::DeTable;

use crate::Error;
use crate::error::nearest;

/// The keys, for suggestions; those of `Raw`.
const KEYS: [&str; 21] = [
    "articles",
    "broken",
    "choices",
    "comments",
    "empty",
    "epochs",
    "files",
    "form",
    "header",
    "index",
    "kind",
    "label",
    "labels",
    "metrics",
    "name",
    "positive",
    "range",
    "regression",
    "text",
    "title",
    "unanswerable",
];

/// The keys that every task has, and what they hold.
const REQUIRED: [(&str, &str); 2] = [
    ("kind", "\"sequence\", \"tokens\", \"spans\" or \"choice\""),
    ("files", "a section [files] with train, dev or test"),
];

/// The file as it is written; what each key means stands in the crate's README.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) kind: RawKind,
    pub(super) form: Option<RawForm>,
    pub(super) header: Option<bool>,
    pub(super) text: Option<Value>,
    pub(super) choices: Option<Value>,
    pub(super) label: Option<Value>,
    pub(super) index: Option<Value>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) regression: Option<bool>,
    pub(super) range: Option<[f64; 2]>,
    pub(super) positive: Option<String>,
    pub(super) metrics: Option<Vec<String>>,
    pub(super) empty: Option<Empty>,
    pub(super) broken: Option<Broken>,
    pub(super) comments: Option<Vec<String>>,
    pub(super) unanswerable: Option<bool>,
    pub(super) articles: Option<Vec<String>>,
    pub(super) epochs: Option<u32>,
    pub(super) files: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawKind {
    Sequence,
    Tokens,
    Spans,
    Choice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawForm {
    Tsv,
    Jsonl,
    Conll,
    Squad,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Empty {
    Error,
    Keep,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Broken {
    Error,
    Skip,
}

impl fmt::Display for RawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sequence => "sequence",
            Self::Tokens => "tokens",
            Self::Spans => "spans",
            Self::Choice => "choice",
        })
    }
}

impl fmt::Display for RawForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::Conll => "conll",
            Self::Squad => "squad",
        })
    }
}

/// The keys' values, and the line of each key (of sections too, as `files.dev`).
pub(super) fn parse(path: &Path, text: &str) -> Result<(Raw, BTreeMap<String, u64>), Error> {
    let line_at = |offset: usize| 1 + text[..offset].matches('\n').count() as u64;
    let refuse = |line, what| Error::Definition { path: path.to_owned(), line, what };
    let broken = |error: &toml::de::Error| {
        (error.span().map(|span| line_at(span.start)), error.message().trim().replace('\n', ", "))
    };
    let table = DeTable::parse(text).map_err(|error| {
        let (line, what) = broken(&error);
        refuse(line, what)
    })?;

    let mut lines = BTreeMap::new();
    let mut values = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, line) = (key.get_ref().to_string(), line_at(key.span().start));
        if !KEYS.contains(&name.as_str()) {
            let suggestion = nearest(&name, KEYS).map(|known| format!("; did you mean {known}?"));
            let what = format!("there is no key {name}{}", suggestion.unwrap_or_default());
            return Err(refuse(Some(line), what));
        }
        for (key, _) in value.get_ref().as_table().into_iter().flatten() {
            lines.insert(format!("{name}.{}", key.get_ref()), line_at(key.span().start));
        }
        values.push((value.span(), name.clone()));
        lines.insert(name, line);
    }
    for (key, expected) in REQUIRED {
        if !lines.contains_key(key) {
            return Err(refuse(None, format!("{key}: missing; expected {expected}")));
        }
    }
    let raw = toml::from_str(text).map_err(|error| {
        let (line, what) = broken(&error);
        let start = error.span().map_or(usize::MAX, |span| span.start);
        match values.iter().find(|(span, _)| span.contains(&start)) {
            Some((_, key)) => refuse(line, format!("{key}: {what}")),
            None => refuse(line, what),
        }
    })?;
    Ok((raw, lines))
}
