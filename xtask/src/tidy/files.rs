//! What no file may be or name.

use super::{Finding, Source};
use std::collections::BTreeSet;

/// Files that a clone should not have to carry.
const LARGEST: u64 = 1 << 20;

/// Checks every file.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = records(sources);
    for source in sources {
        if source.size > LARGEST {
            findings.push(Finding::new(&source.path, 0, format!("has {} bytes, over 1 MiB", source.size)));
        }
        for (number, line) in (1..).zip(source.text.iter().flat_map(|text| text.lines())) {
            if let Some(path) = machine_path(line) {
                findings.push(Finding::new(
                    &source.path,
                    number,
                    format!("names a place of one machine: {path}"),
                ));
            }
        }
    }
    findings
}

/// Every folder of `benches/records` tells in a README how its numbers came about.
fn records(sources: &[Source]) -> Vec<Finding> {
    let inside = |source: &Source| source.path.strip_prefix("benches/records/").map(String::from);
    let paths: BTreeSet<_> = sources.iter().filter_map(inside).collect();
    let folders: BTreeSet<_> =
        paths.iter().filter_map(|path| Some(path.split_once('/')?.0.to_owned())).collect();
    let bare = folders.into_iter().filter(|folder| !paths.contains(&format!("{folder}/README.md")));
    bare.map(|folder| Finding::new(format!("benches/records/{folder}"), 0, "has no README.md")).collect()
}

/// The first path of a line that can only be right on one machine: in a home folder, on a drive, or in a
/// folder where this project happened to be written.
fn machine_path(line: &str) -> Option<&str> {
    // Written in pieces, so that this file does not find itself.
    let homes = [concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let roots = [concat!("/ro", "ot/"), concat!("/wo", "rk/")];
    let starts = line.char_indices().filter(|(start, _)| begins_a_path(&line[..*start]));
    starts.map(|(start, _)| &line[start..]).find_map(|rest| {
        let whole = rest.split(|c: char| c.is_whitespace() || "\"'`<>()[]{},;".contains(c)).next()?;
        let in_home = homes.iter().any(|home| {
            whole
                .strip_prefix(home)
                .is_some_and(|rest| rest.split('/').next().is_some_and(|name| !name.is_empty()))
        });
        let in_root = roots.iter().any(|root| whole.starts_with(root));
        (in_home || in_root || on_a_drive(whole)).then_some(whole)
    })
}

/// A path begins where the character before does not belong to one.
fn begins_a_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || "/._-~$}*%+@\\".contains(c))
}

/// A drive's letter and a name, the backslash between them doubled as in a string or not.
fn on_a_drive(path: &str) -> bool {
    let mut chars = path.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_uppercase()) && chars.next() == Some(':');
    let name = chars.as_str().trim_start_matches('\\');
    let backslashes = chars.as_str().len() - name.len();
    drive && matches!(backslashes, 1 | 2) && name.chars().take_while(char::is_ascii_alphanumeric).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn machine_paths_are_found() {
        for line in [
            concat!("cd /ho", "me/ada/electra"),
            concat!("\"/Us", "ers/ada/x\""),
            concat!("path=/ro", "ot/.cache"),
            concat!("(/wo", "rk/main)"),
            concat!("file:'/wo", "rk/main'"),
            concat!("C", ":\\Windows"),
            concat!("\"D", ":\\\\data\""),
        ] {
            assert!(machine_path(line).is_some(), "{line}");
        }
    }

    #[test]
    fn other_text_is_not() {
        for line in [
            concat!("https://example.org/ho", "me/ada/x"),
            concat!("src/wo", "rk/main.rs"),
            concat!("~/wo", "rk/main"),
            concat!("$X/ro", "ot/a"),
            concat!("/ho", "me/ alone"),
            "\"K:\\n\"",
            "a: \\alpha, std::fs",
            "/usr/lib, /opt/libtorch, /tmp/x",
        ] {
            assert_eq!(machine_path(line), None, "{line}");
        }
    }

    #[test]
    fn findings_name_the_line() {
        let text = format!("fine\nnot {}\n", concat!("/wo", "rk/x"));
        let found = check(&[source("docs/a.md", &text)]);
        assert_eq!((found.len(), found[0].line), (1, 2));
    }

    #[test]
    fn large_files_are_found() {
        let file = |size| Source { path: "a.bin".into(), size, text: None };
        assert_eq!(check(&[file(LARGEST)]), []);
        assert_eq!(check(&[file(LARGEST + 1)]).len(), 1);
    }

    #[test]
    fn a_record_needs_a_readme() {
        let with =
            [source("benches/records/2025-a/README.md", ""), source("benches/records/2025-a/x.json", "")];
        assert_eq!(check(&with), []);
        let without =
            [source("benches/records/README.md", ""), source("benches/records/2025-b/x/y.json", "")];
        assert_eq!(check(&without), [Finding::new("benches/records/2025-b", 0, "has no README.md")]);
    }
}
