//! The READMEs' examples, as somebody compiles them who has the crates and not this workspace.

use crate::{ablate, workspace};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;

/// What tells a program where libtorch is, from the README of electra-torch.
const BUILD: &str = "fn main() {
    let library = std::env::var(\"DEP_ELECTRA_TORCH_LIBTORCH_LIB\").expect(\"a dependency on electra-torch\");
    println!(\"cargo::rustc-link-arg=-Wl,-rpath,{library}\");
}
";

/// What examples need beside the crates.
const OTHERS: [&str; 4] = ["anyhow", "serde_json", "tch", "tempfile"];

/// Runs them, in a package in a temporary folder.
pub(super) fn run(crates: &[(String, String)]) -> Result<()> {
    let root = workspace::root();
    let workspace = fs::read_to_string(root.join("Cargo.toml"))?;
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    fs::create_dir(folder.path().join("src"))?;
    write("Cargo.toml", &manifest(crates, &workspace))?;
    write("build.rs", BUILD)?;
    write("src/lib.rs", &library(crates))?;
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock"))?;
    let mut cargo = workspace::cargo();
    cargo.current_dir(folder.path()).args(["test", "--doc"]);
    cargo.arg("--target-dir").arg(ablate::target_folder()?.join("readmes"));
    cargo.env("LIBTORCH", workspace::libtorch_link());
    workspace::check(&mut cargo)
}

fn manifest(crates: &[(String, String)], workspace: &str) -> String {
    let mut text =
        "[package]\nname = \"readmes\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
                    [dependencies]\n"
            .to_owned();
    for (name, folder) in crates {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} = {{ path = {folder:?} }}");
    }
    for line in
        workspace.lines().filter(|line| OTHERS.iter().any(|other| line.starts_with(&format!("{other} = "))))
    {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// A module for each crate, whose documentation is the crate's README.
fn library(crates: &[(String, String)]) -> String {
    let module = |(name, folder): &(String, String)| {
        format!(
            "#[doc = include_str!({:?})]\npub mod {} {{}}\n",
            format!("{folder}/README.md"),
            name.replace('-', "_")
        )
    };
    crates.iter().map(module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_has_each_crate_by_its_path_and_versions_of_the_rest() {
        let crates = [("electra-data".to_owned(), "/x/crates/data".to_owned())];
        let text = manifest(&crates, "tempfile = \"3\"\nzstd = \"1\"\n");
        assert!(text.contains("[workspace]\n"), "it is no member of another workspace: {text}");
        assert!(text.ends_with("electra-data = { path = \"/x/crates/data\" }\ntempfile = \"3\"\n"), "{text}");
        assert_eq!(
            library(&crates),
            "#[doc = include_str!(\"/x/crates/data/README.md\")]\npub mod electra_data {}\n"
        );
    }
}
