//! Messages: one line each, which names the file, and nothing in it that a terminal would obey.

use std::path::Path;

use super::table::{CASES, place};
use crate::support::{Answer, Bench};

/// A name with a line break, a colour and a change of the direction of writing.
const ACTIVE: &str = "q\n\u{1b}[31m\u{202e}b";

fn active(text: &str) -> Option<char> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.chars()
        .find(|c| matches!(c, '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{202e}'))
}

/// Runs a command in which `{out}` and `{active}` stand for paths that a terminal would obey.
fn run_at(bench: &Bench, line: &str, out: &Path, input: &str) -> Answer {
    let mut command = bench.command("");
    command.args(line.split_whitespace().map(|word| match word {
        "{out}" => out.as_os_str().to_owned(),
        word => word.replace("{active}", ACTIVE).into(),
    }));
    Answer::of(&mut command, input.as_bytes())
}

#[test]
fn names_that_a_terminal_would_obey_are_shown_as_text() {
    let bench = place();
    for (number, case) in CASES.iter().enumerate().filter(|(_, case)| case.writes()) {
        let folder = bench.path(&format!("active-{number}"));
        std::fs::create_dir(&folder).unwrap();
        let out = folder.join(ACTIVE);
        let answer = run_at(&bench, case.line, &out, case.input);
        assert_eq!(answer.code, 0, "{}: {}", case.line, answer.err);
        assert!(out.exists());
        for text in [&answer.out, &answer.err] {
            assert_eq!(active(text), None, "{}: {text:?}", case.line);
            assert!(!text.contains("q\n"), "{}: {text:?}", case.line);
        }
    }
    for line in [
        "tokenizer train --vocab-size 60 --output x --input {active}",
        "tokenizer encode --tokenizer {active}",
        "corpus inspect {active}",
        "ablate --output x --plan {active}",
        "flops --preset tiny --objective {active}",
        "flops --preset {active}",
        "{active}",
        #[cfg(feature = "torch")]
        "pretrain --run x --config {active}",
        #[cfg(feature = "torch")]
        "pretrain --run x --config run.toml --set {active}=1",
        #[cfg(feature = "torch")]
        "detect --model {active}",
        #[cfg(feature = "torch")]
        "finetune --model export --output x --task {active}",
    ] {
        let message = run_at(&bench, line, Path::new("x"), "").refused();
        assert_eq!(message.lines().count(), 1, "{line}: {message:?}");
        assert_eq!(active(&message), None, "{line}: {message:?}");
        assert!(message.starts_with("error: "), "{line}: {message:?}");
    }
}

/// Files whose content is wrong: the message is one line, and begins with the file.
#[test]
fn a_message_is_one_line_and_names_the_file() {
    let bench = Bench::new();
    let place = place();
    for name in ["tokenizer", "corpus", "tasks"] {
        copy(&place.path(name), &bench.path(name));
    }
    let manifest = std::fs::read_to_string(bench.path("corpus/corpus.json")).unwrap();
    let text = "preset = \"tiny\"\nobjective = \"electra\"\nseed = 1\n[data]\ncorpus = \"corpus\"\n[budget]\nsteps = 3\n";
    let plan = std::fs::read_to_string(place.path("plan.toml")).unwrap();
    bench.write("text.txt", "the cat\n");
    bench.write("empty.txt", "\n \n");
    bench.write("run.toml", text);
    bench.write("plan.toml", &plan);
    let pretrain = "pretrain --config run.toml --run run";
    let train = "tokenizer train --vocab-size 60 --output new --input";
    let build = "corpus build --tokenizer tokenizer --output new --input";
    let torch = cfg!(feature = "torch");
    for (file, content, line, expected) in [
        ("run.toml", format!("{text}batch = = 3\n"), pretrain, "run.toml: line 8, column 9: "),
        ("run.toml", format!("{text}[masking]\nmask_prob = 1.5\n"), pretrain, "run.toml: "),
        ("run.toml", format!("{text}[model]\ngenerator_multiplier = 0.001\n"), pretrain, "run.toml: "),
        ("run.toml", format!("{text}batch = 4000000000\n"), pretrain, "run.toml: budget.batch: 4000000000; "),
        ("run.toml", format!("{text}[model.encoder]\nvocab_size = 2\n"), pretrain, "run.toml: "),
        ("plan.toml", format!("{plan}\n["), "ablate --plan plan.toml --dry-run", "plan.toml: line "),
        (
            "tasks/animals/task.toml",
            "name = [".into(),
            "finetune --model x --task tasks/animals --output y",
            "x",
        ),
        (
            "corpus/corpus.json",
            manifest.replace("\"pad\": 0", "\"pad\": 4000000"),
            "corpus inspect corpus",
            "corpus/corpus.json: ",
        ),
        ("empty.txt", String::new(), &format!("{train} empty.txt"), "empty.txt: "),
        ("empty.txt", " \n".into(), &format!("{build} empty.txt"), "empty.txt: "),
    ] {
        if !torch && ["pretrain", "finetune"].iter().any(|command| line.starts_with(command)) {
            continue;
        }
        let before = std::fs::read(bench.path(file)).unwrap();
        bench.write(file, content);
        let message = bench.run(line).refused();
        assert_eq!(message.lines().count(), 1, "{line}: {message}");
        assert!(message.starts_with(&format!("error: {expected}")), "{file}, {line}: {message}");
        bench.write(file, before);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_may_be_as_long_as_the_system_takes_and_need_not_be_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let bench = place();
    let folder = bench.path("names");
    std::fs::create_dir(&folder).unwrap();
    let input = folder.join(OsStr::from_bytes(b"text-\xff.txt"));
    std::fs::copy(bench.path("text.txt"), &input).unwrap();
    let longest = "n".repeat(255);
    for (number, case) in CASES.iter().enumerate().filter(|(_, case)| case.writes()) {
        let unreadable =
            format!("{number}-").into_bytes().into_iter().chain([0xfe, 0xff]).collect::<Vec<_>>();
        for name in [OsStr::from_bytes(&unreadable), OsStr::new(&longest)] {
            let out = folder.join(name);
            // From a text whose name is not UTF-8 either.
            let line = case.line.split_whitespace().map(|word| match word {
                "{out}" => out.as_os_str(),
                "text.txt" => input.as_os_str(),
                word => OsStr::new(word),
            });
            let mut command = bench.command("");
            command.args(line);
            if !case.line.starts_with("export") {
                command.arg("--json");
            }
            let answer = Answer::of(&mut command, case.input.as_bytes());
            assert_eq!(answer.code, 0, "{}, {name:?}: {}", case.line, answer.err);
            assert!(out.exists(), "{}", case.line);
            let _ = std::fs::remove_dir_all(&out);
            let _ = std::fs::remove_file(&out);
        }
    }
}
