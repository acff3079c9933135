//! The criterion benches.

use crate::commands;
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Sets up and runs the named benches, or all of them.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let known = targets()?;
    if known.is_empty() {
        bail!("the package electra-benches has no bench targets");
    }
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        bail!("there is no bench called `{name}`; there are: {}", known.join(", "));
    }
    commands::set_up()?;
    let mut cargo = commands::cargo();
    cargo.args(["bench", "--package", "electra-benches"]);
    for name in names {
        cargo.args(["--bench", name]);
    }
    commands::check(&mut cargo)
}

/// The names of the bench targets, from cargo itself.
fn targets() -> Result<Vec<String>> {
    let metadata = commands::output(commands::cargo().args([
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: Value = serde_json::from_slice(&metadata).context("cannot read `cargo metadata`")?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(packages
        .iter()
        .filter(|package| package["name"] == "electra-benches")
        .flat_map(|package| package["targets"].as_array().map_or(&[][..], Vec::as_slice))
        .filter(|target| target["kind"][0] == "bench")
        .filter_map(|target| target["name"].as_str().map(String::from))
        .collect())
}
