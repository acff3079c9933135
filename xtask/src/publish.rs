//! `cargo xtask publish`: whether the crates are fit for a registry. Nothing is uploaded.

mod readmes;

use crate::{ablate, setup, workspace};
use anyhow::Result;
use serde_json::Value;

#[derive(clap::Args)]
#[command(after_help = "Three things, in this order; nothing is uploaded:
  - `cargo publish --workspace --dry-run` packs each crate, in the order in which they depend on one another
  - the documentation of all crates is made without libtorch, as docs.rs makes it
  - the example of each crate's README runs in a package outside of the workspace that names the crates by their paths

Examples:
  cargo xtask publish                all of it; minutes, since the last two compile everything anew
  cargo xtask publish --verify       also compiles each crate from what is packed
  cargo xtask publish --pack         the first alone, in seconds, as continuous integration does it")]
pub(crate) struct Args {
    /// Compile each crate from what is packed
    #[arg(long)]
    verify: bool,
    /// Pack the crates, and nothing else
    #[arg(long, conflicts_with = "verify")]
    pack: bool,
    /// Take files that are not committed, too
    #[arg(long)]
    allow_dirty: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.verify {
        setup::quietly()?;
    }
    pack(args.verify, args.allow_dirty)?;
    if args.pack {
        return Ok(());
    }
    doc()?;
    setup::quietly()?;
    readmes::run(&crates()?)
}

/// What continuous integration does of it.
pub(crate) fn in_ci() -> Result<()> {
    pack(false, true)
}

fn pack(verify: bool, allow_dirty: bool) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["publish", "--workspace", "--dry-run", "--quiet"]);
    cargo.args((!verify).then_some("--no-verify")).args(allow_dirty.then_some("--allow-dirty"));
    workspace::check(&mut cargo)
}

/// In a target folder of its own: the flag is part of every unit, and all others would be compiled again.
fn doc() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args([
        "doc",
        "--no-deps",
        "--workspace",
        "--exclude",
        "electra-benches",
        "--exclude",
        "electra-bench",
    ]);
    cargo.args(["--exclude", "own-objective", "--exclude", "electra-cli"]);
    cargo.arg("--target-dir").arg(ablate::target_folder()?.join("doc-only"));
    cargo.env("RUSTFLAGS", "--cfg electra_doc_only").env("LIBTORCH", "no-libtorch-is-here");
    workspace::check(&mut cargo)
}

/// Names and folders of the crates that are published, libraries alone.
fn crates() -> Result<Vec<(String, String)>> {
    let args = ["metadata", "--format-version=1", "--locked", "--no-deps"];
    let metadata = workspace::output(workspace::cargo().args(args))?;
    Ok(published(&serde_json::from_slice(&metadata)?))
}

fn published(metadata: &Value) -> Vec<(String, String)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]);
    // `publish = false` is an empty list of registries.
    let published = packages.iter().filter(|package| package["publish"].is_null());
    let libraries =
        published.filter(|package| list(&package["targets"]).iter().any(|target| target["kind"][0] == "lib"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    libraries
        .map(|package| {
            let folder = text(&package["manifest_path"]).trim_end_matches("/Cargo.toml").to_owned();
            (text(&package["name"]), folder)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_are_published_are_found() {
        let found = crates().unwrap();
        assert!(found.iter().any(|(name, folder)| name == "electra-data" && folder.ends_with("crates/data")));
        for (name, _) in &found {
            assert!(
                !["electra-cli", "electra-python", "electra-fuzz", "xtask"].contains(&name.as_str()),
                "{name}"
            );
        }
    }
}
