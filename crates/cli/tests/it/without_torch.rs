//! The program that is built without libtorch.

use crate::plan::bench;
use crate::support::Bench;

#[test]
fn a_command_that_needs_libtorch_says_so_whatever_its_options() {
    let bench = Bench::new();
    for line in [
        "pretrain --config run.toml --run run",
        "export --run run",
        "finetune",
        "predict --model m text",
        "minimal-pairs --help",
        "embed --model m",
        "detect -h",
        "replacements",
    ] {
        let name = line.split(' ').next().unwrap();
        let expected = format!(
            "error: electra {name} needs libtorch, and this program was built without it: build electra-cli with the \
             feature `torch`, which is on by default\n"
        );
        assert_eq!(bench.run(line).refused(), expected);
    }
    assert!(bench.run("pretraining").refused().contains("unrecognized subcommand"));
    assert!(bench.run("--help").ok().contains("Not in this program: it needs libtorch"));
    assert_eq!(bench.names(), [""; 0]);
}

#[test]
fn a_study_is_refused_before_it_begins() {
    let bench = bench();
    let message = bench.run("ablate --plan plan.toml --output study").refused();
    assert!(message.contains("electra ablate without --dry-run needs libtorch"), "{message}");
    assert!(!bench.path("study").exists());
}

/// Invariant 1 of docs/architecture.md, on the program itself. `cargo xtask tidy` proves it of the packages.
#[test]
fn the_program_names_no_library_of_libtorch() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_electra")).unwrap();
    let holds = |name: &[u8]| program.windows(name.len()).any(|window| window == name);
    assert!(holds(b"without --dry-run"), "this search finds nothing");
    assert!(!holds(b"libtorch_cpu.so") && !holds(b"libc10.so"));
}
