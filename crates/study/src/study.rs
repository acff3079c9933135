//! From a plan to a report.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use electra_analysis::Failure;
use electra_config::ObjectiveInfo;
use electra_data::Corpus;
use electra_text::Inputs;

use crate::collect::ToScore;
use crate::graph::{self, Graph, Scope};
use crate::job::{Job, Kind};
use crate::pool::{Event, Pool};
use crate::progress::Progress;
use crate::search::{Choice, Points};
use crate::start::{START, Start};
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
        /// What the report says; none if there is nothing to report on.
        conclusion: Option<electra_report::Conclusion>,
        /// The jobs that failed, and those that needed them.
        failures: Vec<Failure>,
    },
    /// Somebody interrupted it; the same command continues.
    Interrupted,
}

/// Does a study, from where its folder is: every job that is not done, then the report.
///
/// # Errors
/// If the folder cannot be taken, a result cannot be read, or the report cannot be written. A job that fails is
/// not an error.
pub fn run(study: Study<'_>) -> Result<Ended, Error> {
    let Study { plan, origin, objectives, folder, program, command, stop, observer } = study;
    // What is wrong with text or tasks is said before anything is computed for hours, or a folder is made.
    for text in plan.data.text.iter().flatten() {
        Inputs::expand(&[text])?;
    }
    let scope = |vocab_sizes| Scope::report(plan, origin, objectives, vocab_sizes);
    collect::check_given(&scope(BTreeMap::new()))?;
    let later: Vec<Job> =
        estimate(plan, objectives)?.jobs.into_iter().filter(|job| job.kind != Kind::Data).collect();
    let owned = folder::take(folder, plan)?;
    let folder = owned.path();
    // Once, before the first job: a study that goes on has begun already.
    if !folder.join(START).exists() && folder::is_unused(folder)? {
        Start::write(folder, plan, origin, objectives)?;
    }
    let (slots, threads) = (plan.slots(), plan.run.threads);
    let pool = Pool { study: folder, program, slots, threads, devices: &plan.run.devices, stop };
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
    for source in plan.reported_sources() {
        ToScore::read(folder, &scope, &source)?;
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
    let conclusion = report(folder, &scope, &graph, &chosen, &progress, command)?;
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

/// Writes the report and returns its conclusion.
fn report(
    folder: &Path,
    scope: &Scope<'_>,
    graph: &Graph,
    chosen: &Choice,
    progress: &Progress,
    command: &str,
) -> Result<electra_report::Conclusion, Error> {
    let measurements = collect::measurements(folder, scope, graph, chosen, progress, command)?;
    electra_report::write_measurements(&measurements, folder)?;
    let findings = electra_analysis::analyse(&measurements, &scope.plan.analysis_config())?;
    electra_report::write(&findings, folder)?;
    Ok(electra_report::conclude(&findings))
}

impl Plan {
    /// Jobs side by side.
    #[must_use]
    pub fn slots(&self) -> usize {
        match self.run.parallel {
            _ if !self.run.devices.is_empty() => self.run.devices.len(),
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
