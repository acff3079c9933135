//! Fine-tuning of one task with one seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use electra_encoder::Compute;
use electra_tasks::{Kind, Labels, Split, Task};
use serde_json::json;
use tch::Tensor;

use crate::config::{Epoch, Recipe};
use crate::data::Prepared;
use crate::folder::{Found, Keep, SeedFolder, SeedScores, Settings};
use crate::model::TaskInfo;
use crate::network::TaskNetwork;
use crate::predictions::{Prediction, predict};
use crate::score::{Scores, score, table};
use crate::spans::Search;
use crate::train::{Progress, train};
use crate::{Error, Pretrained, model};

/// What to fine-tune, and where.
pub struct Job<'a> {
    /// The encoder.
    pub pretrained: &'a Pretrained,
    /// The task, encoded by that encoder's tokenizer.
    pub prepared: &'a Prepared<'a>,
    /// The settings.
    pub recipe: &'a Recipe,
    /// Seed of the head's initialization, the order of the examples, and dropout.
    pub seed: u64,
    /// The folder to be made. If there is a result of the same settings in it, that is the result.
    pub folder: &'a Path,
    /// What is left in it.
    pub keep: Keep,
    /// What it is computed on, as the recipe asks for it.
    pub compute: Compute,
    /// Once true, the job ends as [`Error::Interrupted`] and leaves nothing.
    pub stop: &'a AtomicBool,
    /// Is told what happens: what it does, the job waits for.
    pub observer: &'a mut dyn FnMut(&Event),
}

impl std::fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("folder", &self.folder).field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// What happens in a job.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The folder holds the result already.
    Reused,
    /// A step is done.
    Step {
        /// Steps that are done.
        step: u64,
        /// Steps in all.
        steps: u64,
    },
    /// The dev set was scored after an epoch.
    Scored {
        /// Epochs that are done.
        epoch: u64,
        /// The scores.
        scores: Scores,
    },
}

/// Fine-tunes, scores, and leaves a folder with `config.toml`, `scores.json`, `predictions-SET.tsv`,
/// `curve.jsonl` and, if it is to be kept, `model/`.
///
/// The same settings give the same bytes on the CPU with the same number of threads.
///
/// # Errors
/// If the folder holds another result, the settings are wrong, training diverges, or a file cannot be written.
pub fn finetune(job: Job<'_>) -> Result<SeedScores, Error> {
    let Job { pretrained, prepared, recipe, seed, folder, keep, compute, stop, observer } = job;
    check(recipe, pretrained, prepared)?;
    let folder = match SeedFolder::open(folder, &Settings::new(pretrained, prepared, recipe, seed, keep))? {
        Found::Whole(scores) => {
            observer(&Event::Reused);
            return Ok(scores);
        }
        Found::New(folder) => folder,
    };
    let encoder = recipe.encoder(pretrained.config());
    let network = TaskNetwork::new(&encoder, &prepared.problem, recipe.form(), compute);
    network.begin(&pretrained.weights, seed)?;

    let mut history = History { prepared, recipe, stop, curve: String::new(), best: None, last: None };
    train(&network, &prepared.train.items, recipe, seed, stop, |progress| {
        history.observe(progress, observer)
    })?;
    let History { curve, best, mut last, .. } = history;
    let mut epoch = recipe.epochs;
    if let Some(best) = best {
        epoch = best.epoch;
        restore(&network, &best.parameters)?;
        last = None;
    }

    let mut scores = SeedScores {
        seed,
        scores: BTreeMap::new(),
        examples: BTreeMap::new(),
        left_out: prepared.left_out.clone(),
        epoch,
    };
    scores.examples.insert("train".to_owned(), prepared.train.examples.len());
    for (split, set) in &prepared.sets {
        let predictions = match last.take_if(|_| **split == Split::Dev) {
            Some(predictions) => predictions,
            None => predict(&network, set, &search(prepared, recipe), stop)?,
        };
        let name = split.to_string();
        folder.write(&format!("predictions-{name}.tsv"), &table(prepared.task, set, &predictions))?;
        if let Some(scored) = score(prepared.task, set, &predictions)? {
            scores.scores.insert(name.clone(), scored);
        }
        scores.examples.insert(name, set.examples.len());
    }
    folder.write("curve.jsonl", &curve)?;
    if keep == Keep::Model {
        let info = task_info(prepared.task, search(prepared, recipe).none_threshold);
        model::write(&network, &pretrained.tokenizer, &info, &folder.path().join("model"))?;
    }
    folder.finish(&scores)?;
    Ok(scores)
}

/// Whether the settings fit the encoder and the sets that are scored.
fn check(recipe: &Recipe, pretrained: &Pretrained, prepared: &Prepared<'_>) -> Result<(), Error> {
    const ORIGIN: &str = "the settings";
    recipe.validate(ORIGIN, pretrained.config())?;
    let has_dev = prepared.sets.iter().any(|(split, _)| **split == Split::Dev);
    if recipe.checkpoint == Epoch::Best && !has_dev {
        return Err(Error::Setting {
            origin: ORIGIN.to_owned(),
            key: "checkpoint".to_owned(),
            found: "best".to_owned(),
            expected: "last, as the dev set is not scored".to_owned(),
        });
    }
    Ok(())
}

fn task_info(task: &Task, none_threshold: Option<f64>) -> TaskInfo {
    let text_pair = if let Kind::Sequence { pair } = task.kind { Some(pair) } else { None };
    let is_multi_label = matches!(task.labels, Labels::MultiLabel(_));
    let label_separator = is_multi_label.then(|| task.separator().to_owned());
    TaskInfo { none_threshold, text_pair, choice_labels: task.choice_labels().to_vec(), label_separator }
}

pub(crate) fn search(prepared: &Prepared<'_>, recipe: &Recipe) -> Search {
    let unanswerable = matches!(prepared.task.kind, Kind::Spans { unanswerable: true });
    Search {
        n_best: recipe.n_best,
        max_answer: recipe.max_answer,
        none_threshold: unanswerable.then_some(recipe.none_threshold),
    }
}

/// The parameters of an epoch.
struct BestEpoch {
    epoch: u64,
    score: f64,
    parameters: Vec<(String, Tensor)>,
}

/// The course of a training: its curve, and what is kept of its epochs.
struct History<'a> {
    prepared: &'a Prepared<'a>,
    recipe: &'a Recipe,
    stop: &'a AtomicBool,
    curve: String,
    best: Option<BestEpoch>,
    /// What the last epoch's parameters say of the dev set.
    last: Option<Vec<Prediction>>,
}

impl History<'_> {
    fn observe(&mut self, progress: Progress<'_>, observer: &mut dyn FnMut(&Event)) -> Result<(), Error> {
        match progress {
            Progress::Point(point) => {
                let line =
                    json!({ "step": point.step, "epoch": point.epoch, "lr": point.lr, "loss": point.loss });
                self.curve.push_str(&format!("{line}\n"));
            }
            Progress::Step { step, steps } => observer(&Event::Step { step, steps }),
            Progress::Epoch { epoch, step, network } => {
                let wants_best = self.recipe.checkpoint == Epoch::Best;
                let dev = self.prepared.sets.iter().find(|(split, _)| **split == Split::Dev);
                let Some((_, dev)) = dev.filter(|_| wants_best || self.recipe.score_epochs) else {
                    return Ok(());
                };
                let predictions = predict(network, dev, &search(self.prepared, self.recipe), self.stop)?;
                if let Some(scores) = score(self.prepared.task, dev, &predictions)? {
                    let line = json!({ "step": step, "epoch": epoch, "dev": scores });
                    self.curve.push_str(&format!("{line}\n"));
                    let score = scores.get(self.prepared.task.score().name()).copied().unwrap_or(f64::NAN);
                    if wants_best && self.best.as_ref().is_none_or(|best| score > best.score) {
                        self.best = Some(BestEpoch { epoch, score, parameters: copied(network) });
                    }
                    observer(&Event::Scored { epoch, scores });
                }
                self.last = Some(predictions);
            }
        }
        Ok(())
    }
}

fn copied(network: &TaskNetwork) -> Vec<(String, Tensor)> {
    network.var_store().variables().into_iter().map(|(name, tensor)| (name, tensor.detach().copy())).collect()
}

fn restore(network: &TaskNetwork, parameters: &[(String, Tensor)]) -> Result<(), Error> {
    let mut variables = network.var_store().variables();
    for (name, tensor) in parameters {
        let variable = variables.get_mut(name).expect("the parameters are this network's");
        tch::no_grad(|| variable.f_copy_(tensor))?;
    }
    Ok(())
}
