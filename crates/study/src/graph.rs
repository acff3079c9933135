//! From a plan to jobs.

mod continuing;
mod data;
mod frozen;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use electra_analysis::Schedule;
use electra_config::{Config, Head, ObjectiveInfo, Preset, StepCost};
use electra_store::settings::{put, to_toml};
use toml::Value;

use crate::arms::Arm;
use crate::budget;
use crate::job::{Done, Job, Kind};
use crate::plan::{CheckpointsPlan, Split};
use crate::search::Points;
use crate::source::TextSource;
use crate::{Error, Plan, devices, estimate};

pub(crate) use continuing::Before;
pub(crate) use data::data;
pub(crate) use frozen::{embed_job, pairs_job, probe_job};

/// Points that a run's log has, about: more than are shown, as those are means.
const LOGGED: u64 = 480;
/// How often a run is saved whose shares nobody asks for.
const SAVED: u64 = 8;
/// Batches in which replacements are measured: some ten thousand masked tokens of the default study.
const MEASURED: u64 = 64;

/// Jobs, and what they will have measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    /// A job's needs come before it.
    pub(crate) jobs: Vec<Job>,
    pub(crate) runs: Vec<PlannedRun>,
}

impl Graph {
    /// Takes out the runs of arms that have no settings, and all jobs that need them.
    pub(crate) fn leave_out(&mut self, arms: &[String]) {
        let goes = |run: &PlannedRun| {
            let before = run.before.as_ref().map(|before| before.arm.as_str());
            arms.iter().any(|arm| arm == run.arm.searched_as() || Some(arm.as_str()) == before)
        };
        let runs = self.runs.iter().filter(|run| goes(run));
        let mut gone: BTreeSet<String> = runs.map(|run| format!("pretrain-{}", run.name)).collect();
        self.runs.retain(|run| !goes(run));
        // A job's needs come before it.
        self.jobs.retain(|job| {
            let stays = !gone.contains(&job.id) && job.needs.iter().all(|need| !gone.contains(need));
            if !stays {
                gone.insert(job.id.clone());
            }
            stays
        });
    }
}

/// A run, and the states of it that are scored.
#[derive(Clone, Debug)]
pub(crate) struct PlannedRun {
    pub(crate) arm: Arm,
    /// With the arm's offset.
    pub(crate) seed: u64,
    /// What it learns from and is scored on.
    pub(crate) source: TextSource,
    /// The run's folder under `runs`.
    pub(crate) name: String,
    /// As it is shown.
    pub(crate) title: String,
    /// What it goes on from, whose steps are not among its own.
    pub(crate) before: Option<Before>,
    pub(crate) steps: u64,
    pub(crate) cost: StepCost,
    /// What a checkpoint takes on disk, and how many are kept until all that is scored of them is exported.
    pub(crate) checkpoint_bytes: f64,
    pub(crate) keep: usize,
    pub(crate) checkpoints: Vec<PlannedCheckpoint>,
}

/// A state of the encoder that is scored.
#[derive(Clone, Debug)]
pub(crate) struct PlannedCheckpoint {
    pub(crate) share: f64,
    pub(crate) schedule: Schedule,
    pub(crate) step: u64,
    /// Its folder under `exports`, `finetuned` and `probes`.
    pub(crate) name: String,
    /// Those that it is fine-tuned on; it is not without any.
    pub(crate) tasks: Vec<String>,
    pub(crate) finetuning_seeds: Vec<u64>,
    /// Whether it is scored without fine-tuning too, as the plan says.
    pub(crate) is_probed: bool,
}

/// What a run of jobs is about: the whole study, or the search.
pub(crate) struct Scope<'a> {
    pub(crate) plan: &'a Plan,
    /// What messages name.
    pub(crate) origin: &'a str,
    /// The objectives that there are.
    pub(crate) objectives: &'a [&'a ObjectiveInfo],
    /// Of each source.
    pub(crate) vocab_sizes: BTreeMap<TextSource, u64>,
    /// Whether the tasks are those that hold out a part of their train sets.
    pub(crate) held_out: bool,
    /// Which examples are scored.
    pub(crate) split: Split,
}

impl<'a> Scope<'a> {
    /// What the report is about.
    pub(crate) fn report(
        plan: &'a Plan,
        origin: &'a str,
        objectives: &'a [&'a ObjectiveInfo],
        vocab_sizes: BTreeMap<TextSource, u64>,
    ) -> Self {
        Self { plan, origin, objectives, vocab_sizes, held_out: false, split: plan.tasks.evaluate }
    }

    /// Where the tasks are that runs of this source are scored on, as from the study's folder.
    pub(crate) fn tasks_folder(&self, source: &TextSource) -> PathBuf {
        if self.held_out {
            return source.folder("search-tasks");
        }
        self.plan.tasks.folder.clone().unwrap_or_else(|| source.folder("data").join("tasks"))
    }

    /// Where the minimal pairs are that encoders of this source are asked, as from the study's folder.
    pub(crate) fn pairs_folder(&self, source: &TextSource) -> PathBuf {
        self.plan.tasks.pairs.clone().unwrap_or_else(|| source.folder("data").join("minimal-pairs"))
    }
}

/// A run to be added to a graph.
struct NewRun<'a> {
    arm: &'a Arm,
    seed: u64,
    source: TextSource,
    name: String,
    /// As it is shown.
    title: String,
    over: &'a BTreeMap<String, Value>,
    /// What it goes on from.
    before: Option<Before>,
    steps: u64,
    /// Where it is saved for scoring.
    every: u64,
    keep: usize,
}

/// Every run of the study and its scores. `chosen` are the settings that a search found for each arm.
pub(crate) fn study(
    scope: &Scope<'_>,
    chosen: &BTreeMap<String, BTreeMap<String, Value>>,
) -> Result<Graph, Error> {
    let Scope { plan, .. } = scope;
    let mut graph = Graph::default();
    let arms = plan.pretrained_arms();
    let nothing_chosen = BTreeMap::new();
    let over = |arm: &Arm| chosen.get(arm.searched_as()).unwrap_or(&nothing_chosen);
    for &seed in &plan.pretraining_seeds {
        let steps = steps(scope, seed, &arms, |arm| over(arm))?;
        for arm in &arms {
            let own = seed + arm.seed_offset;
            let whole = steps[&arm.name];
            let goes_on = continuing::before(&graph, scope, arm, over(arm), seed, whole)?;
            let (before, steps) = goes_on.map_or((None, whole), |(before, steps)| (Some(before), steps));
            let new = NewRun {
                arm,
                seed: own,
                source: plan.source(arm, seed),
                name: format!("{}-{own}", arm.name),
                title: format!("{}, seed {own}", arm.name),
                over: over(arm),
                before,
                steps,
                every: 0,
                keep: 0,
            };
            add_run(&mut graph, scope, new, seed)?;
        }
        if let Some(arm) = plan.scratch_arm() {
            // What is not trained needs no steps; one is the least that a run has.
            let name = format!("{}-{seed}", arm.name);
            let title = format!("{}, seed {seed}", arm.name);
            let (source, over) = (plan.source(&arm, seed), &nothing_chosen);
            let before = None;
            let new =
                NewRun { arm: &arm, seed, source, name, title, over, before, steps: 1, every: 1, keep: 1 };
            let run = pretrain(&mut graph, scope, &new)?;
            score(&mut graph, scope, run, end(scope, &new.name, 1))?;
        }
    }
    Ok(graph)
}

/// The runs of a search: every one of its points for every arm that is not a control.
pub(crate) fn search(scope: &Scope<'_>, points: &Points) -> Result<Graph, Error> {
    let Scope { plan, .. } = scope;
    let mut graph = Graph::default();
    let Some(search) = &plan.search else { return Ok(graph) };
    for arm in plan.searched_arms() {
        for (point, over) in points.of_arm(&arm.name).iter().enumerate() {
            for &planned in &search.pretraining_seeds {
                // Settings may change what a step costs, and so how many of them the budget has.
                let steps = steps(scope, planned, std::slice::from_ref(&arm), |_| over)?;
                let (source, seed) = (plan.source(&arm, planned), planned + arm.seed_offset);
                let name = format!("search-{}-{}-{seed}", arm.name, point + 1);
                let steps = ((steps[&arm.name] as f64 * search.share).round() as u64).max(1);
                let every = steps.div_ceil(SAVED);
                let title = format!("search, {}, settings {}, seed {seed}", arm.name, point + 1);
                let before = None;
                let new =
                    NewRun { arm: &arm, seed, source, name, title, over, before, steps, every, keep: 1 };
                let run = pretrain(&mut graph, scope, &new)?;
                let mut checkpoint = end(scope, &new.name, steps);
                checkpoint.finetuning_seeds.clone_from(&search.finetuning_seeds);
                checkpoint.is_probed = false;
                if let Some(tasks) = &search.tasks {
                    checkpoint.tasks.clone_from(tasks);
                }
                score(&mut graph, scope, run, checkpoint)?;
            }
        }
    }
    Ok(graph)
}

/// The steps of each arm's run of this seed, with some settings over its own.
fn steps<'a>(
    scope: &Scope<'_>,
    pretraining_seed: u64,
    arms: &[Arm],
    over: impl Fn(&Arm) -> &'a BTreeMap<String, Value>,
) -> Result<BTreeMap<String, u64>, Error> {
    let plan = scope.plan;
    let (mut costs, mut flops_of) = (BTreeMap::new(), BTreeMap::new());
    for arm in plan.pretrained_arms() {
        flops_of.extend(arm.flops_of.iter().map(|other| (arm.name.clone(), other.clone())));
        let vocab_size = scope.vocab_sizes[&plan.source(&arm, pretraining_seed)];
        let config = plan.run_config(scope.origin, scope.objectives, &arm, over(&arm), vocab_size)?;
        costs.insert(arm.name.clone(), budget::cost(scope.objectives, &config, plan.data.max_length)?);
    }
    let reference = &costs[&plan.budget.reference];
    let reference = (budget::reference_steps(plan, reference)?, reference);
    let mut steps = budget::matched(plan.budget.matched, reference, &costs, &flops_of);
    steps.retain(|name, _| arms.iter().any(|arm| arm.name == *name));
    Ok(steps)
}

/// A run of the study with all the states of it that are scored.
fn add_run(
    graph: &mut Graph,
    scope: &Scope<'_>,
    mut new: NewRun<'_>,
    planned_seed: u64,
) -> Result<(), Error> {
    let plan = scope.plan;
    let planned = |shares: &Option<CheckpointsPlan>| {
        let shares = shares.clone();
        shares.filter(|planned| {
            planned.pretraining_seeds.as_ref().is_none_or(|seeds| seeds.contains(&planned_seed))
        })
    };
    let truncated = planned(&plan.checkpoints);
    // What is fine-tuned on the way, and what is only scored without it.
    let mut shares = continuing::scored_shares(plan, planned_seed);
    let saved = continuing::saved_shares(plan, &new.arm.name, planned_seed);
    // Of a run that goes on, what came before it is another's.
    let begin = new.before.as_ref().map_or(0.0, Before::share);
    shares.retain(|share| *share > begin);
    let own = |share: &f64| (share - begin) / (1.0 - begin);
    let saved: Vec<f64> = saved.iter().filter(|share| **share > begin).map(own).collect();
    let (every, steps) = budget::checkpoints(new.steps, &saved);
    match steps.iter().min() {
        // From the earliest that is scored to the end, and one more where the end is off the grid.
        Some(first) => (new.every, new.keep) = (every, ((new.steps - first) / every) as usize + 2),
        None => (new.every, new.keep) = (new.steps.div_ceil(SAVED), 1),
    }
    let run = pretrain(graph, scope, &new)?;
    score(graph, scope, run, end(scope, &new.name, new.steps))?;
    measure_replacements(graph, scope, run);
    // Shares that another arm goes on from come after those that are scored.
    for (planned, step) in shares.iter().zip(steps) {
        let share = begin + (1.0 - begin) * (step as f64 / new.steps as f64);
        let name = format!("{}-at-{step}", new.name);
        let checkpoints = truncated.as_ref().filter(|checkpoints| checkpoints.shares.contains(planned));
        let checkpoint = match checkpoints {
            Some(checkpoints) => part(scope, checkpoints, share, Schedule::Truncated, step, name),
            None => PlannedCheckpoint {
                share,
                schedule: Schedule::Truncated,
                tasks: Vec::new(),
                ..end(scope, &name, step)
            },
        };
        score(graph, scope, run, checkpoint)?;
    }
    for share in planned(&plan.own_schedule).iter().flat_map(|own| &own.shares) {
        let own = plan.own_schedule.as_ref().expect("it has shares");
        let steps = ((new.steps as f64 * share).round() as u64).max(1);
        let name = format!("{}-own-{steps}", new.name);
        let every = steps.div_ceil(SAVED);
        let title = format!("{}, own schedule of {steps} steps", new.title);
        let (source, before) = (new.source.clone(), None);
        let shorter = NewRun { source, before, steps, every, keep: 1, name: name.clone(), title, ..new };
        let own_run = pretrain(graph, scope, &shorter)?;
        let share = steps as f64 / new.steps as f64;
        score(graph, scope, own_run, part(scope, own, share, Schedule::Own, steps, name))?;
    }
    Ok(())
}

/// The end of a run.
fn end(scope: &Scope<'_>, name: &str, step: u64) -> PlannedCheckpoint {
    PlannedCheckpoint {
        share: 1.0,
        schedule: Schedule::Own,
        step,
        name: name.into(),
        tasks: scope.plan.tasks.names.clone(),
        finetuning_seeds: scope.plan.finetuning_seeds.clone(),
        is_probed: true,
    }
}

fn part(
    scope: &Scope<'_>,
    plan: &CheckpointsPlan,
    share: f64,
    schedule: Schedule,
    step: u64,
    name: String,
) -> PlannedCheckpoint {
    let tasks = plan.tasks.clone().unwrap_or_else(|| scope.plan.tasks.names.clone());
    let finetuning_seeds =
        plan.finetuning_seeds.clone().unwrap_or_else(|| scope.plan.finetuning_seeds.clone());
    PlannedCheckpoint { share, schedule, step, name, tasks, finetuning_seeds, is_probed: true }
}

/// Adds the job of a run, and the run; gives its place.
fn pretrain(graph: &mut Graph, scope: &Scope<'_>, new: &NewRun<'_>) -> Result<usize, Error> {
    let plan = scope.plan;
    let vocab_size = scope.vocab_sizes[&new.source];
    let config = plan.run_config(scope.origin, scope.objectives, new.arm, new.over, vocab_size)?;
    let cost = budget::cost(scope.objectives, &config, plan.data.max_length)?;
    let mut table = plan.run_table(new.arm, new.seed, &new.source, new.over);
    let whole = |value: u64| Value::Integer(value as i64);
    for (key, value) in [
        ("budget.steps", whole(new.steps)),
        ("checkpoint.every_steps", whole(new.every)),
        ("checkpoint.keep", whole(new.keep as u64)),
        ("log.every_steps", whole((new.steps / LOGGED).max(1))),
    ] {
        put(&mut table, key, value);
    }
    let mut needs = vec![new.source.job("corpus")];
    if let Some(before) = &new.before {
        let export = format!("exports/{}", before.export());
        put(&mut table, "init.discriminator", Value::String(export));
        put(&mut table, "optimizer.schedule_begin", Value::Float(before.share()));
        let id = format!("export-{}", before.export());
        if !graph.jobs.iter().any(|job| job.id == id) {
            let other = graph.runs.iter().find(|run| run.name == before.run).expect("it comes before");
            graph.jobs.push(export_job(plan, other, &before.export(), before.step));
        }
        needs.push(id);
    }
    let text = to_toml(&table);
    let objective = ObjectiveInfo::find(scope.objectives, &config.objective)?;
    let checkpoint_bytes = estimate::checkpoint_bytes(objective, &config);
    let (name, settings) = (&new.name, format!("settings/{}.toml", new.name));
    let call = ["pretrain", "--config", &settings, "--run", &format!("runs/{name}")].map(String::from);
    graph.jobs.push(Job {
        id: format!("pretrain-{name}"),
        title: format!("{}: pre-training", new.title),
        kind: Kind::Pretrain,
        needs,
        seconds: estimate::pretraining(plan, &cost, new.steps),
        bytes: checkpoint_bytes,
        arguments: call.to_vec(),
        settings: Some((settings.into(), text)),
        output: format!("runs/{name}").into(),
        done: Done::Run { steps: new.steps },
    });
    graph.runs.push(PlannedRun {
        arm: new.arm.clone(),
        seed: new.seed,
        source: new.source.clone(),
        name: name.clone(),
        title: new.title.clone(),
        before: new.before.clone(),
        steps: new.steps,
        cost,
        checkpoint_bytes,
        keep: new.keep,
        checkpoints: Vec::new(),
    });
    Ok(graph.runs.len() - 1)
}

/// Adds the jobs that score a state of a run.
fn score(
    graph: &mut Graph,
    scope: &Scope<'_>,
    run: usize,
    checkpoint: PlannedCheckpoint,
) -> Result<(), Error> {
    let plan = scope.plan;
    let run = &mut graph.runs[run];
    let PlannedCheckpoint { name, step, .. } = &checkpoint;
    let export = export_job(plan, run, name, *step);
    let shown = shown(run, *step);
    let mut jobs = vec![export];
    if !checkpoint.tasks.is_empty() {
        jobs.push(finetune(scope, run, &checkpoint, &shown));
    }
    if checkpoint.is_probed {
        jobs.extend(frozen::jobs(scope, run, &checkpoint, &shown)?);
    }
    graph.jobs.extend(jobs);
    run.checkpoints.push(checkpoint);
    Ok(())
}

/// A state of a run as it is shown.
fn shown(run: &PlannedRun, step: u64) -> String {
    let moment = if step == run.steps { String::new() } else { format!(" at step {step}") };
    format!("{}{moment}", run.title)
}

/// The job that writes a state of a run to `exports/NAME`.
fn export_job(plan: &Plan, run: &PlannedRun, name: &str, step: u64) -> Job {
    let (source, to) = (format!("runs/{}", run.name), format!("exports/{name}"));
    Job {
        id: format!("export-{name}"),
        title: format!("{}: export", shown(run, step)),
        kind: Kind::Export,
        needs: vec![format!("pretrain-{}", run.name)],
        seconds: plan.estimate.job_seconds,
        // The weights, without the optimizer's two means of each, and once more without the head.
        bytes: run.checkpoint_bytes * 2.0 / 3.0,
        arguments: [
            "export",
            "--run",
            &source,
            "--step",
            &step.to_string(),
            "--no-generator",
            "--output",
            &to,
        ]
        .map(String::from)
        .to_vec(),
        settings: None,
        output: to.into(),
        done: Done::Folder,
    }
}

fn finetune(scope: &Scope<'_>, run: &PlannedRun, checkpoint: &PlannedCheckpoint, shown: &str) -> Job {
    let (plan, name) = (scope.plan, &checkpoint.name);
    let to = format!("exports/{name}");
    let seeds: Vec<String> = checkpoint.finetuning_seeds.iter().map(ToString::to_string).collect();
    let into = format!("finetuned/{name}");
    let mut call: Vec<String> = ["finetune", "--model", &to, "--data"].map(String::from).to_vec();
    call.push(scope.tasks_folder(&run.source).display().to_string());
    call.push("--task".into());
    call.extend(checkpoint.tasks.iter().cloned());
    let options = ["--seeds", &seeds.join(","), "--output", &into, "--preset", &plan.tasks.preset];
    let more = ["--evaluate", scope.split.name(), "--keep", "predictions"];
    call.extend(options.into_iter().chain(more).map(String::from));
    for (key, value) in &plan.tasks.set {
        call.extend(["--set".to_owned(), format!("{key}={value}")]);
    }
    call.extend(["--set".to_owned(), format!("threads={}", plan.run.threads)]);
    if let Some(kind) = devices::kind(&plan.run.devices) {
        call.extend(["--set".to_owned(), format!("device={kind}")]);
    }
    Job {
        id: format!("finetune-{name}"),
        title: format!("{shown}: fine-tuning"),
        kind: Kind::Finetune,
        needs: vec![format!("export-{name}")],
        seconds: estimate::finetuning(plan, checkpoint.tasks.len() * seeds.len()),
        bytes: 0.0,
        arguments: call,
        settings: None,
        output: into.into(),
        done: Done::Results { tasks: checkpoint.tasks.clone(), seeds: seeds.len() },
    }
}

/// The id and the output of the job that measures a run's replacements.
pub(crate) fn replacements_job(run: &str) -> (String, PathBuf) {
    (format!("replacements-{run}"), format!("replacements/{run}.json").into())
}

/// Whether an objective masks tokens or replaces some, of which a batch can be asked. One that predicts from the text as it
/// is does neither.
fn tells_what_it_replaces(scope: &Scope<'_>, objective: &str) -> bool {
    let Ok(info) = ObjectiveInfo::find(scope.objectives, objective) else { return false };
    // Which heads an objective has does not depend on the sizes of its networks.
    let model = Config::preset(Preset::Tiny, info.name, 0, PathBuf::new()).model.model();
    let networks = (info.networks)(&model);
    let mut heads = networks.iter().flat_map(|network| network.heads);
    info.reads_masks || info.has_generator || heads.any(|head| matches!(head, Head::Discriminator(_)))
}

/// Adds the job that measures what a run puts in the place of masked tokens at its end, where there is a lexicon to
/// tell by: of a generated language. A run's last checkpoint stays, so no export is waited for.
fn measure_replacements(graph: &mut Graph, scope: &Scope<'_>, run: usize) {
    let plan = scope.plan;
    let run = &graph.runs[run];
    if run.source.language().is_none() || !tells_what_it_replaces(scope, &run.arm.objective) {
        return;
    }
    let lexicon = run.source.folder("data").join("lexicon.tsv").display().to_string();
    let (id, output) = replacements_job(&run.name);
    let (source, step, batches) = (format!("runs/{}", run.name), run.steps.to_string(), MEASURED.to_string());
    let call = ["replacements", "--run", &source, "--step", &step, "--lexicon", &lexicon];
    let options = ["--batches", &batches, "--output", &output.display().to_string()].map(String::from);
    graph.jobs.push(Job {
        id,
        title: format!("{}: replacements", run.title),
        kind: Kind::Replacements,
        needs: vec![format!("pretrain-{}", run.name)],
        seconds: estimate::replacements(plan, &run.cost, MEASURED),
        bytes: 0.0,
        arguments: call.map(String::from).into_iter().chain(options).collect(),
        settings: None,
        output,
        done: Done::Folder,
    });
}

#[cfg(test)]
mod tests;
