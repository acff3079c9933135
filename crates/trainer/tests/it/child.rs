//! A run in a process of its own, to be killed: this test program, started again.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use electra_trainer::{Event, Outcome};

use crate::support;

/// The run's folder; beside it lie `corpus` and `run.toml`.
const FOLDER: &str = "ELECTRA_TRAINER_TEST_FOLDER";
/// How many files of checkpoints are written before the child waits to be killed.
const STALL: &str = "ELECTRA_TRAINER_TEST_STALL";
const STALLED: &str = "stalled";

/// Trains the run that the environment names and tells each event in a line; without one, a run of its own.
#[test]
fn a_run_tells_what_it_does() {
    let own = std::env::var_os(FOLDER).is_none().then(|| {
        let place = support::place();
        write_config(place.path(), 3);
        place
    });
    let folder = match &own {
        Some(place) => place.path().join("run"),
        None => PathBuf::from(std::env::var_os(FOLDER).unwrap()),
    };
    let stall: Option<u64> = std::env::var(STALL).ok().map(|count| count.parse().unwrap());
    let path = folder.with_file_name("run.toml");
    let mut config = electra_trainer::read_config(&path, &[], support::masking).unwrap();
    if own.is_some() {
        config.device.threads = 1;
    }

    let mut written = 0;
    let mut lines = Vec::new();
    let mut observer = |event: &Event| {
        if let Event::Writing { .. } = event {
            written += 1;
            if stall == Some(written) {
                println!("\n{STALLED}");
                std::thread::sleep(Duration::from_secs(600));
            }
        }
        let line = format!("{event:?}");
        println!("\n{line}");
        lines.push(line);
    };
    let stop = AtomicBool::new(false);
    let outcome =
        support::run_observed(&config, &folder, &stop, &mut observer, &electra_objective::electra::SPEC);
    match outcome {
        Ok(outcome) => println!("\n{outcome:?}"),
        Err(error) => {
            eprintln!("\n{error}");
            std::process::exit(1);
        }
    }
    if own.is_some() {
        let count = |name: &str| lines.iter().filter(|line| line.starts_with(name)).count();
        // Four files a checkpoint.
        assert_eq!((count("Started"), count("Step"), count("Writing"), count("Saved")), (1, 3, 12, 3));
        assert_eq!(outcome.unwrap(), Outcome::Finished { step: 3 });
    }
}

/// The settings of the children's runs: as the other tests', with dropout, a batch in two parts and held-out text.
pub(crate) fn write_config(place: &Path, steps: u64) {
    let mut config = support::config(place, steps);
    config.model.encoder.hidden_dropout_prob = 0.1;
    config.model.encoder.attention_probs_dropout_prob = 0.1;
    config.budget.accumulation = 2;
    config.device.threads = 2;
    support::write_corpus(&place.join("held-out"), 3);
    config.data.valid = Some(place.join("held-out"));
    (config.data.valid_examples, config.log.valid_every_steps) = (5, 4);
    std::fs::write(place.join("run.toml"), config.to_toml()).unwrap();
}

/// A child that trains, killed when it is dropped.
pub(crate) struct Trainee {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Trainee {
    /// Starts one; `stall` as the number of files after which it waits to be killed.
    pub(crate) fn start(folder: &Path, stall: Option<u64>) -> Self {
        Self::spawn(&mut command(folder, stall))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for a line that begins so; false if the child ends before.
    pub(crate) fn wait_for(&mut self, beginning: &str) -> bool {
        self.lines.by_ref().any(|line| line.unwrap().starts_with(beginning))
    }

    pub(crate) fn wait_until_stalled(&mut self) -> bool {
        self.wait_for(STALLED)
    }

    /// SIGKILL; false if the child had ended by itself.
    pub(crate) fn kill(mut self) -> bool {
        self.child.kill().unwrap();
        !self.child.wait().unwrap().success()
    }

    pub(crate) fn finish(mut self) -> ExitStatus {
        while self.lines.next().is_some() {}
        self.child.wait().unwrap()
    }
}

impl Drop for Trainee {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This test program, to run the test above and nothing else.
pub(crate) fn command(folder: &Path, stall: Option<u64>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::a_run_tells_what_it_does", "--nocapture"]).env(FOLDER, folder);
    // Threads that wait by spinning take the cores from each other where other tests run too.
    command.env("OMP_WAIT_POLICY", "PASSIVE");
    if let Some(stall) = stall {
        command.env(STALL, stall.to_string());
    }
    command
}
