//! The trainer trains it, in parts as in one, and goes on after a kill to the same bytes.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use electra_data::{CorpusConfig, CorpusWriter, ExampleConfig, Unit, Vocabulary};

use super::*;

const STEPS: u64 = 60;
/// The folder of the run that a child makes.
const FOLDER: &str = "OWN_OBJECTIVE_TEST_FOLDER";
const WAITING: &str = "waiting to be killed";

/// A text of counting, in which a token that is out of place is easily seen, and `run.toml`.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let config = CorpusConfig {
        examples: ExampleConfig::one_segment(16),
        unit: Unit::Line,
        vocabulary: Vocabulary { size: 40, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
        tokenizer: [0; 32],
        shard_tokens: 1 << 20,
        reading: None,
        sources: Vec::new(),
    };
    let corpus = place.path().join("corpus");
    let mut writer = CorpusWriter::create(&corpus, config).unwrap();
    for document in 0..200_u32 {
        let ids: Vec<u32> = (0..28).map(|place| 5 + (document + place) % 30).collect();
        writer.push(&ids).unwrap();
        writer.end_document().unwrap();
    }
    writer.finish().unwrap();
    let text = format!(
        "preset = \"tiny\"\nobjective = \"shuffled-words\"\nseed = 1\n[data]\ncorpus = {corpus:?}\n\
         [budget]\nsteps = {STEPS}\nbatch = 16\n[optimizer]\nlearning_rate = 3e-3\n[log]\nevery_steps = 10\n\
         [checkpoint]\nevery_steps = 5\n[masking]\nmask_prob = 0.3\n[device]\ndevice = \"cpu\"\nthreads = 1\n"
    );
    std::fs::write(place.path().join("run.toml"), text).unwrap();
    place
}

fn train_in(folder: &Path, observer: &mut dyn FnMut(&Event)) {
    let outcome = pretrain(&folder.with_file_name("run.toml"), folder, observer).unwrap();
    assert_eq!(outcome, Outcome::Finished { step: STEPS });
}

/// In a process of its own it trains the run that the environment names, and waits in the middle to be killed.
#[test]
fn the_trainer_trains_it() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return train_in(&PathBuf::from(folder), &mut |event| {
            if let Event::Step { step: 32, .. } = event {
                eprintln!("{WAITING}");
                std::thread::sleep(Duration::from_secs(600));
            }
        });
    }
    let place = place();
    let run = place.path().join("run");
    train_in(&run, &mut |_| {});
    let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let losses: Vec<f64> = metrics
        .lines()
        .map(|line| line.split("\"disc_loss\":").nth(1).unwrap())
        .map(|rest| rest.split([',', '}']).next().unwrap().parse().unwrap())
        .collect();
    // An untrained head says one half of everything, which costs ln 2 = 0.69.
    assert!(losses.len() == 6 && losses[5] < 0.6, "{losses:?}");
}

#[test]
fn after_a_kill_it_ends_with_the_same_bytes() {
    let place = place();
    let (calm, killed) = (place.path().join("calm"), place.path().join("killed"));
    train_in(&calm, &mut |_| {});

    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::the_trainer_trains_it", "--nocapture"])
        .env(FOLDER, &killed)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with(WAITING)), "it trains");
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was killed before its end");
    let model = format!("checkpoints/step-{STEPS:08}/model.safetensors");
    assert!(!killed.join(&model).exists());

    train_in(&killed, &mut |_| {});
    for name in [model.as_str(), "metrics.jsonl"] {
        let read = |run: &Path| std::fs::read(run.join(name)).unwrap();
        assert!(read(&calm) == read(&killed), "{name}");
    }
}
