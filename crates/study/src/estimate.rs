//! What a study will take, told before it begins.

use std::collections::{BTreeMap, BTreeSet};

use electra_config::{Backbone, Config, EncoderConfig, ObjectiveInfo, PositionEmbeddingType, StepCost};

use crate::graph::{self, Graph, Scope};
use crate::job::{Job, Kind};
use crate::search::Points;
use crate::{Error, Plan, pool};

/// float32, and the two means that AdamW keeps of each parameter.
const BYTES: f64 = 3.0 * 4.0;

/// What an arm's run costs.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmEstimate {
    /// The arm's name.
    pub arm: String,
    /// Steps of one run; those of a run that it goes on from are not among them, and all else counts both.
    pub steps: u64,
    /// Tokens of one run, padding included.
    pub tokens: u64,
    /// Operations of one run as the paper's program counts them.
    pub flops_paper: f64,
    /// Operations of one run as they are executed.
    pub flops_executed: f64,
    /// Runs to the end of the budget.
    pub runs: usize,
}

/// What a study will take. Every second is a guess from the plan's `[estimate]`; the operations are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// In the order of the plan.
    pub arms: Vec<ArmEstimate>,
    /// All jobs, a job's needs before it.
    pub jobs: Vec<Job>,
    /// Executed operations of all pre-training, shorter runs and the search included.
    pub flops_executed: f64,
    /// Seconds of all jobs, one after another.
    pub work_seconds: f64,
    /// Seconds with the plan's jobs side by side.
    pub seconds: f64,
    /// Bytes on disk: the last checkpoint of each run, what is exported, and the other checkpoints of as many runs
    /// as go side by side.
    pub bytes: f64,
}

/// Tells what a plan of these objectives will take; nothing is run.
///
/// # Errors
/// [`Error::Config`] if the budget is less than a step.
pub fn estimate(plan: &Plan, objectives: &[&ObjectiveInfo]) -> Result<Estimate, Error> {
    let scope = Scope::report(plan, &plan.name, objectives, plan.planned_vocab_sizes()?);
    let search = graph::search(&scope, &Points::new(plan))?;
    let study = graph::study(&scope, &BTreeMap::new())?;
    let jobs: Vec<Job> =
        graph::data(plan).into_iter().chain(search.jobs).chain(study.jobs.iter().cloned()).collect();
    let runs = || search.runs.iter().chain(&study.runs);
    let work_seconds: f64 = jobs.iter().map(|job| job.seconds).sum();
    Ok(Estimate {
        arms: plan.pretrained_arms().iter().filter_map(|arm| of_arm(&arm.name, &study)).collect(),
        flops_executed: runs().map(|run| run.steps as f64 * run.cost.executed_flops).sum(),
        work_seconds,
        seconds: makespan(&jobs, plan.slots()),
        bytes: jobs.iter().map(|job| job.bytes).sum::<f64>()
            + plan.slots() as f64
                * runs().map(|run| run.keep as f64 * run.checkpoint_bytes).fold(0.0, f64::max),
        jobs,
    })
}

fn of_arm(name: &str, graph: &Graph) -> Option<ArmEstimate> {
    let whole = |run: &&graph::PlannedRun| {
        run.arm.name == name && run.checkpoints.iter().any(|checkpoint| checkpoint.share == 1.0)
    };
    let run = graph.runs.iter().find(whole)?;
    let steps = run.steps as f64;
    let before = |value: fn(&graph::Before) -> f64| run.before.as_ref().map_or(0.0, value);
    Some(ArmEstimate {
        arm: name.into(),
        steps: run.steps,
        tokens: run.steps * run.cost.tokens + run.before.as_ref().map_or(0, graph::Before::tokens),
        flops_paper: steps * run.cost.paper_flops + before(graph::Before::flops_paper),
        flops_executed: steps * run.cost.executed_flops + before(graph::Before::flops_executed),
        runs: graph.runs.iter().filter(whole).count(),
    })
}

/// The end of the last job, where `slots` of them run at a time in the pool's order.
fn makespan(jobs: &[Job], slots: usize) -> f64 {
    let ranks = pool::ranks(jobs);
    let mut waiting: Vec<usize> = (0..jobs.len()).collect();
    waiting.sort_by(|a, b| pool::before(jobs, &ranks, *a, *b));
    let mut running: Vec<(f64, usize)> = Vec::new();
    let (mut now, mut done) = (0.0, BTreeSet::new());
    let known: BTreeSet<&str> = jobs.iter().map(|job| &*job.id).collect();
    while !waiting.is_empty() || !running.is_empty() {
        let is_ready = |index: &usize| {
            let mut needs = jobs[*index].needs.iter().filter(|id| known.contains(id.as_str()));
            needs.all(|id| done.contains(id.as_str()))
        };
        let mut begin: Vec<usize> = waiting.iter().copied().filter(is_ready).collect();
        begin.truncate(slots.max(1) - running.len());
        waiting.retain(|index| !begin.contains(index));
        running.extend(begin.iter().map(|index| (now + jobs[*index].seconds, *index)));
        running.sort_by(|a, b| a.0.total_cmp(&b.0));
        if running.is_empty() {
            break; // what is left waits for nothing that will come
        }
        let (end, index) = running.remove(0);
        now = end;
        done.insert(jobs[index].id.as_str());
    }
    now
}

pub(crate) fn pretraining(plan: &Plan, cost: &StepCost, steps: u64) -> f64 {
    steps as f64 * cost.executed_flops / plan.estimate.flops_per_s + plan.estimate.job_seconds
}

/// So many batches forward: a step of training takes three times as much.
pub(crate) fn replacements(plan: &Plan, cost: &StepCost, batches: u64) -> f64 {
    batches as f64 * cost.executed_flops / 3.0 / plan.estimate.flops_per_s + plan.estimate.job_seconds
}

pub(crate) fn finetuning(plan: &Plan, times: usize) -> f64 {
    times as f64 * plan.estimate.finetune_seconds + plan.estimate.job_seconds
}

pub(crate) fn frozen(plan: &Plan, scores: usize) -> f64 {
    scores as f64 * plan.estimate.score_seconds + plan.estimate.job_seconds
}

/// Bytes of a checkpoint: all parameters with the optimizer's means of them. Heads are left out but for the
/// largest, so it is a little less than what comes out.
pub(crate) fn checkpoint_bytes(objective: &ObjectiveInfo, config: &Config) -> f64 {
    let model = config.model.model();
    let generator = if objective.has_generator { layers(&model.generator) } else { 0.0 };
    BYTES * (embeddings(&model.encoder) + layers(&model.encoder) + generator)
}

fn embeddings(config: &EncoderConfig) -> f64 {
    if config.architecture == Backbone::ModernBert {
        return ((config.vocab_size + 1) * config.embedding_size) as f64;
    }
    let positions = match config.position_embedding_type {
        PositionEmbeddingType::Absolute => config.max_position_embeddings,
        PositionEmbeddingType::Rotary => 0,
    };
    let rows = config.vocab_size + positions + config.type_vocab_size;
    (rows * config.embedding_size) as f64
}

fn layers(config: &EncoderConfig) -> f64 {
    let (d, f) = (config.hidden_size as f64, config.intermediate_size as f64);
    let (layers, e) = (config.num_hidden_layers as f64, config.embedding_size as f64);
    if config.architecture == Backbone::ModernBert {
        return layers * (4.0 * d * d + 3.0 * d * f + 2.0 * d);
    }
    layers * (4.0 * d * d + 2.0 * d * f + 9.0 * d + f) + e * d
}

/// How long jobs should take: as planned, corrected by what ended jobs of the same kind took.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// By kind: seconds that finished jobs took, and that they should have taken.
    kinds: BTreeMap<Kind, (f64, f64)>,
}

impl Pace {
    /// A job is done.
    pub fn add(&mut self, job: &Job, seconds: f64) {
        let (took, planned) = self.kinds.entry(job.kind).or_default();
        (*took, *planned) = (*took + seconds, *planned + job.seconds);
    }

    /// Seconds that a job should take.
    #[must_use]
    pub fn seconds(&self, job: &Job) -> f64 {
        let scale = |(took, planned): &(f64, f64)| if *planned > 0.0 { took / planned } else { 1.0 };
        // What other kinds took tells nothing of it: they are other work.
        job.seconds * self.kinds.get(&job.kind).map_or(1.0, scale)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::job::Done;

    fn job(kind: Kind, seconds: f64) -> Job {
        Job {
            id: String::new(),
            title: String::new(),
            kind,
            needs: Vec::new(),
            seconds,
            bytes: 0.0,
            arguments: Vec::new(),
            settings: None,
            output: PathBuf::new(),
            done: Done::Folder,
        }
    }

    #[test]
    fn a_guess_is_corrected_by_jobs_of_the_same_kind_alone() {
        let mut pace = Pace::default();
        pace.add(&job(Kind::Data, 1.0), 0.1);
        assert_eq!(pace.seconds(&job(Kind::Pretrain, 60.0)), 60.0);
        pace.add(&job(Kind::Pretrain, 60.0), 90.0);
        pace.add(&job(Kind::Pretrain, 20.0), 70.0);
        assert_eq!(pace.seconds(&job(Kind::Pretrain, 10.0)), 20.0);
        assert_eq!(pace.seconds(&job(Kind::Finetune, 10.0)), 10.0);
    }
}
