//! What every crate brings: metadata, README, lints, and no versions of its own.

use super::{Finding, Source};
use serde_json::Value;

/// How a library makes its README its documentation.
const README_AS_DOC: &str = "#![doc = include_str!(\"../README.md\")]";

/// Checks every member of the workspace, and those under `crates` more closely.
pub(super) fn check(metadata: &Value, sources: &[Source]) -> Vec<Finding> {
    let manifests = sources.iter().filter(|source| source.path.ends_with("/Cargo.toml"));
    let mut findings = Vec::new();
    for manifest in manifests {
        let text = manifest.text.as_deref().unwrap_or_default();
        findings.extend(own_versions(&manifest.path, text));
        if !inherits_lints(text) {
            findings.push(Finding::new(&manifest.path, 0, "lacks `[lints] workspace = true`"));
        }
        let folder = manifest.path.trim_end_matches("/Cargo.toml");
        if folder.starts_with("crates/") {
            findings.extend(package(metadata, &manifest.path));
            findings.extend(readme(folder, sources));
        }
    }
    findings
}

/// What a package registry shows of the crate.
fn package(metadata: &Value, manifest: &str) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let path = |package: &&Value| {
        let path = package["manifest_path"].as_str().unwrap_or_default().replace('\\', "/");
        package["source"].is_null() && path.ends_with(&format!("/{manifest}"))
    };
    let Some(package) = packages.iter().find(path) else {
        return vec![Finding::new(manifest, 0, "is not a member of the workspace")];
    };
    let empty = |value: &Value| value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
    let fields = ["description", "license", "keywords", "readme"].iter();
    let lacking = fields.filter(|field| empty(&package[**field]));
    lacking.map(|field| Finding::new(manifest, 0, format!("has no `{field}`"))).collect()
}

fn readme(folder: &str, sources: &[Source]) -> Vec<Finding> {
    let find = |name: &str| sources.iter().find(|source| source.path == format!("{folder}/{name}"));
    let mut findings = Vec::new();
    if find("README.md").is_none() {
        findings.push(Finding::new(format!("{folder}/README.md"), 0, "is missing"));
    }
    if let Some(library) = find("src/lib.rs")
        && !library.text.as_ref().is_some_and(|text| text.contains(README_AS_DOC))
    {
        findings.push(Finding::new(&library.path, 0, format!("lacks `{README_AS_DOC}`")));
    }
    findings
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.find(|line| !line.is_empty()).is_some_and(|line| squeezed(line) == "workspace=true")
}

/// Dependencies that do not take their version from the workspace.
fn own_versions(path: &str, manifest: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_dependencies = false;
    let mut entry = String::new();
    for (number, line) in (1..).zip(manifest.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() && line.starts_with('[') {
            let section = line.trim_matches(['[', ']']);
            in_dependencies = section.ends_with("dependencies");
            if section.contains("dependencies.") {
                let message = format!("write `{section}` on one line, with `workspace = true`");
                findings.push(Finding::new(path, number, message));
            }
        } else if in_dependencies {
            entry += line;
            // A list of features may go on over several lines.
            if entry.matches(['[', '{']).count() > entry.matches([']', '}']).count() {
                continue;
            }
            if !entry.is_empty() && !squeezed(&entry).contains("workspace=true") {
                let name = entry.split(['=', '.']).next().unwrap_or_default().trim();
                let message =
                    format!("`{name}` has a version of its own: versions belong to the root Cargo.toml");
                findings.push(Finding::new(path, number, message));
            }
            entry.clear();
        }
    }
    findings
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;
    use serde_json::json;

    const MANIFEST: &str = "[package]\nname = \"electra-a\"\n\n[dependencies]\nserde.workspace = true\n\
        zstd = { workspace = true, features = [\n  \"x\", # why\n] }\n\n\
        [target.'cfg(unix)'.dev-dependencies]\nrand.workspace = true\n\n[lints]\nworkspace = true\n";

    fn metadata(package: &[(&str, Value)]) -> Value {
        let mut found = json!({
            "manifest_path": "/x/crates/a/Cargo.toml", "source": null,
            "description": "d", "license": "MIT", "keywords": ["k"], "readme": "README.md",
        });
        for (name, value) in package {
            found[*name] = value.clone();
        }
        json!({ "packages": [found] })
    }

    fn findings(metadata: &Value, files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files.iter().map(|(path, text)| source(path, text)).collect();
        check(metadata, &sources).iter().map(ToString::to_string).collect()
    }

    const FILES: [(&str, &str); 3] = [
        ("crates/a/Cargo.toml", MANIFEST),
        ("crates/a/README.md", ""),
        ("crates/a/src/lib.rs", README_AS_DOC),
    ];

    #[test]
    fn a_right_crate_has_no_findings() {
        assert_eq!(findings(&metadata(&[]), &FILES), [""; 0]);
    }

    #[test]
    fn lacking_metadata_is_found() {
        let metadata = metadata(&[("keywords", json!([])), ("license", Value::Null)]);
        assert_eq!(
            findings(&metadata, &FILES),
            ["crates/a/Cargo.toml: has no `license`", "crates/a/Cargo.toml: has no `keywords`"]
        );
        assert_eq!(findings(&json!({}), &FILES), ["crates/a/Cargo.toml: is not a member of the workspace"]);
    }

    #[test]
    fn a_lacking_readme_is_found() {
        let files = [FILES[0], ("crates/a/src/lib.rs", "//! Docs.")];
        assert_eq!(findings(&metadata(&[]), &files).len(), 2);
    }

    #[test]
    fn lacking_lints_are_found() {
        for text in ["[package]\n", "[lints]\n\n[lints.rust]\nworkspace = true\n"] {
            assert_eq!(
                findings(&json!({}), &[("xtask/Cargo.toml", text)]),
                ["xtask/Cargo.toml: lacks `[lints] workspace = true`"]
            );
        }
    }

    #[test]
    fn versions_outside_the_workspace_table_are_found() {
        for line in [
            "serde = \"1\"",
            "serde = { version = \"1\",\n features = [\n\"x\"] }",
            "serde = { path = \"../b\" }",
        ] {
            let text = format!("[build-dependencies]\n{line}\n");
            let found = own_versions("p", &text);
            assert_eq!(found.len(), 1, "{line}");
            assert!(found[0].message.starts_with("`serde` has"), "{}", found[0]);
        }
        assert_eq!(own_versions("p", "[dependencies.serde]\nversion = \"1\"\n").len(), 1);
        assert_eq!(own_versions("p", "[features]\nparquet = [\"dep:parquet\"]\n"), []);
    }
}
