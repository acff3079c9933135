//! Every write, fsync, rename and new file of a command fails in turn, and every thread that it starts.
//!
//! The calls are those of the C library, which a library of the test's own stands before
//! (`crates/torch/tests/faults.cpp`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::Signal;

use super::interrupts::temporary;
use super::table::{BUILD, Case, place};
use crate::support::{Answer, Bench, names};

/// What happens at a call.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    Error(Errno),
    Signal(Signal),
}

/// Which calls are counted.
#[derive(Clone, Copy)]
pub(super) enum Calls<'a> {
    /// Those that change what is under a path.
    Under(&'a Path),
    Threads,
    /// Those for memory, of at least so many bytes.
    #[cfg(feature = "torch")]
    Memory(usize),
    /// Questions for the time.
    Clock,
}

/// The library, or none where there is no compiler.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compile = || {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../torch/tests/faults.cpp");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.so");
        let building = library.with_extension(format!("{}.so", std::process::id()));
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let mut command = Command::new(compiler);
        command.args(["-std=c++17", "-O1", "-Wall", "-shared", "-fPIC", "-o"]).arg(&building).arg(&source);
        let output = command.output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::rename(building, &library).unwrap();
        Some(library)
    };
    LIBRARY.get_or_init(compile).as_deref()
}

/// Whether faults can be made here. Says so where they cannot.
pub(super) fn can_fail() -> bool {
    let can = library().is_some();
    if !can {
        println!("skipped: there is no C++ compiler");
    }
    can
}

/// Runs a command in which nothing fails, and counts its calls.
pub(super) fn count(bench: &Bench, line: &str, input: &str, calls: Calls<'_>) -> usize {
    // A name of its own: commands side by side would count together.
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut command = prepared(bench, line, calls);
    command.env("FAULT_COUNT", file.path());
    Answer::of(&mut command, input.as_bytes()).ok();
    file.as_file().metadata().unwrap().len() as usize
}

/// A command whose call of this number, from 1, fails.
pub(super) fn failing(bench: &Bench, line: &str, calls: Calls<'_>, number: usize, fault: Fault) -> Command {
    let mut command = prepared(bench, line, calls);
    command.env("FAULT_AT", number.to_string());
    match fault {
        Fault::Error(errno) => command.env("FAULT_ERRNO", errno.raw_os_error().to_string()),
        Fault::Signal(signal) => command.env("FAULT_SIGNAL", signal.as_raw().to_string()),
    };
    command
}

fn prepared(bench: &Bench, line: &str, calls: Calls<'_>) -> Command {
    let mut command = bench.command(line);
    command.env("LD_PRELOAD", library().unwrap());
    match calls {
        Calls::Under(path) => command.env("FAULT_UNDER", path),
        Calls::Threads => command.env("FAULT_THREADS", "1"),
        #[cfg(feature = "torch")]
        Calls::Memory(least) => command.env("FAULT_MEMORY", least.to_string()),
        Calls::Clock => command.env("FAULT_CLOCK", "1"),
    };
    command
}

/// All files below a folder with what is in them.
pub(super) fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// Checks an answer of a command in which something failed: exit code 1, and one line that says what.
pub(super) fn failed(answer: &Answer, what: &str) {
    assert_eq!(answer.code, 1, "{what}: {}", answer.err);
    let errors = answer.err.lines().filter(|line| line.starts_with("error: ")).count();
    let last = answer.err.lines().last().unwrap_or_default();
    assert!(errors == 1 && last.starts_with("error: "), "{what}: {}", answer.err);
}

/// What the system may say of a disk, in turn.
const SAID: [Errno; 4] = [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::FBIG];

/// Fails each call of a command that makes something new.
fn each_call_fails(case: Case, folder: &str) {
    let bench = place();
    let folder = bench.path(folder);
    std::fs::create_dir(&folder).unwrap();
    let (calm, out) = (folder.join("calm"), folder.join("out"));
    let calls = count(&bench, &case.at(&calm), case.input, Calls::Under(&folder));
    assert!(calls > 10, "{}: {calls} calls", case.line);
    for number in 1..=calls {
        let fault = Fault::Error(SAID[number % SAID.len()]);
        let mut command = failing(&bench, &case.at(&out), Calls::Under(&folder), number, fault);
        let answer = Answer::of(&mut command, case.input.as_bytes());
        let what = format!("{}: call {number} of {calls}", case.line);
        failed(&answer, &what);
        // The last call makes the folder's name durable, when it has its name.
        if number < calls {
            assert_eq!(names(&folder), ["calm"], "{what}");
        }
    }
    assert_eq!(temporary(&folder), [""; 0]);
    let of = |path: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let relative = |(file, bytes): (PathBuf, _)| (file.strip_prefix(path).unwrap().to_owned(), bytes);
        contents(path).into_iter().map(relative).collect()
    };
    assert!(of(&calm) == of(&out), "{}: other bytes", case.line);
}

#[test]
fn a_corpus_is_built_whole_or_not_at_all() {
    if can_fail() {
        each_call_fails(BUILD, "faults-build");
    }
}

#[cfg(feature = "torch")]
#[test]
fn an_export_is_whole_or_not_there() {
    if can_fail() {
        each_call_fails(super::table::EXPORT, "faults-export");
    }
}

#[cfg(feature = "torch")]
#[test]
fn a_report_that_cannot_be_written_leaves_the_one_before() {
    if !can_fail() {
        return;
    }
    let bench = place();
    bench.run("ablate --plan small.toml --output reported").ok();
    let folder = bench.path("reported-again");
    std::fs::create_dir(&folder).unwrap();
    let line = |name: &str, margin: u32| {
        format!("report reported --margin {margin} --output {}", folder.join(name).display())
    };
    bench.run(&line("before", 2)).ok();
    let before = contents(&folder.join("before"));
    let out = folder.join("out");
    let again = || {
        for (path, bytes) in &before {
            let path = out.join(path.strip_prefix(folder.join("before")).unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        contents(&out)
    };
    let as_before = again();
    let calls = count(&bench, &line("out", 5), "", Calls::Under(&out));
    // In the end each file gets its name, and two folders are made durable.
    let named_from = calls - before.len() - 2;
    assert!(contents(&out) != as_before, "the same report");
    assert!(named_from > before.len(), "{calls} calls for {} files", before.len());
    for number in 1..=named_from {
        again();
        let fault = Fault::Error(SAID[number % SAID.len()]);
        let mut command = failing(&bench, &line("out", 5), Calls::Under(&out), number, fault);
        let what = format!("call {number} of {calls}");
        failed(&Answer::of(&mut command, b""), &what);
        assert!(contents(&out) == as_before, "{what}");
    }
}

#[cfg(feature = "torch")]
#[test]
fn a_checkpoint_that_cannot_be_saved_costs_none_of_those_before() {
    use electra_config::RunFolder;
    if !can_fail() {
        return;
    }
    let bench = place();
    let line =
        |run: &str, steps: u64| format!("pretrain --config run.toml --set budget.steps={steps} --run {run}");
    let folder = bench.path("faults-run");
    std::fs::create_dir(&folder).unwrap();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let model = |run: &str| std::fs::read(Path::new(run).join("checkpoints/step-00000003/model.safetensors"));
    bench.run(&line(&at("calm"), 3)).ok();

    // A run at step 2, from which each sitting goes on: interrupted there, so its settings are the same.
    let begun = at("begun");
    std::fs::create_dir(&begun).unwrap();
    for (path, bytes) in contents(Path::new(&at("calm"))) {
        let path = Path::new(&begun).join(path.strip_prefix(at("calm")).unwrap());
        if !path.to_str().unwrap().contains("step-00000003") {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    let restart = |run: &str| {
        let _ = std::fs::remove_dir_all(run);
        for (path, bytes) in contents(Path::new(&begun)) {
            let path = Path::new(run).join(path.strip_prefix(&begun).unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    };
    let run = at("run");
    restart(&run);
    let calls = count(&bench, &line(&run, 3), "", Calls::Under(Path::new(&run)));
    assert!(model(&run).unwrap() == model(&at("calm")).unwrap(), "it does not go on to the same bytes");
    assert!(calls > 20, "{calls} calls");
    for number in 1..=calls {
        restart(&run);
        let fault = Fault::Error(SAID[number % SAID.len()]);
        let mut command = failing(&bench, &line(&run, 3), Calls::Under(Path::new(&run)), number, fault);
        let answer = Answer::of(&mut command, b"");
        let what = format!("call {number} of {calls}");
        failed(&answer, &what);
        assert_eq!(temporary(Path::new(&run)), [""; 0], "{what}");
        // Whatever there is of checkpoints is whole, and the newest of before is among it.
        let checkpoints = names(&Path::new(&run).join("checkpoints"));
        assert!(checkpoints.contains(&"step-00000002".to_owned()), "{what}: {checkpoints:?}");
        let found = RunFolder::open(Path::new(&run)).unwrap();
        for name in &checkpoints {
            let step = name.strip_prefix("step-").unwrap().parse().unwrap();
            found.checkpoint(step).unwrap();
        }
    }
    bench.run(&line(&run, 3)).ok();
    assert!(model(&run).unwrap() == model(&at("calm")).unwrap(), "after the faults, other bytes");
}

#[test]
fn a_thread_that_cannot_be_made_is_the_machines_fault() {
    if !can_fail() {
        return;
    }
    let bench = place();
    let folder = bench.path("threads");
    std::fs::create_dir(&folder).unwrap();
    let cases = [
        super::table::TOKENIZER,
        BUILD,
        #[cfg(feature = "torch")]
        super::table::PRETRAIN,
    ];
    for case in cases {
        let calls = count(&bench, &case.at(&folder.join("calm")), case.input, Calls::Threads);
        assert!(calls > 1, "{}: {calls} threads", case.line);
        let mut failures = 0;
        for number in 1..=calls {
            let out = folder.join("out");
            let fault = Fault::Error(Errno::AGAIN);
            let mut command = failing(&bench, &case.at(&out), Calls::Threads, number, fault);
            let answer = Answer::of(&mut command, case.input.as_bytes());
            // Progress can be done without.
            assert!([0, 1].contains(&answer.code), "{}, thread {number}: {}", case.line, answer.err);
            assert!(!answer.err.contains("panicked"), "{}, thread {number}: {}", case.line, answer.err);
            failures += usize::from(answer.code == 1);
            assert_eq!(temporary(&folder), [""; 0]);
            let _ = std::fs::remove_dir_all(out);
        }
        assert!(failures > 0, "{}: no thread was needed", case.line);
        std::fs::remove_dir_all(folder.join("calm")).unwrap();
    }
}

/// The standard library panics where there is no time: so this is what any panic is like.
#[test]
fn a_panic_is_one_line_and_leaves_nothing() {
    if !can_fail() {
        return;
    }
    let bench = place();
    let folder = bench.path("clock");
    std::fs::create_dir(&folder).unwrap();
    let calls = count(&bench, &BUILD.at(&folder.join("calm")), "", Calls::Clock);
    let mut faults = 0;
    for number in 1..=calls.min(8) {
        let out = folder.join("out");
        let mut command = failing(&bench, &BUILD.at(&out), Calls::Clock, number, Fault::Error(Errno::INVAL));
        let answer = Answer::of(command.env("RUST_BACKTRACE", "1"), b"");
        assert!([0, 1].contains(&answer.code), "call {number}: {}, {}", answer.code, answer.err);
        if answer.code == 1 {
            assert_eq!(answer.err.lines().count(), 1, "call {number}: {}", answer.err);
            assert!(answer.err.starts_with("error: a fault of this program at "), "{}", answer.err);
            faults += 1;
            assert_eq!(names(&folder), ["calm"], "call {number}");
        }
        let _ = std::fs::remove_dir_all(out);
    }
    assert!(faults > 0, "none of {calls} calls was missed");
}
