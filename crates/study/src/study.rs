//! From a plan to a report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use electra_analysis::Failure;
use electra_config::ObjectiveInfo;
use electra_data::Corpus;
use electra_store::{io, remove};
use electra_text::Inputs;
use toml::Value;

use crate::graph::{self, Graph, Scope};
use crate::job::{Job, Kind};
use crate::pool::{Event, Outcome, Pool, Work};
use crate::search::{Choice, Points};
use crate::source::TextSource;
use crate::{Error, Plan, collect, estimate, folder, search};

/// What to do, where, and who is told.
pub struct Study<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What messages about the plan name: its file.
    pub origin: &'a str,
    /// The objectives that there are.
    pub objectives: &'a [&'a ObjectiveInfo],
    /// The study's folder. If it holds a study of the same plan, that goes on.
    pub folder: &'a Path,
    /// The `electra` program.
    pub program: &'a Path,
    /// The command that does this study again, for the report.
    pub command: &'a str,
    /// Once true, jobs save and end, and the study ends as [`Ended::Interrupted`].
    pub stop: &'a AtomicBool,
    /// Is told what happens.
    pub observer: &'a mut dyn FnMut(&Event),
}

impl std::fmt::Debug for Study<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Study")
            .field("folder", &self.folder)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// How a study ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to be done.
    Finished {
        /// What the report says in one sentence; none if there is nothing to report on.
        conclusion: Option<String>,
        /// The jobs that failed, and those that needed them.
        failures: Vec<Failure>,
    },
    /// Somebody asked for it; the same command goes on.
    Interrupted,
}

/// What the jobs have come to so far.
#[derive(Default)]
pub(crate) struct Progress {
    /// All jobs, a job's needs before it.
    pub(crate) jobs: Vec<Job>,
    /// By id.
    pub(crate) outcomes: BTreeMap<String, Outcome>,
    /// What is left out because of jobs that failed, and is no job itself.
    pub(crate) lost: Vec<Failure>,
}

impl Progress {
    /// Does more jobs; `later` are those that come after them, as far as that is known.
    fn run(
        &mut self,
        pool: &Pool<'_>,
        jobs: Vec<Job>,
        later: &[Job],
        observer: &mut dyn FnMut(&Event),
    ) -> Result<(), Error> {
        self.jobs.extend(jobs);
        let mut exported = Exported::new(&self.jobs);
        let work = Work { jobs: &self.jobs, later, before: &self.outcomes };
        self.outcomes = pool.run(&work, &mut |event| {
            observer(event);
            for run in exported.hear(event) {
                if let Err(error) = keep_newest_checkpoint(&pool.study.join(run)) {
                    observer(&Event::Note(format!("checkpoints that nobody needs are still there: {error}")));
                }
            }
        })?;
        Ok(())
    }

    fn knows(&self, id: &str) -> bool {
        self.jobs.iter().any(|job| job.id == id)
    }

    pub(crate) fn is_done(&self, id: &str) -> bool {
        matches!(self.outcomes.get(id), Some(Outcome::Done { .. }))
    }

    /// Seconds of work that was done.
    pub(crate) fn seconds(&self) -> f64 {
        let seconds =
            |outcome: &Outcome| if let Outcome::Done { seconds } = outcome { *seconds } else { 0.0 };
        self.outcomes.values().map(seconds).sum()
    }

    fn is_interrupted(&self) -> bool {
        self.outcomes.values().any(|outcome| *outcome == Outcome::Interrupted)
    }

    pub(crate) fn failures(&self) -> Vec<Failure> {
        let title = |id: &str| {
            let job = self.jobs.iter().find(|job| job.id == id);
            job.map_or_else(|| id.to_owned(), |job| job.title.clone())
        };
        let failure = |job: &Job| {
            let message = match self.outcomes.get(&job.id)? {
                Outcome::Failed { message } => message.clone(),
                Outcome::Skipped { lacks } => format!("it needs what failed: {}", title(lacks)),
                Outcome::Done { .. } | Outcome::Interrupted => return None,
            };
            Some(Failure { job: job.title.clone(), message })
        };
        self.jobs.iter().filter_map(failure).chain(self.lost.iter().cloned()).collect()
    }
}

/// Which exports of each run are left to be done.
struct Exported {
    /// By the id of the run's job: its folder, and its exports.
    left: BTreeMap<String, (PathBuf, BTreeSet<String>)>,
}

impl Exported {
    fn new(jobs: &[Job]) -> Self {
        let runs = jobs.iter().filter(|job| job.kind == Kind::Pretrain);
        let exports = |run: &Job| {
            let exports = jobs.iter().filter(|job| job.kind == Kind::Export && job.needs.contains(&run.id));
            exports.map(|job| job.id.clone()).collect()
        };
        Self { left: runs.map(|run| (run.id.clone(), (run.output.clone(), exports(run)))).collect() }
    }

    /// The folders of runs whose last export is done.
    fn hear(&mut self, event: &Event) -> Vec<PathBuf> {
        let done: Vec<&String> = match event {
            Event::Planned { jobs } => {
                jobs.iter().filter(|(_, done)| *done).map(|(job, _)| &job.id).collect()
            }
            Event::Finished { id, .. } => vec![id],
            _ => return Vec::new(),
        };
        let mut finished = Vec::new();
        for (folder, left) in self.left.values_mut() {
            let before = left.len();
            left.retain(|id| !done.contains(&id));
            if before > 0 && left.is_empty() {
                finished.push(folder.clone());
            }
        }
        finished
    }
}

/// Removes all checkpoints of a run but the newest: what is scored of them is exported.
fn keep_newest_checkpoint(run: &Path) -> Result<(), Error> {
    let folder = run.join("checkpoints");
    let entries = fs::read_dir(&folder).map_err(io(&folder, "listing it"))?;
    let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let steps = entries.flatten().filter(|entry| name(entry).starts_with("step-"));
    let mut steps: Vec<PathBuf> = steps.map(|entry| entry.path()).collect();
    // Their numbers have as many digits.
    steps.sort();
    steps.pop();
    Ok(steps.iter().try_for_each(|step| remove(step))?)
}

/// Does a study, from where its folder is: every job that is not done, then the report.
///
/// # Errors
/// If the folder cannot be taken, a result cannot be read, or the report cannot be written. A job that fails is
/// no error.
pub fn run(study: Study<'_>) -> Result<Ended, Error> {
    let Study { plan, origin, objectives, folder, program, command, stop, observer } = study;
    // What is wrong with text or tasks is said before anything is computed for hours, or a folder is made.
    for text in plan.data.text.iter().flatten() {
        Inputs::expand(&[text.to_string_lossy()])?;
    }
    let scope = |vocab_sizes| Scope::report(plan, origin, objectives, vocab_sizes);
    if plan.tasks.folder.is_some() {
        collect::tasks(Path::new(""), &scope(BTreeMap::new()), &TextSource::Files, &plan.tasks.names)?;
    }
    let later: Vec<Job> =
        estimate(plan, objectives)?.jobs.into_iter().filter(|job| job.kind != Kind::Data).collect();
    let owned = folder::take(folder, plan)?;
    let folder = owned.path();
    let pool = Pool { study: folder, program, slots: plan.slots(), threads: plan.run.threads, stop };
    let mut progress = Progress::default();

    progress.run(&pool, graph::data(plan), &later, observer)?;
    if progress.is_interrupted() {
        return Ok(Ended::Interrupted);
    }
    let failures = progress.failures();
    if !failures.is_empty() {
        return Ok(Ended::Finished { conclusion: None, failures });
    }
    let mut vocab_sizes = BTreeMap::new();
    for source in plan.sources() {
        let corpus = Corpus::open(&folder.join(source.folder("corpus")))?;
        vocab_sizes.insert(source, u64::from(corpus.vocabulary().size));
    }
    let scope = scope(vocab_sizes);
    if plan.tasks.folder.is_none() {
        for source in plan.reported_sources() {
            collect::tasks(folder, &scope, &source, &plan.tasks.names)?;
        }
    }

    let Some(chosen) = search_settings(&scope, folder, &pool, &mut progress, observer)? else {
        return Ok(Ended::Interrupted);
    };
    let mut graph = graph::study(&scope, &chosen.settings)?;
    graph.leave_out(&chosen.lost);
    progress.run(&pool, graph.jobs.clone(), &[], observer)?;
    if progress.is_interrupted() || stop.load(Ordering::Relaxed) {
        return Ok(Ended::Interrupted);
    }
    let conclusion = report(folder, &scope, &graph, &chosen.settings, &progress, command)?;
    Ok(Ended::Finished { conclusion: Some(conclusion), failures: progress.failures() })
}

/// Settings for each arm where the plan searches them, nothing where it does not; none if somebody stopped it.
fn search_settings(
    scope: &Scope<'_>,
    folder: &Path,
    pool: &Pool<'_>,
    progress: &mut Progress,
    observer: &mut dyn FnMut(&Event),
) -> Result<Option<Choice>, Error> {
    let Some(plan) = &scope.plan.search else { return Ok(Some(Choice::default())) };
    let later = graph::study(scope, &Choice::default().settings)?.jobs;
    let scope = search::scope(scope, folder)?;
    let mut points = Points::new(scope.plan);
    loop {
        let graph = graph::search(&scope, &points)?;
        let jobs = graph.jobs.iter().filter(|job| !progress.knows(&job.id)).cloned().collect();
        progress.run(pool, jobs, &later, observer)?;
        if progress.is_interrupted() {
            return Ok(None);
        }
        let chosen = search::choose(folder, &scope, &points, &graph, progress)?;
        if !points.grow(plan, &chosen) {
            observer(&Event::Note(search::describe(&chosen)));
            progress.lost = chosen.failures().collect();
            return Ok(Some(chosen));
        }
    }
}

/// Writes the report, and gives its conclusion.
fn report(
    folder: &Path,
    scope: &Scope<'_>,
    graph: &Graph,
    chosen: &BTreeMap<String, BTreeMap<String, Value>>,
    progress: &Progress,
    command: &str,
) -> Result<String, Error> {
    let measurements = collect::measurements(folder, scope, graph, chosen, progress, command)?;
    let findings = electra_analysis::analyse(&measurements, &scope.plan.analysis_config())?;
    electra_report::write(&findings, folder)?;
    Ok(electra_report::conclude(&findings).sentence)
}

impl Plan {
    /// Jobs side by side.
    #[must_use]
    pub fn slots(&self) -> usize {
        match self.run.parallel {
            0 => (std::thread::available_parallelism().map_or(1, usize::from) / self.run.threads).max(1),
            parallel => parallel,
        }
    }

    /// The size of the vocabulary before there is one: as asked for, or the given tokenizer's.
    pub(crate) fn planned_vocab_size(&self) -> Result<u64, Error> {
        match (&self.data.tokenizer, self.data.vocab_size) {
            (Some(folder), _) => Ok(electra_tokenizer::Tokenizer::load(folder)?.vocab_size() as u64),
            (None, size) => Ok(size.unwrap_or(0).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objectives::OBJECTIVES;

    #[test]
    fn the_last_checkpoint_is_kept_once_all_exports_are_done() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["step-00000100", "step-00000200", "step-00001000", "damaged-step-00000900"] {
            fs::create_dir_all(folder.path().join("checkpoints").join(name)).unwrap();
        }
        keep_newest_checkpoint(folder.path()).unwrap();
        let entries = fs::read_dir(folder.path().join("checkpoints")).unwrap();
        let mut left: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["damaged-step-00000900", "step-00001000"]);
    }

    #[test]
    fn a_run_is_exported_when_its_last_export_is_done() {
        let plan = Plan::text("default").unwrap();
        let set = ["checkpoints={ shares = [0.5] }".to_owned(), "pretraining_seeds=[1]".to_owned()];
        let plan = Plan::read("default", &plan, false, &set, &OBJECTIVES).unwrap();
        let scope = Scope::report(&plan, "", &OBJECTIVES, plan.planned_vocab_sizes().unwrap());
        let graph = graph::study(&scope, &BTreeMap::new()).unwrap();
        let exports: Vec<&Job> = graph
            .jobs
            .iter()
            .filter(|job| job.kind == Kind::Export && job.needs == ["pretrain-mlm-1"])
            .collect();
        assert_eq!(exports.len(), 2);
        let finished = |job: &Job| Event::Finished { id: job.id.clone(), seconds: 1.0 };
        let mut exported = Exported::new(&graph.jobs);
        assert_eq!(exported.hear(&finished(exports[1])), Vec::<PathBuf>::new());
        assert_eq!(exported.hear(&finished(exports[0])), [PathBuf::from("runs/mlm-1")]);
        // The same where one of them was done in an earlier sitting.
        let mut exported = Exported::new(&graph.jobs);
        let planned = Event::Planned { jobs: vec![(exports[0].clone(), true), (exports[1].clone(), false)] };
        assert_eq!(exported.hear(&planned), Vec::<PathBuf>::new());
        assert_eq!(exported.hear(&finished(exports[1])), [PathBuf::from("runs/mlm-1")]);
    }
}
