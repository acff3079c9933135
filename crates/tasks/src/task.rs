use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{Metric, Scheme};

use crate::file::File;
use crate::form::{Form, Syntax};
use crate::selection::Source;
use crate::{Dataset, Error, conll, jsonl, squad, tsv};

/// A task and where its files are. [`find`](crate::find) makes them.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name, which names folders as well.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What an example of it is.
    pub kind: Kind,
    /// What is to be predicted.
    pub labels: Labels,
    /// What it is measured by; the first is its score. Never empty.
    pub metrics: Vec<Metric>,
    /// The class whose F1 and AUC are meant, of tasks with classes.
    pub positive: Option<usize>,
    /// How the labels of words mark entities: what [`Metric::EntityF1`] reads them by.
    pub scheme: Scheme,
    /// Words that the comparison of answers passes over, of spans: in English "a", "an", "the".
    pub articles: Vec<String>,
    /// Epochs of fine-tuning in the paper, or as `task.toml` says.
    pub epochs: Option<u32>,
    pub(crate) form: Form,
    pub(crate) sources: BTreeMap<Split, Vec<Source>>,
    /// The folder, or the `task.toml`, for messages.
    pub(crate) place: PathBuf,
}

/// What an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, or a pair of them, with one label or several: [`Content::Sequence`](crate::Content::Sequence).
    Sequence {
        /// Whether there are two texts.
        pair: bool,
    },
    /// Words with a label each: [`Content::Tokens`](crate::Content::Tokens).
    Tokens,
    /// Questions with answers in a text: [`Content::Spans`](crate::Content::Spans).
    Spans {
        /// Whether there are questions without an answer, as in SQuAD 2.0.
        unanswerable: bool,
    },
    /// Texts with choices: [`Content::Choice`](crate::Content::Choice).
    Choice,
}

/// What is to be predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// One of these.
    Classes(Vec<String>),
    /// Any number of these: `multi_label_classification` of transformers.
    MultiLabel(Vec<String>),
    /// A number.
    Values {
        /// The lowest possible; −∞ if not known.
        low: f64,
        /// The highest possible; ∞ if not known.
        high: f64,
    },
    /// A part of the example itself: of spans and choices.
    Within,
}

/// One of a task's sets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// The examples to learn from.
    Train,
    /// The examples to measure by.
    Dev,
    /// The examples to be measured once; often without labels.
    Test,
    /// Another dev or test set, `dev-…` or `test-…` by name, such as MNLI's `dev-mismatched`.
    Named(String),
}

impl Split {
    /// Whether it may be without labels.
    #[must_use]
    pub fn is_test(&self) -> bool {
        match self {
            Self::Train | Self::Dev => false,
            Self::Test => true,
            Self::Named(name) => name.starts_with("test"),
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Named(name) => name,
        })
    }
}

impl FromStr for Split {
    type Err = Error;

    /// What [`Display`](fmt::Display) writes.
    fn from_str(name: &str) -> Result<Self, Error> {
        let is_word =
            |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
        match name {
            "train" => Ok(Self::Train),
            "dev" => Ok(Self::Dev),
            "test" => Ok(Self::Test),
            _ if name.strip_prefix("dev-").or(name.strip_prefix("test-")).is_some_and(is_word) => {
                Ok(Self::Named(name.to_owned()))
            }
            _ => Err(Error::UnknownSet { name: name.to_owned() }),
        }
    }
}

impl Task {
    /// The metric that is the task's score.
    #[must_use]
    pub fn score(&self) -> Metric {
        *self.metrics.first().expect("a task is made with at least one metric")
    }

    /// What the files call the choices of multiple choice, by position; empty where they are numbers from 0.
    #[must_use]
    pub fn choice_labels(&self) -> &[String] {
        &self.form.choice_labels
    }

    /// What stands between several labels of a text in its files and in those of predictions.
    #[must_use]
    pub fn separator(&self) -> &str {
        &self.form.separator
    }

    /// The sets whose files are there.
    pub fn splits(&self) -> impl Iterator<Item = &Split> {
        self.sources.keys().filter(|split| self.has(split))
    }

    /// Whether the set's file is there.
    #[must_use]
    pub fn has(&self, split: &Split) -> bool {
        self.source(split).is_ok()
    }

    /// Reads one of the sets.
    ///
    /// # Errors
    /// If there is no such set, or its file is not what the task says; if a train or dev set has no labels.
    pub fn read(&self, split: &Split) -> Result<Dataset, Error> {
        let source = self.source(split)?;
        let file = File::read(&source.path, "examples")?;
        let (examples, left_out) = match &self.form.syntax {
            Syntax::Tsv(header) => tsv::read(self, split, &file, header, &source)?,
            Syntax::Jsonl => (jsonl::read(self, split, &file)?, Vec::new()),
            Syntax::Conll { comments } => (conll::read(self, split, &file, comments)?, Vec::new()),
            Syntax::Squad => squad::read(self, split, &file)?,
        };
        if examples.is_empty() {
            return Err(Error::Empty {
                path: file.path,
                expected: format!("examples of the task {}", self.name),
            });
        }
        Ok(Dataset { path: file.path, examples, left_out })
    }

    /// The first of the files that could be the set, by a path that exists.
    fn source(&self, split: &Split) -> Result<Source, Error> {
        let missing = |expected: String| Error::MissingSet {
            place: self.place.clone(),
            task: self.name.clone(),
            split: split.to_string(),
            expected,
        };
        let Some(candidates) = self.sources.get(split) else {
            let known: Vec<String> = self.sources.keys().map(Split::to_string).collect();
            return Err(missing(format!("one of the sets that it has: {}", known.join(", "))));
        };
        candidates.iter().find_map(Source::existing).ok_or_else(|| {
            let names: Vec<String> = candidates.iter().map(|source| source.describe(self.folder())).collect();
            missing(format!("the file {}", names.join(", or ")))
        })
    }

    /// The folder that the files are in.
    fn folder(&self) -> &Path {
        if self.place.is_dir() { &self.place } else { self.place.parent().unwrap_or(Path::new("")) }
    }
}
