//! `cargo xtask tidy`: the rules of this workspace that a command can check.
//!
//! Each check is a function from what it reads to its findings, and each has a test with an example that
//! breaks the rule.

mod crates;
mod docs;
mod files;
mod graph;
mod reads;
mod rust;
mod sources;

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(crate) const HELP: &str = "Checked:
  - nothing below the libtorch line reaches libtorch, nor one another beyond electra-text
  - nor does the program without its feature `torch`
  - `unsafe` and C++ only in crates/torch, and in the one memory map of crates/data/src/map.rs
  - the crates named in README.md and docs/architecture.md are those that exist
  - each crate has a README that is its documentation, its metadata, the workspace's lints and versions
  - no code that is still to be written, no ignored tests
  - no file taken into memory without a limit
  - no paths of one machine, no files over 1 MiB, a README with every record of benches/records

Example:
  cargo xtask tidy && echo tidy";

/// A rule broken at a place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    /// Counted from 1; 0 where the finding is about the whole file.
    line: usize,
    message: String,
}

impl Finding {
    fn new(file: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// A file of the repository: its path below the root, with `/`, its size, and its text if it is UTF-8.
struct Source {
    path: String,
    size: u64,
    text: Option<String>,
}

/// Runs every check and prints every finding.
pub(crate) fn run() -> Result<()> {
    let sources = sources()?;
    let metadata = metadata()?;
    let mut findings = graph::check(&metadata);
    let below = graph::WITHOUT_LIBTORCH.iter().map(|words| Ok((words.join(" "), tree(words)?)));
    findings.extend(graph::check_trees(&below.collect::<Result<Vec<_>>>()?, &tree(&["electra-cli"])?));
    findings.extend(crates::check(&metadata, &sources));
    findings.extend(docs::check(&metadata, &sources));
    findings.extend(sources::check(&sources));
    findings.extend(reads::check(&sources));
    findings.extend(files::check(&sources));
    findings.sort();
    for finding in &findings {
        crate::output::line(finding)?;
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("tidy: 1 finding"),
        count => bail!("tidy: {count} findings"),
    }
}

/// The files that are committed or would be.
fn sources() -> Result<Vec<Source>> {
    let root = workspace::root();
    let mut git = Command::new("git");
    git.current_dir(&root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let list = workspace::output(&mut git)?;
    let list = String::from_utf8(list).context("a file's name is not UTF-8")?;
    let mut paths: Vec<_> = list.split('\0').filter(|path| !path.is_empty()).collect();
    paths.dedup();
    let mut sources = Vec::new();
    for path in paths {
        let full: PathBuf = root.join(path);
        // What is deleted but not yet committed so is listed too.
        if full.is_file() {
            let bytes = fs::read(&full).with_context(|| format!("cannot read {path}"))?;
            let size = bytes.len() as u64;
            sources.push(Source { path: path.to_owned(), size, text: String::from_utf8(bytes).ok() });
        }
    }
    Ok(sources)
}

/// `cargo metadata` with every feature on, so that an optional dependency breaks a rule too.
fn metadata() -> Result<serde_json::Value> {
    let args = ["metadata", "--format-version=1", "--locked", "--all-features"];
    let metadata = workspace::output(workspace::cargo().args(args))?;
    serde_json::from_slice(&metadata).context("cannot read `cargo metadata`")
}

/// The packages that a package is built and tested from, one a line; `words` are its name and its features.
fn tree(words: &[&str]) -> Result<String> {
    let args = ["tree", "--locked", "--edges", "normal,build,dev", "--prefix", "none", "--package"];
    let tree = workspace::output(workspace::cargo().args(args).args(words))?;
    String::from_utf8(tree).context("cannot read `cargo tree`")
}

#[cfg(test)]
fn source(path: &str, text: &str) -> Source {
    Source { path: path.into(), size: text.len() as u64, text: Some(text.into()) }
}
