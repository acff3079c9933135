//! `cargo xtask book`: makes a book of `docs/`, with a search, after the links of all documents have been found to lead
//! somewhere.

mod links;
mod outside;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mdbook_driver::MDBook;

use self::outside::Outside;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (root, output) = match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(root), Some(output), None) => (root, output),
        _ => bail!("expected two arguments: the workspace's folder and the folder for the book"),
    };
    let mut stdout = std::io::stdout().lock();
    let mut broken = 0;
    for document in documents(&root)? {
        for (line, message) in links::broken(&root, &document)? {
            writeln!(stdout, "{}:{line}: {message}", document.display())?;
            broken += 1;
        }
    }
    if broken > 0 {
        bail!("{broken} links lead nowhere");
    }
    make(&root, &output)?;
    Ok(writeln!(stdout, "{}", output.join("index.html").display())?)
}

fn make(root: &Path, output: &Path) -> Result<()> {
    let mut book = MDBook::load(root.join("docs"))?;
    book.config.build.build_dir = std::path::absolute(output)?;
    let repository = book.config.get::<String>("output.html.git-repository-url").ok().flatten();
    let repository = repository.context("docs/book.toml: no output.html.git-repository-url")?;
    book.with_preprocessor(Outside { root: std::fs::canonicalize(root)?, repository });
    book.build()
}

/// The documents whose links are checked, below the workspace's folder: those that somebody reads who is new.
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::from("README.md"), PathBuf::from("python/README.md")];
    for folder in ["docs", "docs/guides"] {
        for entry in read_dir(&root.join(folder))? {
            if entry.extension().is_some_and(|extension| extension == "md") {
                found.push(entry);
            }
        }
    }
    for folder in ["crates", "examples"] {
        for entry in read_dir(&root.join(folder))? {
            let readme = entry.join("README.md");
            found.extend(readme.is_file().then_some(readme));
        }
    }
    for document in &mut found {
        if let Ok(below) = document.strip_prefix(root) {
            *document = below.to_owned();
        }
    }
    found.sort();
    Ok(found)
}

fn read_dir(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
