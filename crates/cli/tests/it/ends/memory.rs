//! Memory runs out in every command, at some of its requests for much of it: of Rust's, and of libtorch's.

use std::path::Path;

use electra_config::RunFolder;
use rustix::io::Errno;

use super::faults::{Calls, Fault, can_fail, count, failed, failing};
use super::interrupts::temporary;
use super::table::{CASES, PRETRAIN, place};
use crate::support::{Answer, names};

/// Requests of fewer bytes are not failed: there are thousands, and a machine that lacks these lacks all.
const LEAST: usize = 1 << 15;
/// Requests of a command that fail, each in a run of its own: the first ones and the last, and those between by equal
/// steps.
const TRIED: usize = 6;

/// Some of the numbers from 1 to `calls`.
fn tried(calls: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> =
        (0..TRIED).map(|place| 1 + place * calls.saturating_sub(1) / (TRIED - 1)).collect();
    numbers.dedup();
    numbers
}

#[test]
fn memory_that_runs_out_is_one_line_and_leaves_nothing_half_written() {
    if !can_fail() {
        return;
    }
    let bench = place();
    let folder = bench.path("memory");
    std::fs::create_dir(&folder).unwrap();
    let mut failures = 0;
    for case in CASES {
        let calls = count(&bench, &case.at(&folder.join("calm")), case.input, Calls::Memory(LEAST));
        for number in tried(calls) {
            let out = folder.join("out");
            let fault = Fault::Error(Errno::NOMEM);
            let mut command = failing(&bench, &case.at(&out), Calls::Memory(LEAST), number, fault);
            let answer = Answer::of(&mut command, case.input.as_bytes());
            let what = format!("{}: request {number} of {calls}", case.line);
            // Some of what is asked for can be done without.
            if answer.code != 0 {
                failed(&answer, &what);
                assert!(answer.err.contains("memory"), "{what}: {}", answer.err);
                failures += 1;
            }
            for said in ["panicked", "terminate", "Aborted", "frame #", "stack backtrace"] {
                assert!(!answer.err.contains(said), "{what}: {}", answer.err);
            }
            // What the system does not even list for want of memory, the next run removes.
            let left: Vec<String> =
                temporary(&folder).into_iter().filter(|name| !name.ends_with("-removed")).collect();
            assert_eq!(left, [""; 0], "{what}");
            if case.line == PRETRAIN.line {
                checkpoints_are_whole(&out, &what);
            } else if answer.code != 0 && out.is_file() {
                panic!("{what}: it has failed, and there is its file");
            }
            let _ = std::fs::remove_dir_all(&out);
            let _ = std::fs::remove_file(&out);
        }
        let _ = std::fs::remove_dir_all(folder.join("calm"));
        let _ = std::fs::remove_file(folder.join("calm"));
    }
    // The commands of networks, each at most of its requests.
    assert!(failures > 25, "{failures} failures");
}

fn checkpoints_are_whole(run: &Path, what: &str) {
    let checkpoints = run.join("checkpoints");
    if !checkpoints.is_dir() {
        return;
    }
    for name in names(&checkpoints).iter().filter(|name| !name.starts_with('.')) {
        let step = name.strip_prefix("step-").unwrap_or_else(|| panic!("{what}: {name}")).parse().unwrap();
        RunFolder::open(run).unwrap().checkpoint(step).unwrap();
    }
}
