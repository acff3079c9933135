use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::nearest;
use crate::form::{Column, Form, Header, SEPARATOR, Syntax};
use crate::multi_label::Encoding;
use crate::selection::Source;
use crate::table::{Entry, TABLE, Target};
use crate::{Error, Kind, Labels, Split, Task, definition};
use crate::{Metric, Scheme};

/// The file that describes a task of one's own.
const DEFINITION: &str = "task.toml";

/// Finds a task.
///
/// `name` is a folder with a `task.toml`, or that file, or a folder of a task of [`TABLE`], or a name. A name is
/// looked for in `data`: a folder in it with a `task.toml`, or else, for a task of the table, a folder with its
/// files. `data` may also be the task's own folder. Names of folders may differ in case, hyphens and dots.
///
/// # Errors
/// If there is no such task or no such folder, or a `task.toml` does not describe a task. Files are looked at
/// when they are read.
pub fn find(name: impl AsRef<Path>, data: Option<&Path>) -> Result<Task, Error> {
    let path = name.as_ref();
    if path.extension().is_some_and(|extension| extension == "toml") {
        return definition::read(path);
    }
    if path.join(DEFINITION).is_file() {
        return definition::read(&path.join(DEFINITION));
    }
    if path.components().count() > 1
        && path.is_dir()
        && let Some(entry) = path.file_name().and_then(|name| entry(&name.to_string_lossy()))
    {
        return Ok(entry.task(path));
    }

    let name = &*path.to_string_lossy();
    let known = entry(name);
    let names: Vec<String> = match known {
        Some(entry) => entry.names().map(plain).collect(),
        None => vec![plain(name)],
    };
    if let Some(data) = data {
        let mut folders = folders(data, &names)?;
        if let Some(folder) = folders.iter().find(|folder| folder.join(DEFINITION).is_file()) {
            return definition::read(&folder.join(DEFINITION));
        }
        if data.join(DEFINITION).is_file() {
            let task = definition::read(&data.join(DEFINITION))?;
            if names.contains(&plain(&task.name)) {
                return Ok(task);
            }
        }
        if let Some(entry) = known {
            folders.push(data.to_owned());
            let tasks = folders.iter().map(|folder| entry.task(folder));
            let found = tasks.into_iter().find(|task| task.splits().next().is_some());
            return found.ok_or_else(|| Error::NoFolder {
                folder: data.to_owned(),
                task: entry.name.to_owned(),
                expected: entry.files.iter().map(|(_, files)| files[0]).collect::<Vec<_>>().join(", "),
            });
        }
    }
    Err(match known {
        Some(entry) => Error::NoData { task: entry.name.to_owned() },
        None => Error::UnknownTask {
            name: name.to_owned(),
            suggestion: nearest(name, TABLE.iter().map(|entry| entry.name)),
            known: TABLE.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
        },
    })
}

/// A name without what may differ.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn entry(name: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| plain(entry.name) == plain(name))
}

/// The folders in `data` with one of these names, in the order of the names.
fn folders(data: &Path, names: &[String]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for each in fs::read_dir(data).map_err(Error::io(data))? {
        let path = each.map_err(Error::io(data))?.path();
        let name = plain(&path.file_name().unwrap_or_default().to_string_lossy());
        if let Some(rank) = names.iter().position(|other| *other == name)
            && path.is_dir()
        {
            found.push((rank, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

impl Entry {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.folders.iter().copied())
    }

    /// The task with its files in `folder`.
    fn task(&self, folder: &Path) -> Task {
        let classes = |names: &[&str]| Labels::Classes(names.iter().map(|&name| name.to_owned()).collect());
        let sequence = Kind::Sequence { pair: self.text.len() == 2 };
        let (kind, labels) = match self.target {
            Target::Classes(names) => (sequence, classes(names)),
            Target::Values(low, high) => (sequence, Labels::Values { low, high }),
            Target::Spans(unanswerable) => (Kind::Spans { unanswerable }, Labels::Within),
        };
        let is_spans = labels == Labels::Within;
        let syntax = match self.bare {
            _ if is_spans => Syntax::Squad,
            Some(bare) => Syntax::Tsv(Header::Unless(bare)),
            None => Syntax::Tsv(Header::Named),
        };
        let form = Form {
            syntax,
            text: self.text.iter().map(|names| Column::named(names)).collect(),
            choices: Vec::new(),
            label: vec![Column::named(self.label)],
            encoding: Encoding::default(),
            separator: SEPARATOR.to_owned(),
            index: Some(Column::named("index|id")),
            needs_index: false,
            choice_labels: Vec::new(),
            keeps_empty: self.is_flawed,
            skips_broken: self.is_flawed,
        };
        let sources: BTreeMap<Split, Vec<Source>> = self
            .files
            .iter()
            .map(|(split, files)| {
                let split = split.parse().expect("the table names sets");
                (split, files.iter().map(|file| Source::parse(folder, file)).collect())
            })
            .collect();
        let articles: &[&str] = if is_spans { &["a", "an", "the"] } else { &[] };
        Task {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            kind,
            labels,
            metrics: self.metrics.to_vec(),
            positive: self.metrics.contains(&Metric::F1).then_some(1),
            scheme: Scheme::default(),
            articles: articles.iter().map(|&word| word.to_owned()).collect(),
            epochs: Some(self.epochs),
            form,
            sources,
            place: folder.to_owned(),
        }
    }
}
