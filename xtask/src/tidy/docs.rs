//! The crates that the documents name are those that exist.

use super::{Finding, Source};
use serde_json::Value;
use std::collections::BTreeSet;

/// Where every crate is named, and where a table headed "crate" names no other.
const DOCUMENTS: &[&str] = &["README.md", "docs/architecture.md"];

/// Checks both documents against the workspace.
pub(super) fn check(metadata: &Value, sources: &[Source]) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let members = packages.iter().filter(|package| package["source"].is_null());
    let members: BTreeSet<_> = members.filter_map(|package| package["name"].as_str()).collect();
    DOCUMENTS
        .iter()
        .flat_map(|path| match sources.iter().find(|source| source.path == *path) {
            Some(source) => document(path, source.text.as_deref().unwrap_or_default(), &members),
            None => vec![Finding::new(*path, 0, "is missing")],
        })
        .collect()
}

fn document(path: &str, text: &str, members: &BTreeSet<&str>) -> Vec<Finding> {
    let named: BTreeSet<_> = text.split(|c| !in_name(c)).collect();
    let ours =
        members.iter().filter(|name| name.starts_with("electra-") && !name.starts_with("electra-bench"));
    let unnamed = ours.filter(|name| !named.contains(*name));
    let mut findings: Vec<_> =
        unnamed.map(|name| Finding::new(path, 0, format!("does not name the crate {name}"))).collect();
    let gone = in_tables(text).into_iter().filter(|(_, name)| !members.contains(name));
    findings.extend(
        gone.map(|(line, name)| Finding::new(path, line, format!("names {name}, which does not exist"))),
    );
    findings
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Line and name of each `electra-…` in the first column of tables whose first column is headed "crate".
fn in_tables(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_crates = None;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(row) = line.trim_start().strip_prefix('|') else {
            in_crates = None;
            continue;
        };
        let first = row.split('|').next().unwrap_or_default();
        // The first row of a table is its head.
        let crates = *in_crates.get_or_insert_with(|| first.trim().eq_ignore_ascii_case("crate"));
        if crates {
            let names = first.split(|c| !in_name(c)).filter(|name| name.starts_with("electra-"));
            found.extend(names.map(|name| (number, name)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;
    use serde_json::json;

    fn findings(text: &str) -> Vec<String> {
        let packages = json!([
            { "name": "electra-data", "source": null },
            { "name": "electra-text", "source": null },
            { "name": "electra-benches", "source": null },
            { "name": "xtask", "source": null },
            { "name": "electra-other", "source": "registry" },
        ]);
        let sources =
            [source("README.md", text), source("docs/architecture.md", "electra-data electra-text")];
        check(&json!({ "packages": packages }), &sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_document_that_names_every_crate_is_fine() {
        let text = "| Crate | what |\n|---|---|\n| [`electra-data`](crates/data) | electra-x |\n\
                    | `electra-text` | |\n\n| objective |\n|---|\n| electra-15 |\n";
        assert_eq!(findings(text), [""; 0]);
    }

    #[test]
    fn a_crate_that_is_not_named_is_found() {
        assert_eq!(
            findings("electra-data, electra-texts"),
            ["README.md: does not name the crate electra-text"]
        );
    }

    #[test]
    fn a_crate_that_does_not_exist_is_found() {
        let text = "electra-data, electra-text\n\n| crate | what |\n|---|---|\n| `electra-gone` | |\n";
        assert_eq!(findings(text), ["README.md:5: names electra-gone, which does not exist"]);
    }

    #[test]
    fn a_missing_document_is_found() {
        let found = check(&json!({ "packages": [] }), &[]);
        assert_eq!(found.len(), DOCUMENTS.len());
    }
}
