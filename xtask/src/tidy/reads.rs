//! Files that are taken into memory without a limit.

use super::rust::code;
use super::{Finding, Source};

/// What reads to the end, however far that is.
const CALLS: [&str; 4] = ["fs::read(", "fs::read_to_string(", ".read_to_end(", ".read_to_string("];

/// Where one of them may be, and why it ends.
const MAY: &[(&str, &str)] = &[
    ("crates/evaluation/src/golden.rs", "a test"),
    ("crates/store/src/file.rs", "the functions that have the limits"),
    ("crates/study/src/files.rs", "the end of a log, of a number of bytes"),
    ("crates/text/src/decompress.rs", "the first bytes of a file"),
    ("crates/trainer/src/environment.rs", "/proc"),
    ("crates/torch/src/memory.rs", "/proc"),
];

/// Checks the crates' own code; tests, examples and tools read what is their own.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let own = |path: &str| {
        path.starts_with("crates/")
            && path.contains("/src/")
            && path.ends_with(".rs")
            && !path.ends_with("/tests.rs")
            && !path.contains("/tests/")
    };
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| own(&source.path)) {
        let Some(text) = &source.text else { continue };
        let code = code(text);
        let lines = (1..).zip(code.lines()).take_while(|(_, line)| line.trim() != "#[cfg(test)]");
        for (number, line) in lines {
            let line: String = line.split_whitespace().collect();
            let reads = CALLS.iter().any(|call| line.contains(call));
            if reads && !MAY.iter().any(|(path, _)| *path == source.path) {
                let message =
                    "reads without a limit: electra_store has `read`, `read_to_string` and `read_regular`";
                findings.push(Finding::new(&source.path, number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn what_reads_to_the_end_belongs_to_places_that_end() {
        let text = "// fs::read(a)\nlet a = fs::read(a);\nb . read_to_end (&mut c);\nread_to_string(d);\n\
                    std::fs::read_to_string(e);\n#[cfg(test)]\nmod tests { fs::read(f) }\n";
        let found =
            |path: &str| check(&[source(path, text)]).iter().map(|found| found.line).collect::<Vec<_>>();
        assert_eq!(found("crates/study/src/plan/read.rs"), [2, 3, 5]);
        let others = ["crates/store/src/file.rs", "crates/study/tests/it/main.rs", "xtask/src/main.rs"];
        for other in others.into_iter().chain(["crates/study/src/pool/tests.rs", "crates/study/src/read.md"])
        {
            assert_eq!(found(other), [0; 0], "{other}");
        }
    }
}
