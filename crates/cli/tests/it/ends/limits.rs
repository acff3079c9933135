//! Long lines take memory in proportion to their length, whatever is in them: the program runs under a limit for its data.

use std::io::Write;
use std::process::Command;

use super::table::place;
use crate::support::Bench;

/// Bytes of the lines.
const LINE: usize = 1 << 20;
/// What a command may take for each byte of its line. One id for each byte takes four, with their types eight.
const FACTOR: usize = 16;

/// What a line is made of, over and over.
const UNITS: [&str; 20] = [
    "a",
    "한국",
    "ㄱ",
    "漢",
    "\u{20000}",
    "😀",
    "\u{301}",
    "e\u{301}",
    "é",
    "ж",
    " ",
    "\u{a0}",
    ",",
    "。",
    "\u{1}",
    "\u{200d}",
    "ก",
    "a漢é😀",
    "[MASK]",
    "\u{1161}",
];

fn line(unit: &str) -> Vec<u8> {
    unit.repeat(LINE / unit.len()).into_bytes()
}

/// A command under a limit of so many bytes for its data; none where there is no program that sets limits.
fn limited(bench: &Bench, line: &str, bytes: usize) -> Option<Command> {
    let prlimit =
        Command::new("prlimit").arg("--version").output().is_ok_and(|output| output.status.success());
    prlimit.then(|| {
        let program = bench.command(line);
        let mut command = Command::new("prlimit");
        command.arg(format!("--data={bytes}")).arg(program.get_program()).args(program.get_args());
        command.current_dir(bench.path(""));
        // A thread has memory of its own.
        for name in ["OMP_NUM_THREADS", "RAYON_NUM_THREADS", "MALLOC_ARENA_MAX"] {
            command.env(name, "1");
        }
        command.stdin(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        command
    })
}

/// The least that a command takes with a short line, in steps of 16 MiB.
fn base(bench: &Bench, line: &str, input: &[u8]) -> Option<usize> {
    for bytes in (1..128).map(|steps| steps << 24) {
        // Below some limit not even the loader goes on.
        let output = run(&mut limited(bench, line, bytes)?, input);
        if output.0 == Some(0) {
            return Some(bytes);
        }
    }
    panic!("{line}: fails whatever it may take");
}

fn run(command: &mut Command, input: &[u8]) -> (Option<i32>, String) {
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs a command with each input under a limit in proportion to the input; what must come is an exit code.
fn each(command: &str, short: &[u8], inputs: impl Iterator<Item = (String, Vec<u8>, i32)>) {
    let bench = place();
    let Some(base) = base(&bench, command, short) else {
        println!("skipped: there is no program prlimit");
        return;
    };
    for (name, input, expected) in inputs {
        let limit = base + FACTOR * input.len();
        let (code, said) = run(&mut limited(&bench, command, limit).unwrap(), &input);
        assert_eq!(code, Some(expected), "{command}, {name}: {said}");
        assert!(said.len() < 1000, "{command}, {name}: {said}");
    }
}

#[test]
fn a_long_line_is_encoded_in_memory_in_proportion_to_it() {
    let inputs = UNITS.iter().map(|unit| (format!("{unit:?}"), line(unit), 0));
    each("tokenizer encode --tokenizer tokenizer", b"the cat\n", inputs);
    let inputs = [",", "é", "漢"].iter().map(|unit| (format!("{unit:?}"), line(unit), 0));
    each("tokenizer encode --tokenizer tokenizer --json", b"the cat\n", inputs);
}

#[test]
fn a_vocabulary_is_trained_in_memory_in_proportion_to_a_line() {
    let bench = place();
    let folder = bench.path("long-lines");
    std::fs::create_dir(&folder).unwrap();
    for (number, unit) in ["é", "漢", "\u{301}", "😀"].iter().enumerate() {
        let text = [&line(unit)[..], b"\nthe cat sat on the mat\n"].concat();
        std::fs::write(folder.join("text.txt"), &text).unwrap();
        let command = |input: &str, out: &str| {
            format!("tokenizer train --input {input} --vocab-size 200 --output long-lines/{out}-{number}")
        };
        let Some(base) = base(&bench, &command("text.txt", "short"), b"") else { return };
        let limit = base + FACTOR * text.len();
        let long = command("long-lines/text.txt", "long");
        let (code, said) = run(&mut limited(&bench, &long, limit).unwrap(), b"");
        assert_eq!(code, Some(0), "{unit:?}: {said}");
    }
}

#[cfg(feature = "torch")]
#[test]
fn a_long_line_is_refused_in_memory_in_proportion_to_it() {
    // One word of any length is one token.
    let texts = [(",", 2), ("é", 0), ("漢", 2), ("[MASK]", 2)];
    let plain = texts.iter().map(|(unit, code)| (format!("{unit:?}"), line(unit), *code));
    each("detect --model export", b"the cat\n", plain);
    let wrapped = |before: &str, repeated: &str, after: &str, code| {
        let middle = repeated.repeat(LINE / repeated.len());
        (repeated.to_owned(), format!("{before}{middle}{after}\n").into_bytes(), code)
    };
    let mut inputs: Vec<_> =
        texts.iter().map(|(unit, code)| wrapped("{\"text\": \"", unit, "\"}", *code)).collect();
    for (before, repeated, after) in [
        ("{\"input_ids\": [", "1,", "1]}"),
        ("{\"input_ids\": [", "[1],", "[1]]}"),
        ("{\"input_ids\": [[", "1,", "1]]}"),
        ("{\"input_ids\": [1], \"attention_mask\": [", "true,", "true]}"),
        ("{\"input_ids\": [1], \"token_type_ids\": [", "0,", "0]}"),
        ("{\"input_ids\": [", "{},", "1]}"),
        ("{\"input_ids\": [", "null,", "1]}"),
        ("{\"input_ids\": \"", "x", "\"}"),
        ("{\"text\": [", "1,", "1]}"),
        ("{\"text\": {\"a\": [", "1,", "1]}}"),
        ("{\"other\": [", "1,", "1]}"),
    ] {
        inputs.push(wrapped(before, repeated, after, 2));
    }
    each("detect --model export --json", b"{\"text\": \"the cat\"}\n", inputs.into_iter());
}
