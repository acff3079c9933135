//! Files that could be a set, and the part of them that is it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::listed;
use crate::file::File;

/// The columns that name a pair of MRPC.
pub(crate) const PAIR: [&str; 2] = ["#1 ID", "#2 ID"];

/// A file, or those of its pairs that another file lists or does not list.
///
/// Microsoft's own file of MRPC has the train and dev set in one; GLUE's list of ids parts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) selection: Option<Selection>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The file that lists pairs.
    pub(crate) path: PathBuf,
    /// Whether the listed pairs are meant, or the others.
    pub(crate) listed: bool,
}

impl Source {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self { path, selection: None }
    }

    /// `A`, `A & B` (those pairs of A that B lists) or `A - B` (the others).
    pub(crate) fn parse(folder: &Path, text: &str) -> Self {
        for (sign, listed) in [(" & ", true), (" - ", false)] {
            if let Some((file, list)) = text.split_once(sign) {
                let selection = Selection { path: folder.join(list), listed };
                return Self { path: folder.join(file), selection: Some(selection) };
            }
        }
        Self::file(folder.join(text))
    }

    /// The same with the paths that exist: as named, or compressed.
    pub(crate) fn existing(&self) -> Option<Self> {
        let selection = match &self.selection {
            Some(selection) => Some(Selection { path: existing(&selection.path)?, ..*selection }),
            None => None,
        };
        Some(Self { path: existing(&self.path)?, selection })
    }

    /// What a message calls it, by names within `folder`.
    pub(crate) fn describe(&self, folder: &Path) -> String {
        let name = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
        match &self.selection {
            Some(selection) => format!("{} with {}", name(&self.path), name(&selection.path)),
            None => name(&self.path),
        }
    }
}

fn existing(path: &Path) -> Option<PathBuf> {
    ["", ".gz", ".zst"].into_iter().find_map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        path.exists().then_some(path)
    })
}

impl Selection {
    /// The pairs of ids that the file lists, under the names of [`PAIR`] or, without a header, in its first two
    /// columns.
    pub(crate) fn pairs(&self) -> Result<HashSet<(String, String)>, Error> {
        let file = File::read(&self.path, "ids of pairs")?;
        let mut lines = file.lines().peekable();
        let names: Vec<&str> = lines.peek().map(|(_, text)| text.split('\t').collect()).unwrap_or_default();
        let place = |name| names.iter().position(|other| *other == name);
        let columns = match (place(PAIR[0]), place(PAIR[1])) {
            (Some(first), Some(second)) => {
                lines.next();
                [first, second]
            }
            _ if names.len() == 2 => [0, 1],
            _ => {
                return Err(Error::Header {
                    path: self.path.clone(),
                    expected: format!("the columns {}, or two columns with ids", listed(&PAIR, "and")),
                    found: listed(&names, "and"),
                });
            }
        };
        let few = |line, found| Error::FewColumns {
            path: self.path.clone(),
            line,
            expected: columns[0].max(columns[1]) + 1,
            found,
        };
        lines
            .map(|(line, text)| {
                let fields: Vec<&str> = text.split('\t').collect();
                match (fields.get(columns[0]), fields.get(columns[1])) {
                    (Some(first), Some(second)) => Ok(((*first).to_owned(), (*second).to_owned())),
                    _ => Err(few(line, fields.len())),
                }
            })
            .collect()
    }
}
