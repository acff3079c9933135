//! A job: one call of the program, with what it needs and what it leaves.

use std::path::{Path, PathBuf};

use electra_config::RunFolder;
use sha2::{Digest, Sha256};

use crate::files::tail;

/// One call of the program, in the study's folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Unique; the name of its log and of its record.
    pub id: String,
    /// As it is shown: `electra, seed 1: pre-training`.
    pub title: String,
    /// What it is, for estimates.
    pub kind: Kind,
    /// The jobs that have to be done before, by their ids.
    pub needs: Vec<String>,
    /// How long it should take, in seconds.
    pub seconds: f64,
    /// Estimated bytes that it leaves on disk.
    pub bytes: f64,
    /// What the program is called with.
    pub arguments: Vec<String>,
    /// The settings that it reads: a file, written before it starts, and what is in it.
    pub settings: Option<(PathBuf, String)>,
    /// The folder or file that it leaves, as from the study's.
    pub output: PathBuf,
    /// How it shows that it is done.
    pub done: Done,
}

/// The kinds of jobs, in the order in which a study comes to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Text and tasks are generated, a vocabulary is trained, a corpus is built.
    Data,
    /// Pre-training.
    Pretrain,
    /// A checkpoint becomes a folder in the Hub's layout.
    Export,
    /// What a run puts in the place of masked tokens is measured.
    Replacements,
    /// A linear map is fitted to a frozen encoder for each task.
    Probe,
    /// Embeddings of pairs of texts are compared with how alike these are.
    Embed,
    /// An encoder's own head is asked which of two sentences is the better one.
    Pairs,
    /// Fine-tuning on all tasks, and scoring.
    Finetune,
}

impl Kind {
    /// As it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Pretrain => "pre-training",
            Self::Export => "export",
            Self::Replacements => "replacements",
            Self::Probe => "probes",
            Self::Embed => "embeddings",
            Self::Pairs => "minimal pairs",
            Self::Finetune => "fine-tuning",
        }
    }
}

/// How a job shows that it is done, beside its exit code.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// Its output appears whole or not at all; what is there without a record is removed before it starts.
    Folder,
    /// A run that goes on where it was, with a checkpoint of so many steps in the end.
    Run {
        /// The steps.
        steps: u64,
    },
    /// Fine-tuning that goes on where it was, with results of these tasks, so many seeds each.
    Results {
        /// The folders of the tasks.
        tasks: Vec<String>,
        /// How many seeds.
        seeds: usize,
    },
}

impl Job {
    /// What the job is made of: another hash is another job. `needs` are the hashes of what it needs.
    pub(crate) fn hash<'a>(&self, needs: impl Iterator<Item = &'a str>) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        self.arguments.iter().for_each(|argument| part(argument));
        if let Some((path, text)) = &self.settings {
            part(&path.to_string_lossy());
            part(text);
        }
        needs.for_each(part);
        hex(&hash.finalize())
    }

    /// Whether what it leaves is there, and else what is missing.
    pub(crate) fn missing(&self, study: &Path) -> Option<String> {
        let output = study.join(&self.output);
        match &self.done {
            Done::Folder => (!output.exists()).then(|| format!("{} is not there", self.output.display())),
            Done::Run { steps } => match RunFolder::open(&output).and_then(|run| run.newest_checkpoint()) {
                Ok((Some(checkpoint), _)) if checkpoint.step == *steps => None,
                Ok((Some(checkpoint), _)) => Some(format!("it is at step {} of {steps}", checkpoint.step)),
                Ok((None, _)) => Some("no checkpoint was saved".into()),
                Err(error) => Some(error.to_string()),
            },
            Done::Results { tasks, .. } => {
                let missing = tasks.iter().find(|task| !output.join(task).join("results.json").exists());
                missing.map(|task| format!("there are no results of {task}"))
            }
        }
    }

    /// How much of it is over, 0 to 1, as far as its files tell.
    pub(crate) fn progress(&self, study: &Path) -> f64 {
        let output = study.join(&self.output);
        match &self.done {
            Done::Folder => 0.0,
            Done::Run { steps } => last_step(&output.join("metrics.jsonl")) as f64 / *steps as f64,
            Done::Results { tasks, seeds } => {
                let seeds_of = |task: &String| {
                    let entries = std::fs::read_dir(output.join(task)).into_iter().flatten().flatten();
                    entries.filter(|entry| entry.path().join("scores.json").exists()).count()
                };
                tasks.iter().map(seeds_of).sum::<usize>() as f64 / (tasks.len() * seeds).max(1) as f64
            }
        }
        .min(1.0)
    }
}

/// The step of the last whole line of a run's log; 0 if there is none.
fn last_step(path: &Path) -> u64 {
    const TAIL: u64 = 4096;
    let text = tail(path, TAIL).unwrap_or_default();
    let step = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["step"].as_u64();
    text.lines().rev().find_map(step).unwrap_or(0)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string");
        text
    })
}
