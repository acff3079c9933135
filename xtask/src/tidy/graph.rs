//! Which crate depends on which.

use super::Finding;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The crates below the libtorch line: they build and test on a machine without it.
const LEAVES: &[&str] = &[
    "electra-analysis",
    "electra-config",
    "electra-data",
    "electra-masking",
    "electra-metrics",
    "electra-report",
    "electra-store",
    "electra-synthetic",
    "electra-tasks",
    "electra-text",
    "electra-tokenizer",
];

/// Crates that stand on leaves, and build and test without libtorch too, with the features that they have then. Cargo's
/// graph of the whole workspace, where every feature is on, cannot show it.
pub(super) const WITHOUT_LIBTORCH: &[&[&str]] = &[
    &["electra-ablations", "--no-default-features"],
    &["electra-book"],
    &["electra-cli", "--no-default-features"],
    &["electra-fuzz"],
    &["electra-objective", "--no-default-features"],
    &["electra-python"],
    &["electra-study"],
];

/// The leaves that the others may use.
const COMMON: &[&str] =
    &["electra-analysis", "electra-masking", "electra-metrics", "electra-store", "electra-text"];

/// The crates that bring libtorch in.
const LIBTORCH: &[&str] = &["tch", "torch-sys"];

/// A crate that does reach libtorch: if it does not, this check looks in the wrong place.
const CONTROL: &str = "electra-torch";

/// Checks the libtorch line.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let graph = Graph::new(metadata);
    let found = |message: String| Finding::new("Cargo.toml", 0, message);
    let mut findings = Vec::new();
    if !graph.reaches(CONTROL).iter().any(|name| LIBTORCH.contains(name)) {
        findings.push(found(format!("{CONTROL} does not reach libtorch: this check is broken")));
    }
    let leaves = LEAVES.iter().chain(&["xtask"]);
    for below in leaves.clone() {
        if !graph.0.contains_key(below) {
            findings.push(found(format!("{below} is below the libtorch line, and not in the workspace")));
        }
        let reached = graph.reaches(below);
        for name in LIBTORCH.iter().filter(|name| reached.contains(*name)) {
            findings.push(found(format!("{below} is below the libtorch line, and depends on {name}")));
        }
    }
    for leaf in leaves {
        let reached = graph.reaches(leaf);
        let ours = reached.iter().filter(|name| name.starts_with("electra-"));
        for name in ours.filter(|name| !COMMON.contains(name) && *name != leaf) {
            findings.push(found(format!(
                "{leaf} may depend on {} alone, but depends on {name}",
                COMMON.join(", ")
            )));
        }
    }
    findings
}

/// Checks crates that are below the libtorch line with the features that they are built with there, from what
/// `cargo tree` prints of each and, as a control, of the whole program.
pub(super) fn check_trees(below: &[(String, String)], whole: &str) -> Vec<Finding> {
    let reaches = |tree: &str, name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    let mut messages = Vec::new();
    for name in LIBTORCH {
        let reaching = below.iter().filter(|(_, tree)| reaches(tree, name));
        messages.extend(
            reaching.map(|(what, _)| format!("{what} is below the libtorch line, and depends on {name}")),
        );
        if !reaches(whole, name) {
            messages.push(format!("the program does not reach {name}: this check is broken"));
        }
    }
    messages.into_iter().map(|message| Finding::new("Cargo.toml", 0, message)).collect()
}

/// Names of packages, each with those it depends on in any way.
struct Graph<'a>(BTreeMap<&'a str, BTreeSet<&'a str>>);

impl<'a> Graph<'a> {
    fn new(metadata: &'a Value) -> Self {
        let list = |value: &'a Value| value.as_array().map_or(&[][..], Vec::as_slice).iter();
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        let names: BTreeMap<&str, &str> = list(&metadata["packages"])
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let mut graph = BTreeMap::<_, BTreeSet<_>>::new();
        // Two versions of a package count as one here: that can only find more.
        for node in list(&metadata["resolve"]["nodes"]) {
            let edges = list(&node["deps"]).filter_map(|edge| names.get(text(&edge["pkg"])).copied());
            graph.entry(names.get(text(&node["id"])).copied().unwrap_or_default()).or_default().extend(edges);
        }
        Self(graph)
    }

    /// Everything that a package depends on, over any number of steps.
    fn reaches(&self, name: &str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut left: Vec<_> = self.0.get(name).into_iter().flatten().copied().collect();
        while let Some(name) = left.pop() {
            if reached.insert(name) {
                left.extend(self.0.get(name).into_iter().flatten());
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RIGHT: &[(&str, &[&str])] = &[
        ("electra-analysis", &["electra-metrics"]),
        ("electra-config", &["electra-masking", "electra-store"]),
        ("electra-data", &["electra-masking", "electra-text", "rayon"]),
        ("electra-masking", &["serde"]),
        ("electra-metrics", &["serde"]),
        ("electra-report", &["electra-analysis", "electra-metrics"]),
        ("electra-store", &["serde"]),
        ("electra-synthetic", &["serde"]),
        ("electra-tasks", &["electra-metrics"]),
        ("electra-text", &["serde"]),
        ("electra-tokenizer", &["electra-text"]),
        ("electra-torch", &["tch"]),
        ("tch", &["torch-sys"]),
        ("xtask", &["serde"]),
        ("rayon", &[]),
        ("serde", &[]),
        ("torch-sys", &[]),
    ];

    /// Findings where some packages depend on more than they should, or on less.
    fn findings(changed: &[(&str, &[&str])]) -> Vec<String> {
        let mut graph: BTreeMap<_, _> = RIGHT.iter().copied().collect();
        graph.extend(changed.iter().copied());
        let packages: Vec<_> =
            graph.keys().map(|name| json!({ "id": format!("id {name}"), "name": name })).collect();
        let nodes = graph.iter().map(|(name, edges)| {
            let edges: Vec<_> = edges.iter().map(|edge| json!({ "pkg": format!("id {edge}") })).collect();
            json!({ "id": format!("id {name}"), "deps": edges })
        });
        let nodes: Vec<_> = nodes.collect();
        let metadata = json!({ "packages": packages, "resolve": { "nodes": nodes } });
        check(&metadata).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn the_right_graph_has_no_findings() {
        assert_eq!(findings(&[]), [""; 0]);
    }

    #[test]
    fn libtorch_is_found_behind_other_packages() {
        assert_eq!(
            findings(&[("rayon", &["torch-sys"])]),
            ["electra-data is below the libtorch line, and depends on torch-sys"]
        );
        assert_eq!(findings(&[("xtask", &["tch"])]).len(), 2);
    }

    #[test]
    fn libtorch_is_found_in_trees() {
        let (without, whole) = ("electra-cli v0.1.0\nserde v1.0.0\n", "tch v0.24.0\ntorch-sys v0.24.0\n");
        let below = |tree: &str| [("electra-cli --no-default-features".to_owned(), tree.to_owned())];
        assert_eq!(check_trees(&below(without), whole), []);
        let found = check_trees(&below(whole), without);
        let messages: Vec<_> = found.into_iter().map(|finding| finding.message).collect();
        assert_eq!(
            messages,
            [
                "electra-cli --no-default-features is below the libtorch line, and depends on tch",
                "the program does not reach tch: this check is broken",
                "electra-cli --no-default-features is below the libtorch line, and depends on torch-sys",
                "the program does not reach torch-sys: this check is broken"
            ]
        );
    }

    #[test]
    fn leaves_do_not_know_each_other() {
        assert_eq!(
            findings(&[("electra-tokenizer", &["electra-data"])]),
            [
                "electra-tokenizer may depend on electra-analysis, electra-masking, electra-metrics, electra-store, \
                 electra-text alone, but depends on electra-data"
            ]
        );
        assert_eq!(findings(&[("electra-text", &["electra-tokenizer"])]).len(), 2);
    }

    #[test]
    fn a_check_that_sees_nothing_is_a_finding() {
        assert_eq!(
            findings(&[("electra-torch", &[])]),
            ["electra-torch does not reach libtorch: this check is broken"]
        );
        assert_eq!(check(&json!({})).len(), 1 + LEAVES.len() + 1);
    }
}
