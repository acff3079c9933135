//! Tests of electra-tasks as its users call it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod bytes;
mod conll;
mod definition;
mod finding;
mod glue;
mod jsonl;
mod minimal_pairs;
mod multi_label;
mod properties;
mod squad;
mod tsv;

use std::fs;
use std::path::Path;

use electra_tasks::{Content, Dataset, Error, Label, Split, Task, find};
use tempfile::TempDir;

/// A folder of files that is gone after the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::Builder::new().prefix("task").tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text.as_bytes());
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A task by its name in the table, or of the folder's `task.toml`.
    pub(crate) fn find(&self, name: &str) -> Result<Task, Error> {
        find(name, Some(self.path()))
    }

    pub(crate) fn own(&self) -> Task {
        find(self.path().to_str().unwrap(), None).unwrap()
    }

    pub(crate) fn read(&self, name: &str, split: &str) -> Result<Dataset, Error> {
        self.find(name)?.read(&split.parse()?)
    }

    /// A message without the folder's path.
    pub(crate) fn message<T: std::fmt::Debug>(&self, result: Result<T, Error>) -> String {
        self.relative(&result.unwrap_err().to_string())
    }

    pub(crate) fn relative(&self, message: &str) -> String {
        let folder = self.path().display().to_string();
        message.replace(&format!("{folder}/"), "").replace(&folder, "DATA")
    }
}

/// The message of reading `train.tsv` or the like with this `task.toml`; each file by its name.
pub(crate) fn refused(files: &[(&str, &str)], split: &Split) -> String {
    let folder = Folder::new(files);
    let result = folder.own().read(split);
    folder.message(result)
}

/// The message of a `task.toml` that describes no task.
pub(crate) fn no_task(definition: &str) -> String {
    let folder = Folder::new(&[("task.toml", definition)]);
    let result = find(folder.path().to_str().unwrap(), None);
    folder.message(result)
}

pub(crate) fn sentence(text: &str, label: Option<Label>) -> Content {
    Content::Sequence { text: text.to_owned(), pair: None, label }
}

pub(crate) fn pair(text: &str, pair: &str, label: Option<Label>) -> Content {
    Content::Sequence { text: text.to_owned(), pair: Some(pair.to_owned()), label }
}

/// Index and content of each example.
pub(crate) fn examples(dataset: &Dataset) -> Vec<(&str, Content)> {
    dataset.examples.iter().map(|example| (example.index.as_str(), example.content.clone())).collect()
}
