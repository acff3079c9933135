//! What code may not hold.

use super::rust::{code, lines_with_word};
use super::{Finding, Source};

/// Where `unsafe` may be: the layer over libtorch, and the function that maps a shard into memory.
const UNSAFE: &[&str] = &["crates/torch/", "crates/data/src/map.rs"];

/// Where C++ may be.
const CPP: &str = "crates/torch/";

/// What stands for code that is not written, or keeps a test from running; looked for between spaces and
/// comments, so the words here do not count.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "#[ignore"];

/// Checks every Rust and C++ file.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut allowed = 0;
    for source in sources {
        let extension = source.path.rsplit_once('.').map_or("", |(_, extension)| extension);
        if matches!(extension, "c" | "cc" | "cpp" | "cu" | "cuh" | "h" | "hpp") {
            if !source.path.starts_with(CPP) {
                findings.push(Finding::new(&source.path, 0, format!("C and C++ belong to {CPP}")));
            }
            continue;
        }
        let Some(text) = source.text.as_ref().filter(|_| extension == "rs") else { continue };
        let code = code(text);
        let may = UNSAFE.iter().any(|place| source.path.starts_with(place));
        for line in lines_with_word(&code, "unsafe") {
            if may {
                allowed += 1;
            } else {
                let places = UNSAFE.join(" and ");
                findings.push(Finding::new(&source.path, line, format!("`unsafe` belongs to {places}")));
            }
        }
        findings.extend(unfinished(&source.path, &code));
    }
    if allowed == 0 {
        findings.push(Finding::new(CPP, 0, "has no `unsafe`: this check is broken"));
    }
    findings
}

fn unfinished<'a>(path: &'a str, code: &'a str) -> impl Iterator<Item = Finding> + 'a {
    (1..).zip(code.lines()).flat_map(move |(number, line)| {
        let tight: String = line.split_whitespace().collect();
        let found = UNFINISHED.iter().filter(move |word| tight.contains(**word));
        found.map(move |word| Finding::new(path, number, format!("`{word}` has no place here")))
    })
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    const CONTROL: (&str, &str) = ("crates/torch/src/ffi.rs", "unsafe extern \"C\" {}\n");

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files.iter().map(|(path, text)| source(path, text)).collect();
        check(&sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unsafe_code_is_found_and_talk_of_it_is_not() {
        let text = "#![deny(unsafe_code)]\n// unsafe\nconst A: &str = \"unsafe\";\n";
        assert_eq!(findings(&[CONTROL, ("a.rs", text), ("crates/data/src/map.rs", "unsafe {}")]), [""; 0]);
        let found = findings(&[CONTROL, ("crates/data/src/order.rs", "fn a() {\n    unsafe { b() }\n}\n")]);
        assert_eq!(
            found,
            ["crates/data/src/order.rs:2: `unsafe` belongs to crates/torch/ and crates/data/src/map.rs"]
        );
    }

    #[test]
    fn a_check_that_sees_nothing_is_a_finding() {
        assert_eq!(findings(&[]), ["crates/torch/: has no `unsafe`: this check is broken"]);
    }

    #[test]
    fn cpp_belongs_to_one_crate() {
        assert_eq!(findings(&[CONTROL, ("crates/torch/src/shim.cpp", "")]), [""; 0]);
        assert_eq!(
            findings(&[CONTROL, ("crates/data/a.h", "")]),
            ["crates/data/a.h: C and C++ belong to crates/torch/"]
        );
    }

    #[test]
    fn unfinished_code_is_found() {
        let text = "fn a() { todo!() }\n#[ ignore = \"slow\" ]\nfn b() { unimplemented! () }\n// todo!()\n";
        let lines: Vec<_> = findings(&[CONTROL, ("a.rs", text)]);
        assert_eq!(
            lines,
            [
                "a.rs:1: `todo!` has no place here",
                "a.rs:2: `#[ignore` has no place here",
                "a.rs:3: `unimplemented!` has no place here"
            ]
        );
    }
}
