//! What the jobs of a study have come to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use electra_analysis::Failure;
use electra_config::Checkpoints;
use electra_store::remove;

use crate::Error;
use crate::job::{Job, Kind};
use crate::pool::{Event, Outcome, Pool, Work};

/// What the jobs have come to so far.
#[derive(Default)]
pub(crate) struct Progress {
    /// All jobs, a job's needs before it.
    pub(crate) jobs: Vec<Job>,
    /// By id.
    pub(crate) outcomes: BTreeMap<String, Outcome>,
    /// What is left out because of jobs that failed, and is not a job itself.
    pub(crate) lost: Vec<Failure>,
}

impl Progress {
    /// Does more jobs; `later` are those that come after them, as far as that is known.
    pub(crate) fn run(
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

    pub(crate) fn knows(&self, id: &str) -> bool {
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

    pub(crate) fn is_interrupted(&self) -> bool {
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
    let checkpoints = Checkpoints::of_run(run).list()?;
    Ok(checkpoints.iter().skip(1).try_for_each(|(_, folder)| remove(folder))?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Plan;
    use crate::graph::{self, Scope};
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
        let set = ["curves={ shares = [0.5] }".to_owned(), "pretraining_seeds=[1]".to_owned()];
        let plan = Plan::read("default", &plan, false, &set, &OBJECTIVES).unwrap();
        let scope = Scope::report(&plan, "", &OBJECTIVES, plan.planned_vocab_sizes().unwrap());
        let graph = graph::study(&scope, &BTreeMap::new()).unwrap();
        let exports: Vec<&Job> = graph
            .jobs
            .iter()
            .filter(|job| job.kind == Kind::Export && job.needs == ["pretrain-mlm-1"])
            .collect();
        assert_eq!(exports.len(), 2);
        let finished = |job: &Job| Event::Finished { id: job.id.clone(), seconds: 1.0, device: None };
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
