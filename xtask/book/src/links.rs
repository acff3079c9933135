//! Links of a document, and whether they lead somewhere.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A link or a picture in a document.
pub(crate) struct Link {
    /// Where it leads.
    pub(crate) target: String,
    /// The bytes of the document that are the whole link.
    pub(crate) range: Range<usize>,
}

/// The links of a text that lead to files and headings; what has a scheme leads to the network, which is not asked.
pub(crate) fn links(text: &str) -> Vec<Link> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    let found = events.filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(Link { target: dest_url.into_string(), range })
        }
        _ => None,
    });
    // Two colons: a path of Rust, which rustdoc checks.
    found.filter(|link| !["://", "::", "mailto:"].iter().any(|sign| link.target.contains(sign))).collect()
}

/// The links of a document that lead nowhere, each with its line and what is wrong.
pub(crate) fn broken(root: &Path, document: &Path) -> Result<Vec<(usize, String)>> {
    let read =
        |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let path = root.join(document);
    let text = read(&path)?;
    let mut findings = Vec::new();
    for Link { target, range } in links(&text) {
        let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
        let place = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
        let line = 1 + text[..range.start].matches('\n').count();
        if !place.exists() {
            findings.push((line, format!("{target}: there is no such file")));
        } else if !heading.is_empty() && !headings(&read(&place)?).iter().any(|found| found == heading) {
            findings.push((line, format!("{target}: there is no such heading")));
        }
    }
    Ok(findings)
}

/// The headings of a text, as links name them.
fn headings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut heading: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => found.extend(heading.take().map(|text| anchor(&text))),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    found
}

/// A heading's name in links, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_found_with_their_lines() {
        let folder = std::env::temp_dir().join(format!("electra-book-{}", std::process::id()));
        fs::create_dir_all(folder.join("docs")).unwrap();
        let text = "# A\n[a](b.md) [b](b.md#one-two) [c](#a) [d](https://example.org/x)\n\n\
                    ![e](no.png)\n[f](b.md#three) `[g](no.md)` [h](../docs)\n";
        fs::write(folder.join("docs/a.md"), text).unwrap();
        fs::write(folder.join("docs/b.md"), "## One `two`\n").unwrap();
        let found = broken(&folder, Path::new("docs/a.md")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let expected = [
            (4, "no.png: there is no such file".to_owned()),
            (5, "b.md#three: there is no such heading".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
