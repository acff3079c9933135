//! A tiny encoder with random weights, toy tasks, and the path from the one to the other's results.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use electra_encoder::{Architecture, Compute, Encoder, EncoderConfig, HubFolder, Part, Weights, initialise};
use electra_evaluation::{
    Error, Event, Job, Keep, Prepared, Pretrained, Recipe, SeedScores, TaskData, finetune,
};
use electra_tasks::Split;
use tch::{Device, nn};
use tempfile::TempDir;

pub(crate) const WORDS: &str =
    "the a cat cats dog dogs sleep sleeps sees see near old , . un ##s ##ing walk what who does";

/// A folder that `electra export` could have written.
pub(crate) fn encoder(folder: &Path) -> PathBuf {
    let folder = folder.join("encoder");
    fs::create_dir_all(&folder).unwrap();
    let tokens: Vec<&str> = "[PAD] [UNK] [CLS] [SEP] [MASK]".split(' ').chain(WORDS.split(' ')).collect();
    fs::write(folder.join("vocab.txt"), tokens.join("\n") + "\n").unwrap();
    let config = EncoderConfig {
        vocab_size: tokens.len() as i64,
        embedding_size: 16,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 64,
        max_position_embeddings: 24,
        ..EncoderConfig::tiny()
    };
    let var_store = nn::VarStore::new(Device::Cpu);
    let _encoder = Encoder::new(&(&var_store.root() / "electra"), &config);
    // Wider than the paper's 0.02: a network this small would sleep for long otherwise.
    initialise(&var_store, 0.1, 7).unwrap();
    let weights = Weights::from_var_store(&var_store, Part::ALL);
    HubFolder { config, architecture: Architecture::Encoder, weights }.write(&folder).unwrap();
    folder
}

/// A task's folder.
pub(crate) fn task(folder: &Path, name: &str, definition: &str, files: &[(&str, String)]) -> PathBuf {
    let folder = folder.join("tasks").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("task.toml"), format!("name = \"{name}\"\n{definition}")).unwrap();
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// Which animal a sentence is of: `count` sentences of several lengths from number `from` on.
pub(crate) fn animals(from: usize, count: usize) -> String {
    let mut text = "sentence\tlabel\n".to_owned();
    for number in from..from + count {
        let animal = ["cat", "dog"][number % 2];
        let before = "old ".repeat(number / 2 % 4);
        let after = " near the old".repeat(number / 8 % 3);
        text += &format!("the {before}{animal} sleeps{after}\t{}\n", ["feline", "canine"][number % 2]);
    }
    text
}

const ANIMALS: &str = "kind = \"sequence\"\ntext = [\"sentence\"]\nlabel = \"label\"\n\
    labels = [\"canine\", \"feline\"]\nmetrics = [\"accuracy\", \"matthews\"]\n\
    [files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\ntest = \"test.tsv\"\n";

/// The toy task that most tests are about.
pub(crate) fn animal_task(folder: &Path) -> PathBuf {
    let unlabelled: String =
        animals(0, 10).lines().map(|line| line.split('\t').next().unwrap().to_owned() + "\n").collect();
    let files = [("train.tsv", animals(0, 96)), ("dev.tsv", animals(1, 40)), ("test.tsv", unlabelled)];
    task(folder, "animals", ANIMALS, &files)
}

/// What a test asks for beside the task.
pub(crate) struct TestJob<'a> {
    pub(crate) encoder: &'a Path,
    pub(crate) task: &'a Path,
    pub(crate) evaluate: &'a [Split],
    pub(crate) set: &'a [&'a str],
    pub(crate) seed: u64,
    pub(crate) keep: Keep,
    pub(crate) output: &'a Path,
}

impl<'a> TestJob<'a> {
    pub(crate) fn new(encoder: &'a Path, task: &'a Path, output: &'a Path) -> Self {
        let evaluate = &[Split::Dev];
        Self { encoder, task, evaluate, set: &[], seed: 1, keep: Keep::Model, output }
    }

    pub(crate) fn run(&self) -> Result<SeedScores, Error> {
        self.watched(&mut |_| {})
    }

    pub(crate) fn watched(&self, observer: &mut dyn FnMut(&Event)) -> Result<SeedScores, Error> {
        // libtorch's generator, which dropout draws from, belongs to the process.
        static TRAINING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
        let pretrained = Pretrained::read(self.encoder)?;
        let data = TaskData::read(electra_tasks::find(self.task.to_str().unwrap(), None)?, self.evaluate)?;
        let mut recipe = Recipe::paper(pretrained.config(), data.size());
        // One thread, as a study has; and a rate for a network this small.
        for assignment in
            ["threads=1", "learning_rate=3e-3", "max_length=24", "epochs=8"].iter().chain(self.set)
        {
            recipe.set(assignment)?;
        }
        let prepared = Prepared::new(&pretrained, &data, &recipe)?;
        let stop = AtomicBool::new(false);
        finetune(Job {
            pretrained: &pretrained,
            prepared: &prepared,
            recipe: &recipe,
            seed: self.seed,
            folder: self.output,
            keep: self.keep,
            compute: Compute { precision: recipe.precision, ..Compute::cpu() },
            stop: &stop,
            observer,
        })
    }
}

/// A folder with an encoder and the toy task in it.
pub(crate) fn workplace() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, task) = (encoder(folder.path()), animal_task(folder.path()));
    (folder, encoder, task)
}

/// Every file under a folder, by its path in it.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
