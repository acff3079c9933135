//! The first twenty steps of each objective of the paper, number by number: what a change of the code's shape must leave
//! as it is.
//!
//! `tests/golden/trace` was written by the program of commit 9685f0a. To write it anew, after a change that means to
//! alter numbers: `ELECTRA_WRITE_TRACE=1 cargo test -p electra-cli trace`. The greatest deviation is printed
//! (`--nocapture`): 0 where arithmetic and machine are those that wrote the files.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Bench, json_lines};

/// Another processor rounds otherwise, and twenty steps carry that on.
const TOLERANCE: f64 = 1e-4;

fn golden(objective: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "golden", "trace", &format!("{objective}.jsonl")].iter().collect()
}

/// Lines of two to thirty words, so that rows have very unequal lengths.
pub(super) fn text() -> String {
    const WORDS: [&str; 12] =
        ["개", "고양이", "cat", "dog", "the", "sees", "house", "river", "old", "a", "tree", "finds"];
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut text = String::new();
    for _ in 0..400 {
        for _ in 0..2 + below(29) {
            write!(text, "{} ", WORDS[below(12) as usize]).unwrap();
        }
        text.push_str(".\n");
    }
    text
}

fn trace(objective: &str) -> String {
    let bench = Bench::new();
    bench.write("text.txt", text());
    bench.run("tokenizer train --input text.txt --vocab-size 80 --output tokenizer").ok();
    bench
        .run("corpus build --tokenizer tokenizer --input text.txt --documents line --segments one --max-length 32 --output corpus")
        .ok();
    bench.write(
        "run.toml",
        format!(
            "preset = \"tiny\"\nobjective = \"{objective}\"\nseed = 7\n[data]\ncorpus = \"corpus\"\n\
             [budget]\nsteps = 20\nbatch = 8\n[log]\nevery_steps = 1\n[device]\ndevice = \"cpu\"\nthreads = 1\n"
        ),
    );
    bench.run("pretrain --config run.toml --run run").ok();
    std::fs::read_to_string(bench.path("run/metrics.jsonl")).unwrap()
}

#[test]
fn twenty_steps_of_each_objective_are_those_of_the_first_edition() {
    for objective in ["mlm", "replace-mlm", "electra-15", "all-tokens-mlm", "electra"] {
        let found = trace(objective);
        if std::env::var_os("ELECTRA_WRITE_TRACE").is_some() {
            std::fs::write(golden(objective), &found).unwrap();
        }
        let (found, expected) =
            (json_lines(&found), json_lines(&std::fs::read_to_string(golden(objective)).unwrap()));
        assert_eq!((found.len(), expected.len()), (20, 20), "{objective}");
        let mut greatest = (0.0, String::new());
        for (found, expected) in found.iter().zip(&expected) {
            let expected = expected.as_object().unwrap();
            assert_eq!(found.as_object().unwrap().len(), expected.len(), "{objective}: {found}");
            for (key, expected) in expected {
                let deviation = deviation(&found[key], expected);
                let place = format!("{key} of step {}: {}, was {expected}", found["step"], found[key]);
                assert!(deviation <= TOLERANCE, "{objective}: {place}");
                if deviation > greatest.0 {
                    greatest = (deviation, place);
                }
            }
        }
        println!("{objective}: the greatest deviation is {:.1e} {}", greatest.0, greatest.1);
    }
}

/// |found − expected| over |expected|, or over 0.01 where that is smaller: rates and areas are of that size at least.
fn deviation(found: &Value, expected: &Value) -> f64 {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => (found - expected).abs() / expected.abs().max(0.01),
        // A metric that is not a number is written as null.
        _ if found == expected => 0.0,
        _ => f64::INFINITY,
    }
}
