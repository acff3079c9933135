use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::{Error, Format};

/// One source of text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// A file.
    File {
        /// Where it lies.
        path: PathBuf,
        /// Its size on disk in bytes; `None` for a pipe or a device.
        bytes: Option<u64>,
    },
    /// Standard input, which may be compressed but not Parquet.
    Stdin,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => path.display().fmt(f),
            Self::Stdin => f.write_str("<stdin>"),
        }
    }
}

/// Files in a fixed order, found by [`Inputs::expand`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    inputs: Vec<Input>,
    left_out: Vec<PathBuf>,
}

impl Inputs {
    /// Turns what a user names into files, in the order named.
    ///
    /// * A file is taken whatever its name.
    /// * A folder is searched recursively, in the order of the paths, for files with an extension that
    ///   [`Format::from_path`] knows. Hidden files and folders are skipped, links are followed. Files beside
    ///   a `tokenizer_config.json` or `corpus.json` are parts of these, such as `vocab.txt`, and left out.
    /// * Anything with `*`, `?` or `[` that is not the name of a file is a glob pattern; its files are taken
    ///   in sorted order whatever their names, folders are not entered (`**` reaches into them).
    /// * `-` is standard input.
    ///
    /// What a folder or pattern held but was not taken is in [`left_out`](Self::left_out).
    ///
    /// # Errors
    /// Nothing named, a name that does not exist, a pattern without a match, a folder without text, a file
    /// that cannot be opened, and the same file reached twice, which is nearly always a slip and would weigh
    /// its text double unseen.
    pub fn expand<S: AsRef<OsStr>>(names: &[S]) -> Result<Self, Error> {
        if names.is_empty() {
            return Err(Error::NoInput);
        }
        let mut expansion =
            Expansion { inputs: Self { inputs: Vec::new(), left_out: Vec::new() }, seen: HashMap::new() };
        for name in names {
            expansion.add(name.as_ref())?;
        }
        Ok(expansion.inputs)
    }

    /// The files in reading order.
    pub fn as_slice(&self) -> &[Input] {
        &self.inputs
    }

    pub(crate) fn into_vec(self) -> Vec<Input> {
        self.inputs
    }

    /// What a folder or glob pattern held that was not taken: files with unknown extensions, parts of
    /// tokenizers and corpora, hidden files,
    /// hidden folders (as one entry each), and folders that a pattern matched.
    pub fn left_out(&self) -> &[PathBuf] {
        &self.left_out
    }

    /// Bytes on disk of all files; `None` if standard input, a pipe or a device is among them.
    pub fn total_bytes(&self) -> Option<u64> {
        self.inputs
            .iter()
            .map(|input| match input {
                Input::File { bytes, .. } => *bytes,
                Input::Stdin => None,
            })
            .sum()
    }
}

/// Whether the file belongs to a tokenizer or a corpus, whose vocab.txt is not text to train on.
fn is_part(file: &Path) -> bool {
    ["tokenizer_config.json", "corpus.json"].iter().any(|mark| file.with_file_name(mark).exists())
}

/// As the system said it; a loop of links is not an error of the system.
fn system_error(error: walkdir::Error) -> io::Error {
    let shown = error.to_string();
    error.into_io_error().unwrap_or_else(|| io::Error::other(shown))
}

struct Expansion {
    inputs: Inputs,
    /// Real path of each file and the name that brought it.
    seen: HashMap<PathBuf, OsString>,
}

impl Expansion {
    fn add(&mut self, name: &OsStr) -> Result<(), Error> {
        let path = Path::new(name);
        if name == "-" {
            self.check_new(PathBuf::from("<stdin>"), name)?;
            self.inputs.inputs.push(Input::Stdin);
            return Ok(());
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, name),
            Ok(_) => self.file(path, name),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match name.to_str() {
                Some(pattern) if pattern.contains(['*', '?', '[']) => self.pattern(pattern),
                _ => Err(Error::NotFound { path: path.to_owned() }),
            },
            Err(source) => Err(Error::Io { path: path.to_owned(), source }),
        }
    }

    fn file(&mut self, path: &Path, name: &OsStr) -> Result<(), Error> {
        let unreadable = |source| Error::Io { path: path.to_owned(), source };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        let bytes = if metadata.is_file() {
            // Better to hear of a file without read permission now than hours into a run. A pipe must not be
            // opened twice.
            File::open(path).map_err(unreadable)?;
            Some(metadata.len())
        } else {
            None
        };
        self.check_new(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()), name)?;
        self.inputs.inputs.push(Input::File { path: path.to_owned(), bytes });
        Ok(())
    }

    fn folder(&mut self, folder: &Path, name: &OsStr) -> Result<(), Error> {
        let (before, left_out_before) = (self.inputs.inputs.len(), self.inputs.left_out.len());
        let mut walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = entry.map_err(|error| Error::Io {
                path: error.path().unwrap_or(folder).to_owned(),
                source: system_error(error),
            })?;
            let hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
            if entry.file_type().is_dir() {
                if hidden {
                    self.inputs.left_out.push(entry.into_path());
                    walk.skip_current_dir();
                }
            } else if hidden || Format::from_path(entry.path()).is_none() || is_part(entry.path()) {
                self.inputs.left_out.push(entry.into_path());
            } else {
                self.file(entry.path(), name)?;
            }
        }
        if self.inputs.inputs.len() == before {
            let left_out = self.inputs.left_out.len() - left_out_before;
            return Err(Error::NoText { folder: folder.to_owned(), left_out });
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), Error> {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
        let paths = glob::glob_with(pattern, options)
            .map_err(|error| Error::Pattern { pattern: pattern.to_owned(), reason: error.to_string() })?;
        let mut paths = paths
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::Io { path: error.path().to_owned(), source: error.into() })?;
        paths.sort();
        let before = self.inputs.inputs.len();
        for path in paths {
            if path.is_dir() {
                self.inputs.left_out.push(path);
            } else {
                self.file(&path, pattern.as_ref())?;
            }
        }
        if self.inputs.inputs.len() == before {
            return Err(Error::NoMatch { pattern: pattern.to_owned() });
        }
        Ok(())
    }

    fn check_new(&mut self, real: PathBuf, name: &OsStr) -> Result<(), Error> {
        if let Some(first) = self.seen.get(&real) {
            let shown = |name: &OsStr| name.to_string_lossy().into_owned();
            return Err(Error::Repeated { path: real, first: shown(first), second: shown(name) });
        }
        self.seen.insert(real, name.to_owned());
        Ok(())
    }
}
