//! The folder of a task's results: one folder a seed, which appears whole, and `results.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use electra_store::settings::{differences, parse, to_table, to_toml};
use electra_store::{Error as StoreError, NewFolder, create_folder, io, read, read_to_string, write};
use serde::{Deserialize, Serialize};
use serde_json::json;
use toml::Table;

use crate::config::Recipe;
use crate::data::Prepared;
use crate::score::Scores;
use crate::{Error, Pretrained};

const CONFIG: &str = "config.toml";
const SCORES: &str = "scores.json";
/// What the names of seeds' folders begin with.
const SEED: &str = "seed-";

/// What of a fine-tuning is left in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The fine-tuned model, predictions, scores and curve.
    Model,
    /// All but the model.
    Predictions,
}

/// The scores of one seed: `scores.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedScores {
    /// The seed.
    pub seed: u64,
    /// By set, then by metric. A set without labels is not among them.
    pub scores: BTreeMap<String, Scores>,
    /// How many examples each set has.
    pub examples: BTreeMap<String, usize>,
    /// How many broken examples were left out of each set; sets without any are not among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, usize>,
    /// The epoch whose parameters were scored, from 1.
    pub epoch: u64,
}

/// All that decides the bytes of a seed's folder: `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) task: String,
    pub(crate) seed: u64,
    /// SHA-256 of the pre-trained encoder and its tokenizer.
    pub(crate) model: String,
    /// SHA-256 of the encoded examples.
    pub(crate) data: String,
    pub(crate) keep: Keep,
    pub(crate) evaluate: Vec<String>,
    pub(crate) recipe: Recipe,
}

impl Settings {
    pub(crate) fn new(
        pretrained: &Pretrained,
        prepared: &Prepared<'_>,
        recipe: &Recipe,
        seed: u64,
        keep: Keep,
    ) -> Self {
        Self {
            task: prepared.task.name.clone(),
            seed,
            model: pretrained.sha256.clone(),
            data: prepared.sha256.clone(),
            keep,
            evaluate: prepared.sets.iter().map(|(split, _)| split.to_string()).collect(),
            recipe: recipe.clone(),
        }
    }
}

/// A seed's folder that is being made.
#[derive(Debug)]
pub(crate) struct SeedFolder {
    folder: NewFolder,
}

/// What is at the path of a seed's folder.
pub(crate) enum Found {
    /// A result of the same settings.
    Whole(SeedScores),
    /// Nothing, or what a process that was killed has left.
    New(SeedFolder),
}

impl SeedFolder {
    /// Takes a result that is there, or begins a new one.
    pub(crate) fn open(path: &Path, settings: &Settings) -> Result<Found, Error> {
        let above = path.parent().unwrap_or(Path::new("."));
        create_folder(above)?;
        let config = path.join(CONFIG);
        if !path.exists() {
            match NewFolder::create(path) {
                // Another process has finished it in this moment.
                Err(StoreError::Occupied { .. }) => {}
                folder => {
                    let folder = folder?;
                    write(&folder.path().join(CONFIG), to_toml(settings))?;
                    return Ok(Found::New(Self { folder }));
                }
            }
        }
        if !config.exists() {
            return Err(Error::NoResult { folder: path.to_owned(), expected: CONFIG });
        }
        let found = parse(&config.display().to_string(), &read_to_string(&config)?)?;
        let differences = differences(&found, &to_table(settings));
        if !differences.is_empty() {
            let others = "a result of other settings";
            return Err(StoreError::Differs { folder: path.to_owned(), others, differences }.into());
        }
        read_scores(&path.join(SCORES)).map(Found::Whole)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        Ok(write(&self.path().join(name), text)?)
    }

    /// Writes the scores and gives the folder its name.
    pub(crate) fn finish(self, scores: &SeedScores) -> Result<(), Error> {
        self.write(SCORES, &pretty(scores))?;
        Ok(self.folder.finish()?)
    }
}

pub(crate) fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("keys are strings, and no score is infinite");
    format!("{text}\n")
}

/// The result of a task, over its seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskResult {
    /// The seeds, in order.
    pub seeds: Vec<u64>,
    /// The median of the task's metric; none where no set has labels.
    pub median: Option<f64>,
}

/// Writes `results.json` of a task: every seed's scores, and the median over the seeds of the task's metric on
/// the first set that has labels. Seeds of earlier commands with the same settings count too.
///
/// # Errors
/// If a file cannot be read or written.
pub fn write_results(
    folder: &Path,
    prepared: &Prepared<'_>,
    seeds: &[SeedScores],
) -> Result<TaskResult, Error> {
    let mut all = seeds.to_vec();
    if let Some(first) = seeds.first() {
        all.extend(others(folder, first.seed)?);
    }
    all.sort_by_key(|scores| scores.seed);
    all.dedup_by_key(|scores| scores.seed);
    let metric = prepared.task.score().name();
    let mut splits = prepared.sets.iter().map(|(split, _)| split.to_string());
    let split = splits.find(|split| all.iter().all(|seed| seed.scores.contains_key(split)));
    let score = |seed: &SeedScores| seed.scores.get(split.as_ref()?)?.get(metric).copied();
    let median = median(&mut all.iter().filter_map(score).collect::<Vec<f64>>());
    let results = json!({
        "task": prepared.task.name,
        "metric": metric,
        "split": split,
        "seeds": all,
        "median": median,
    });
    write(&folder.join("results.json"), pretty(&results))?;
    Ok(TaskResult { seeds: all.iter().map(|seed| seed.seed).collect(), median })
}

/// The scores of whole folders whose settings are those of a seed's but for the seed.
fn others(folder: &Path, seed: u64) -> Result<Vec<SeedScores>, Error> {
    let settings = |folder: &Path| -> Result<Option<Table>, Error> {
        let path = folder.join(CONFIG);
        if !path.exists() {
            return Ok(None);
        }
        let mut table = parse(&path.display().to_string(), &read_to_string(&path)?)?;
        Ok(table.remove("seed").map(|_| table))
    };
    let expected = settings(&folder.join(format!("{SEED}{seed}")))?;
    let mut scores = Vec::new();
    for entry in fs::read_dir(folder).map_err(io(folder, "listing it"))? {
        let entry = entry.map_err(io(folder, "listing it"))?;
        // Not a folder that is still being written.
        let is_seed = entry.file_name().to_str().is_some_and(|name| name.starts_with(SEED));
        let path = entry.path();
        if is_seed && expected.is_some() && settings(&path)? == expected {
            scores.push(read_scores(&path.join(SCORES))?);
        }
    }
    Ok(scores)
}

fn read_scores(path: &Path) -> Result<SeedScores, Error> {
    serde_json::from_slice(&read(path)?).map_err(|error| Error::Setting {
        origin: path.display().to_string(),
        key: "the file".to_owned(),
        found: error.to_string(),
        expected: "scores of electra finetune".to_owned(),
    })
}

fn median(scores: &mut [f64]) -> Option<f64> {
    scores.sort_by(f64::total_cmp);
    let (low, high) = (scores.get(scores.len().checked_sub(1)? / 2)?, scores.get(scores.len() / 2)?);
    Some((low + high) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
