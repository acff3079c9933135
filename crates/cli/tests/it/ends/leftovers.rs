//! What a command leaves that is interrupted or killed at one of its calls that write.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use rustix::process::Signal;

use super::faults::{Calls, Fault, can_fail, contents, count, failing};
use super::interrupts::{requests, temporary};
use super::table::{CASES, Case, place};
use crate::support::{Bench, names};

/// At how many of its calls a command is interrupted, and killed.
const INSTANTS: usize = 4;

/// Some of the numbers from 1 to `calls`, the first and the last among them.
fn instants(calls: usize) -> impl Iterator<Item = usize> {
    let last = INSTANTS.min(calls) - 1;
    (0..=last).map(move |instant| 1 + instant * (calls - 1) / last.max(1))
}

fn writing() -> impl Iterator<Item = (usize, &'static Case)> {
    CASES.iter().enumerate().filter(|(_, case)| case.writes())
}

/// Makes the folder that a command writes to, and runs it once undisturbed.
fn calm(bench: &Bench, case: &Case, folder: &Path) -> usize {
    std::fs::create_dir(folder).unwrap();
    let calls = count(bench, &case.at(&folder.join("calm")), case.input, Calls::Under(folder));
    assert!(calls > 2, "{}: {calls} calls", case.line);
    calls
}

/// Whether two outputs hold the same files, whatever is in them.
fn is_whole(out: &Path, calm: &Path) -> bool {
    let files = |path: &Path| -> Vec<_> {
        let relative = |(file, _): (std::path::PathBuf, _)| file.strip_prefix(path).unwrap().to_owned();
        contents(path).into_iter().map(relative).collect()
    };
    out.is_file() == calm.is_file() && files(out) == files(calm)
}

/// Runs and fine-tunings keep what was done, to go on with it.
fn goes_on(case: &Case) -> bool {
    case.line.starts_with("pretrain") || case.line.starts_with("finetune")
}

#[test]
fn an_interrupt_leaves_the_whole_or_nothing() {
    if !can_fail() {
        return;
    }
    let bench = place();
    let kinds = requests();
    let (mut interrupted, mut rounds) = (0, 0);
    for (row, case) in writing() {
        let folder = bench.path(&format!("interrupted-{row}"));
        let calls = calm(&bench, case, &folder);
        for number in instants(calls) {
            let (out, signal) = (folder.join("out"), kinds[number % kinds.len()]);
            let mut command =
                failing(&bench, &case.at(&out), Calls::Under(&folder), number, Fault::Signal(signal));
            let output = command.output().unwrap();
            let what = format!("{}, {signal:?} at call {number} of {calls}", case.line);
            let err = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code();
            // At its last calls the work may be done before the signal is.
            assert!(code == Some(130) || code == Some(0), "{what}: {code:?} {err}");
            interrupted += usize::from(code == Some(130));
            rounds += 1;
            assert_eq!(temporary(&folder), [""; 0], "{what}");
            if !goes_on(case) && out.exists() {
                assert!(is_whole(&out, &folder.join("calm")), "{what}: half of it is there");
            }
            let _ = std::fs::remove_dir_all(&out);
            let _ = std::fs::remove_file(&out);
        }
    }
    assert!(interrupted > 0, "none of {rounds} was interrupted");
}

#[test]
fn what_a_killed_process_leaves_the_next_one_removes() {
    if !can_fail() {
        return;
    }
    let bench = place();
    for (row, case) in writing() {
        let folder = bench.path(&format!("killed-{row}"));
        let calls = calm(&bench, case, &folder);
        let (out, mut left) = (folder.join("out"), 0);
        for number in instants(calls) {
            let mut command =
                failing(&bench, &case.at(&out), Calls::Under(&folder), number, Fault::Signal(Signal::KILL));
            let status = command.output().unwrap().status;
            let what = format!("{}, killed at call {number} of {calls}", case.line);
            if status.signal().is_none() {
                // What was finished by the last one is refused, or has nothing left to be done.
                assert!(out.exists(), "{what}: {status}");
            }
            left += usize::from(!temporary(&folder).is_empty());
        }
        assert!(left > 0, "{}: nothing was left, so nothing was tested", case.line);
        if !goes_on(case) {
            let _ = std::fs::remove_dir_all(&out);
            let _ = std::fs::remove_file(&out);
        }
        bench.run_with(&case.at(&out), case.input.as_bytes()).ok();
        assert_eq!(temporary(&folder), [""; 0], "{}", case.line);
        assert!(is_whole(&out, &folder.join("calm")), "{}", case.line);
        assert_eq!(names(&folder), ["calm", "out"], "{}", case.line);
    }
}
