//! Tells the library which commit it is built from, and whether no file was changed since.

use std::process::Command;

fn main() {
    // A file that grows with every commit. Where there is none, as in a package, nothing is to be watched.
    let log = "../../.git/logs/HEAD";
    println!("cargo::rerun-if-changed={}", if std::path::Path::new(log).exists() { log } else { "build.rs" });
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit = commit.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    if let Some(commit) = commit.and_then(|bytes| String::from_utf8(bytes).ok()) {
        println!("cargo::rustc-env=ELECTRA_COMMIT={}", commit.trim());
        let changes = Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]).output();
        if changes.is_ok_and(|changes| changes.status.success() && changes.stdout.is_empty()) {
            println!("cargo::rustc-env=ELECTRA_TREE_CLEAN=yes");
        }
    }
}
