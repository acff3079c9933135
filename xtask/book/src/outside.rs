//! Links that leave the book lead to the repository.

use std::path::{Component, Path, PathBuf};

use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::errors::Result;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::links;

/// Rewrites the links of each chapter that lead to files outside of `docs/`.
pub(crate) struct Outside {
    /// The workspace's folder.
    pub(crate) root: PathBuf,
    /// Where the repository is.
    pub(crate) repository: String,
}

impl Preprocessor for Outside {
    fn name(&self) -> &str {
        "outside"
    }

    fn run(&self, _context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item
                && let Some(path) = &chapter.source_path
            {
                chapter.content = self.rewritten(&chapter.content, path);
            }
        });
        Ok(book)
    }
}

impl Outside {
    /// The text of a chapter, whose file is at `path` below `docs/`.
    fn rewritten(&self, text: &str, path: &Path) -> String {
        let folder = Path::new("docs").join(path.parent().unwrap_or(Path::new("")));
        let mut rewritten = text.to_owned();
        // From the end, so that the ranges before stay right.
        for link in links::links(text).into_iter().rev() {
            let (file, heading) = link.target.split_once('#').unwrap_or((&link.target, ""));
            let place = normal(&folder.join(file));
            if file.is_empty() || place.starts_with("docs") {
                continue;
            }
            let kind = if self.root.join(&place).is_dir() { "tree" } else { "blob" };
            let hash = if heading.is_empty() { String::new() } else { format!("#{heading}") };
            let url = format!("{}/{kind}/main/{}{hash}", self.repository, place.display());
            let whole = &text[link.range.clone()];
            // The target is what comes last in the link's own text.
            if let Some(start) = whole.rfind(&link.target) {
                let start = link.range.start + start;
                rewritten.replace_range(start..start + link.target.len(), &url);
            }
        }
        rewritten
    }
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_the_book_lead_to_the_repository() {
        let outside = Outside { root: PathBuf::from("."), repository: "https://example.org/e".into() };
        let text =
            "[a](../crates/data/README.md#b) [c](guides/own-task.md) [README.md](../README.md) `[d](../e)`";
        let expected = "[a](https://example.org/e/blob/main/crates/data/README.md#b) [c](guides/own-task.md) \
                        [README.md](https://example.org/e/blob/main/README.md) `[d](../e)`";
        assert_eq!(outside.rewritten(text, Path::new("paper.md")), expected);
        let deeper =
            outside.rewritten("[a](../../README.md) [b](../paper.md)", Path::new("guides/own-task.md"));
        assert_eq!(deeper, "[a](https://example.org/e/blob/main/README.md) [b](../paper.md)");
    }
}
