//! What a `task.toml` says, before it is known whether it makes sense.

use std::collections::BTreeMap;
use std::fmt;

use electra_metrics::Scheme;
use serde::Deserialize;
use toml::Value;

use crate::multi_label::Encoding;

/// The file as it is written. The crate's README explains each key.
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
    pub(super) multi_label: Option<bool>,
    pub(super) separator: Option<String>,
    pub(super) label_encoding: Option<Encoding>,
    pub(super) regression: Option<bool>,
    pub(super) range: Option<[f64; 2]>,
    pub(super) positive: Option<String>,
    pub(super) metrics: Option<Vec<String>>,
    pub(super) scheme: Option<Scheme>,
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
