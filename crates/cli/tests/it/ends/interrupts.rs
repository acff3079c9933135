//! Ctrl-C, TERM and HUP, once and twice.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Answer, Bench};

fn send(child: &Child, signal: Signal) {
    // It may have ended.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// The signals that ask a command to end. Where the tests themselves outlive their terminal, so does what they start.
pub(super) fn requests() -> Vec<Signal> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let is_caught = |signal: &Signal| ignored >> (signal.as_raw() - 1) & 1 == 0;
    [Signal::INT, Signal::TERM].into_iter().chain([Signal::HUP].into_iter().filter(is_caught)).collect()
}

/// Names in a folder and those below it that are temporary.
pub(super) fn temporary(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains(".partial-") {
            found.push(path.display().to_string());
        } else if path.is_dir() && !path.is_symlink() {
            found.extend(temporary(&path));
        }
    }
    found
}

#[cfg(feature = "torch")]
mod computing {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::super::table::place;
    use super::*;

    const PRETRAIN: &str = "pretrain --config run.toml --set budget.steps=1000000 --run";

    fn wait_for_line(child: &mut Child, part: &str) {
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(part)), "it ended before it said {part:?}");
        // What it says from here on, nobody reads.
    }

    fn wait_for_file(child: &mut Child, path: &Path) {
        let begun = Instant::now();
        while !path.exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before {} was there", path.display());
            assert!(begun.elapsed() < Duration::from_secs(60), "{} does not appear", path.display());
            sleep(Duration::from_millis(2));
        }
    }

    fn train(bench: &Bench, run: &str) -> Child {
        let mut child = bench.command(&format!("{PRETRAIN} {run}")).spawn().unwrap();
        wait_for_line(&mut child, "new; ");
        child
    }

    fn tune(bench: &Bench, output: &str, seed: u64) -> Child {
        let line = format!(
            "finetune --model export --task tasks/animals --set threads=1 --epochs 100000 --seeds {seed} --output {output}"
        );
        let mut child = bench.command(&line).spawn().unwrap();
        wait_for_file(&mut child, &bench.path(&format!("{output}/animals/.seed-{seed}.partial-folder")));
        child
    }

    /// Two signals, the second a while after the first; the exit code.
    fn twice(mut child: Child, signals: [Signal; 2], while_ms: u64, before_ms: u64) -> Option<i32> {
        sleep(Duration::from_millis(before_ms));
        send(&child, signals[0]);
        sleep(Duration::from_millis(while_ms));
        send(&child, signals[1]);
        child.wait().unwrap().code()
    }

    #[test]
    fn a_second_interrupt_ends_the_program_at_once_and_in_order() {
        let bench = place();
        let kinds = requests();
        for round in 0..10 {
            let signals = [kinds[round % kinds.len()], kinds[round / kinds.len() % kinds.len()]];
            let (run, out) = (format!("twice-{round}"), format!("tuned-twice-{round}"));
            // Where the end of the program ran static destructors, one in five of such pairs crashed it.
            let (before, pause) = (300 + round as u64 * 37 % 300, 2 + round as u64 % 8);
            let code = twice(train(&bench, &run), signals, pause, before);
            assert_eq!(code, Some(130), "pretrain, {signals:?} {pause} ms apart");
            assert_eq!(temporary(&bench.path(&run)), [""; 0]);
            let code = twice(tune(&bench, &out, 1), signals, pause, before);
            assert_eq!(code, Some(130), "finetune, {signals:?} {pause} ms apart");
            assert_eq!(temporary(&bench.path(&out)), [""; 0]);
        }
    }

    #[test]
    fn a_run_that_is_interrupted_ends_with_130_and_goes_on() {
        let bench = place();
        for signal in requests().into_iter().chain([Signal::XCPU]) {
            let run = format!("once-{signal:?}");
            let child = train(&bench, &run);
            send(&child, signal);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(130), "{signal:?}");
            let out = String::from_utf8(output.stdout).unwrap();
            assert!(out.contains(", which is saved; the same command continues it\n"), "{out}");
            assert!(bench.path(&format!("{run}/checkpoints")).read_dir().unwrap().count() > 0);
        }
    }

    #[test]
    fn a_shard_that_is_cut_while_it_is_mapped_is_named() {
        let bench = place();
        bench.run("corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output to-cut").ok();
        let shard = std::fs::read_dir(bench.path("to-cut")).unwrap().map(|entry| entry.unwrap().path());
        let shard = shard.filter(|path| path.to_string_lossy().contains("shard")).min().unwrap();
        let length = shard.metadata().unwrap().len();
        // Without checkpoints, at which it would be noticed too.
        let sets = "--set data.corpus=to-cut --set checkpoint.every_steps=1000000";
        let mut child = bench.command(&format!("{PRETRAIN} cut {sets}")).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("new; ")));
        std::fs::File::options().write(true).open(&shard).unwrap().set_len(0).unwrap();
        let error = format!(
            "error: {}: was cut from {length} to 0 bytes while it was read; expected a file that stays as it is",
            shard.file_name().unwrap().to_str().unwrap()
        );
        let said: Vec<_> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(2), "{said:?}");
        let named = said.iter().filter(|line| line.starts_with("error: ")).collect::<Vec<_>>();
        assert_eq!(named.len(), 1, "{said:?}");
        assert_eq!(named[0].replace("to-cut/", ""), error);
        assert_eq!(temporary(&bench.path("cut")), [""; 0]);
    }

    #[test]
    fn what_outlives_its_terminal_is_not_ended_by_it() {
        let bench = place();
        let line = format!("{PRETRAIN} outlives");
        let mut child = bench.command_under("trap '' HUP; exec \"$@\"", &line).spawn().unwrap();
        wait_for_line(&mut child, "new; ");
        send(&child, Signal::HUP);
        sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "HUP ended what ignores it");
        send(&child, Signal::TERM);
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }

    #[test]
    fn a_seed_that_another_process_computes_is_left_to_it() {
        let bench = place();
        let first = tune(&bench, "both", 1);
        let tune_again = "finetune --model export --task tasks/animals --set threads=1 --output both";
        let message = bench.run(&format!("{tune_again} --epochs 1 --seeds 1")).refused();
        assert!(message.contains("both/animals/seed-1: another process is writing it"), "{message}");
        // Another seed is nobody's.
        bench.run(&format!("{tune_again} --epochs 1 --seeds 2")).ok();
        send(&first, Signal::INT);
        assert_eq!(first.wait_with_output().unwrap().status.code(), Some(130));
        assert_eq!(temporary(&bench.path("both")), [""; 0]);
        bench.run(&format!("{tune_again} --epochs 1 --seeds 1")).ok();
    }
}

/// A command that waits for more input.
fn waiting(bench: &Bench, err: Stdio) -> (Child, ChildStdin) {
    let line = "tokenizer encode --tokenizer tokenizer";
    let mut child = bench.command(line).stderr(err).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"the cat\n").unwrap();
    let mut answer = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    assert!(answer.starts_with("[CLS] the cat"), "{answer}");
    (child, input)
}

#[test]
fn what_only_reads_ends_at_once() {
    let bench = Bench::with_tokenizer();
    for signal in requests() {
        let (child, _input) = waiting(&bench, Stdio::piped());
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "\ninterrupted\n");
    }
}

#[test]
fn a_limit_on_files_is_the_machines_and_leaves_nothing() {
    let bench = Bench::with_tokenizer();
    bench.write("long.txt", "the cat sat on the mat\n".repeat(2000));
    let line = "corpus build --tokenizer tokenizer --input long.txt --max-length 16 --output corpus";
    // In blocks of 512 bytes.
    let answer = Answer::of(&mut bench.command_under("ulimit -f 4; exec \"$@\"", line), b"");
    assert_eq!(answer.code, 1, "{}", answer.err);
    assert!(answer.err.starts_with("error: ") && answer.err.contains("File too large"), "{}", answer.err);
    assert!(!bench.path("corpus").exists());
    assert_eq!(temporary(&bench.path(".")), [""; 0]);
}

#[test]
fn an_interrupt_waits_for_nobody_who_reads_its_message() {
    let bench = Bench::with_tokenizer();
    let (_reader, mut writer) = std::io::pipe().unwrap();
    // Full before the program begins.
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    let (mut child, _input) = waiting(&bench, writer.into());
    send(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
