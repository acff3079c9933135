//! What the tests share: a corpus and a run that take milliseconds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use electra_config::{DeviceChoice, Preset};
use electra_data::{CorpusConfig, CorpusWriter, ExampleConfig, MaskingConfig, Unit, Vocabulary};
use electra_encoder::EncoderConfig;
use electra_objective::{Spec, electra};
use electra_trainer::{BoxError, Config, Error, Event, Outcome, Ranks, Remark, Run, train};
use tempfile::TempDir;

pub(crate) const VOCABULARY: u32 = 100;
pub(crate) const LENGTH: usize = 16;

/// A folder with a corpus, `corpus`, of 120 rows that are all full.
pub(crate) fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    write_corpus(&place.path().join("corpus"), 1);
    place
}

pub(crate) fn write_corpus(folder: &Path, seed: u32) {
    let word =
        |document, line, place| 5 + (place * place + 7 * line + 11 * document + seed) % (VOCABULARY - 5);
    write_text(folder, LENGTH, [0; 32], word);
}

/// A corpus of 40 documents of 3 rows each; `word` gives the id of (document, line, place).
pub(crate) fn write_text(
    folder: &Path,
    length: usize,
    tokenizer: [u8; 32],
    word: impl Fn(u32, u32, u32) -> u32,
) {
    let config = CorpusConfig {
        examples: ExampleConfig { short_prob: 0.0, ..ExampleConfig::one_segment(length) },
        unit: Unit::Line,
        vocabulary: Vocabulary { size: VOCABULARY, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
        tokenizer,
        shard_tokens: 1 << 28,
        reading: None,
        sources: Vec::new(),
    };
    let mut writer = CorpusWriter::create(folder, config).unwrap();
    for document in 0..40 {
        for line in 0..3 {
            let words: Vec<u32> = (0..length as u32 - 2).map(|place| word(document, line, place)).collect();
            writer.push(&words).unwrap();
        }
        writer.end_document().unwrap();
    }
    writer.finish().unwrap();
}

/// ELECTRA with 2 layers of width 16, batches of 4, without dropout.
pub(crate) fn config(place: &Path, steps: u64) -> Config {
    let mut config = Config::preset(Preset::Tiny, "electra", 1, place.join("corpus"));
    config.model.encoder = EncoderConfig {
        vocab_size: i64::from(VOCABULARY),
        embedding_size: 8,
        hidden_size: 16,
        num_attention_heads: 2,
        intermediate_size: 32,
        max_position_embeddings: LENGTH as i64,
        ..EncoderConfig::tiny().without_dropout()
    };
    config.model.generator_multiplier = 0.5;
    config.budget.steps = Some(steps);
    config.budget.batch = 4;
    config.optimizer.learning_rate = 5e-3;
    config.checkpoint.every_steps = 1;
    config.log.every_steps = 1;
    config.device.device = DeviceChoice::Cpu;
    // Runs of several tests at a time have but the cores that there are.
    config.device.threads = 1;
    config
}

/// What a run of these tests is told and tells.
pub(crate) struct Sitting {
    pub(crate) outcome: Result<Outcome, Error>,
    pub(crate) events: Vec<Event>,
}

impl Sitting {
    pub(crate) fn warnings(&self) -> Vec<&str> {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning(text) => Some(text.as_str()),
            _ => None,
        });
        warnings.collect()
    }

    pub(crate) fn remarks(&self) -> Vec<&Remark> {
        let remarks = self.events.iter().filter_map(|event| match event {
            Event::Remark(remark) => Some(remark),
            _ => None,
        });
        remarks.collect()
    }

    /// The step that the run began at.
    pub(crate) fn started(&self) -> u64 {
        let started = |event: &Event| match event {
            Event::Started { step, .. } => Some(*step),
            _ => None,
        };
        self.events.iter().find_map(started).unwrap()
    }

    pub(crate) fn finished(self) -> Self {
        assert!(matches!(self.outcome, Ok(Outcome::Finished { .. })), "{:?}", self.outcome);
        self
    }
}

pub(crate) fn run(config: &Config, folder: &Path) -> Sitting {
    run_with(config, folder, &electra::SPEC)
}

pub(crate) fn run_with(config: &Config, folder: &Path, objective: &Spec) -> Sitting {
    let mut events = Vec::new();
    let stop = AtomicBool::new(false);
    let outcome = run_observed(config, folder, &stop, &mut |event| events.push(event.clone()), objective);
    Sitting { outcome, events }
}

pub(crate) fn run_observed(
    config: &Config,
    folder: &Path,
    stop: &AtomicBool,
    observer: &mut dyn FnMut(&Event),
    objective: &Spec,
) -> Result<Outcome, Error> {
    let ranks = &Ranks::alone();
    train(Run { config, folder, objective, continues_word: &[], ranks, stop, observer })
}

pub(crate) fn masking(_objective: &str) -> Result<MaskingConfig, BoxError> {
    Ok(MaskingConfig::electra())
}

pub(crate) fn checkpoint(folder: &Path, step: u64) -> PathBuf {
    folder.join(format!("checkpoints/step-{step:08}"))
}

pub(crate) fn model(folder: &Path, step: u64) -> Vec<u8> {
    fs::read(checkpoint(folder, step).join("model.safetensors")).unwrap()
}

pub(crate) fn metrics(folder: &Path) -> Vec<BTreeMap<String, serde_json::Value>> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn remarks(folder: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join("remarks.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
