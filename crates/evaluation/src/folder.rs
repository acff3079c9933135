//! The folder of a task's results: one folder a seed, which appears whole, and `results.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tempfile::TempDir;
use toml::{Table, Value};

use crate::config::Recipe;
use crate::data::Prepared;
use crate::score::Scores;
use crate::{Error, Pretrained, files};

const CONFIG: &str = "config.toml";
const SCORES: &str = "scores.json";

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
    path: PathBuf,
    folder: TempDir,
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
        fs::create_dir_all(above).map_err(Error::io(above, "creating it"))?;
        let config = path.join(CONFIG);
        if !path.exists() {
            let folder = files::temporary_folder(path)?;
            files::write(&folder.path().join(CONFIG), to_toml(settings).as_bytes())?;
            return Ok(Found::New(Self { path: path.to_owned(), folder }));
        }
        if !config.exists() {
            return Err(Error::NoResult { folder: path.to_owned(), expected: CONFIG });
        }
        let text = fs::read_to_string(&config).map_err(Error::io(&config, "reading it"))?;
        let found: Table = toml::from_str(&text).map_err(|error| Error::Setting {
            origin: config.display().to_string(),
            key: "the file".to_owned(),
            found: error.message().to_owned(),
            expected: "TOML".to_owned(),
        })?;
        let differences = differences(&found, &table(settings));
        if !differences.is_empty() {
            return Err(Error::Differs { folder: path.to_owned(), differences });
        }
        let scores = path.join(SCORES);
        let text = fs::read(&scores).map_err(Error::io(&scores, "reading it"))?;
        serde_json::from_slice(&text).map(Found::Whole).map_err(|error| Error::Setting {
            origin: scores.display().to_string(),
            key: "the file".to_owned(),
            found: error.to_string(),
            expected: "scores of electra finetune".to_owned(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        files::write(&self.path().join(name), text.as_bytes())
    }

    /// Writes the scores and gives the folder its name.
    pub(crate) fn finish(self, scores: &SeedScores) -> Result<(), Error> {
        self.write(SCORES, &pretty(scores))?;
        files::persist_folder(self.folder, &self.path)
    }
}

fn table(settings: &Settings) -> Table {
    Table::try_from(settings).expect("keys are strings, and no setting is a number that TOML lacks")
}

fn to_toml(settings: &Settings) -> String {
    toml::to_string(settings).expect("keys are strings, and no setting is a number that TOML lacks")
}

pub(crate) fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("keys are strings, and no score is infinite");
    format!("{text}\n")
}

/// Every setting in which two tables differ, with both values.
fn differences(found: &Table, wanted: &Table) -> Vec<String> {
    let (found, wanted) = (flat(found), flat(wanted));
    let mut keys: Vec<&String> = found.keys().chain(wanted.keys()).collect();
    keys.sort();
    keys.dedup();
    let show = |value: Option<&String>| value.cloned().unwrap_or_else(|| "not set".to_owned());
    keys.into_iter()
        .map(|key| (key, found.get(key), wanted.get(key)))
        .filter(|(_, found, wanted)| found != wanted)
        .map(|(key, found, wanted)| format!("{key} = {} (wanted: {})", show(found), show(wanted)))
        .collect()
}

fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (key, value) in table {
        match value {
            Value::Table(table) => {
                values
                    .extend(flat(table).into_iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            value => {
                values.insert(key.clone(), value.to_string());
            }
        }
    }
    values
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
    let of = |seed: &SeedScores| seed.scores.get(split.as_ref()?)?.get(metric).copied();
    let median = median(&mut all.iter().filter_map(of).collect::<Vec<f64>>());
    let results = json!({
        "task": prepared.task.name,
        "metric": metric,
        "split": split,
        "seeds": all,
        "median": median,
    });
    files::write(&folder.join("results.json"), pretty(&results).as_bytes())?;
    Ok(TaskResult { seeds: all.iter().map(|seed| seed.seed).collect(), median })
}

/// The scores of whole folders whose settings are those of a seed's but for the seed.
fn others(folder: &Path, seed: u64) -> Result<Vec<SeedScores>, Error> {
    let settings = |folder: &Path| -> Option<Table> {
        let mut table: Table = toml::from_str(&fs::read_to_string(folder.join(CONFIG)).ok()?).ok()?;
        table.remove("seed").map(|_| table)
    };
    let wanted = settings(&folder.join(format!("seed-{seed}")));
    let mut scores = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder, "listing it"))? {
        let path = entry.map_err(Error::io(folder, "listing it"))?.path();
        if path.is_dir() && wanted.is_some() && settings(&path) == wanted {
            scores
                .extend(fs::read(path.join(SCORES)).ok().and_then(|text| serde_json::from_slice(&text).ok()));
        }
    }
    Ok(scores)
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
