//! Jobs side by side, each done once.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{self, AtomicBool};
use std::thread::sleep;
use std::time::{Duration, Instant};

use electra_config::DeviceChoice;
use electra_store::{create_folder, io, remove, write};
use serde::{Deserialize, Serialize};

use crate::files::{read_json, tail};
use crate::job::{Done, Job, Kind};
use crate::{Error, devices};

/// Set for a job: its standard input is a pipe, and the job should save and end when that is closed. So a job
/// ends with the study however this ends, and the terminal's Ctrl-C reaches the study alone.
pub const CHILD: &str = "ELECTRA_STUDY_JOB";
/// How often jobs are looked at.
const TICK: Duration = Duration::from_millis(50);
/// How often progress is told.
const REPORTED: Duration = Duration::from_millis(500);
/// Lines of a failed job's log that are told.
const TOLD_LINES: usize = 4;
/// How much of a log these are looked for in.
const TOLD_BYTES: u64 = 1 << 16;
const RECORDS: &str = "done";
pub(crate) const LOGS: &str = "logs";

/// What happens to the jobs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Jobs are known: all that there will be as far as can be told, those that are done among them, those that have
    /// failed not.
    Planned {
        /// Each with whether it was done before.
        jobs: Vec<(Job, bool)>,
    },
    /// A job has begun.
    Started {
        /// Its id.
        id: String,
        /// The device that it has for itself, where the plan lists devices.
        device: Option<String>,
    },
    /// How far a job is.
    Progress {
        /// Its id.
        id: String,
        /// 0 to 1.
        share: f64,
    },
    /// A job is done.
    Finished {
        /// Its id.
        id: String,
        /// Seconds that it took in this sitting.
        seconds: f64,
        /// The device that it had, where the plan lists devices.
        device: Option<String>,
    },
    /// A job has failed.
    Failed {
        /// Its id.
        id: String,
        /// What it said last.
        message: String,
        /// All that it said.
        log: PathBuf,
    },
    /// A job is not done because one that it needs has failed.
    Skipped {
        /// Its id.
        id: String,
        /// The job that it lacks.
        lacks: String,
    },
    /// Something that is worth a line.
    Note(String),
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Done {
        seconds: f64,
    },
    Failed {
        message: String,
    },
    Skipped {
        lacks: String,
    },
    /// Stopped, or never begun because the study was.
    Interrupted,
}

/// Where and how jobs are run.
pub(crate) struct Pool<'a> {
    pub(crate) study: &'a Path,
    pub(crate) program: &'a Path,
    pub(crate) slots: usize,
    pub(crate) threads: usize,
    /// As many as slots, or none.
    pub(crate) devices: &'a [DeviceChoice],
    /// Jobs are asked to save and end, and no more are begun.
    pub(crate) stop: &'a AtomicBool,
}

/// What there is to do.
pub(crate) struct Work<'a> {
    /// A job's needs come before it.
    pub(crate) jobs: &'a [Job],
    /// Jobs that will come after them, as far as that is known: they are told of and left alone.
    pub(crate) later: &'a [Job],
    /// What was tried already: a job that failed is not tried twice in one sitting.
    pub(crate) before: &'a BTreeMap<String, Outcome>,
}

impl Work<'_> {
    fn lost(&self, job: &Job) -> Option<Outcome> {
        let is_lost =
            |outcome: &&Outcome| matches!(outcome, Outcome::Failed { .. } | Outcome::Skipped { .. });
        self.before.get(&job.id).filter(is_lost).cloned()
    }
}

/// What is remembered of a job that is done.
#[derive(Serialize, Deserialize)]
struct Record {
    /// [`Job::hash`]
    inputs: String,
    /// Seconds that it took, over all sittings that came to an end.
    seconds: f64,
    /// Where it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

struct Running {
    job: usize,
    /// Its place among the devices.
    device: usize,
    child: Child,
    begun: Instant,
    is_stopping: bool,
}

impl Pool<'_> {
    /// Does every job that is not done, the one first that most work waits for. Gives the outcomes by id.
    pub(crate) fn run(
        &self,
        work: &Work<'_>,
        observer: &mut dyn FnMut(&Event),
    ) -> Result<BTreeMap<String, Outcome>, Error> {
        let jobs = work.jobs;
        for folder in [RECORDS, LOGS] {
            create_folder(&self.study.join(folder))?;
        }
        let index: BTreeMap<&str, usize> =
            jobs.iter().enumerate().map(|(place, job)| (&*job.id, place)).collect();
        let all: Vec<Job> = jobs.iter().chain(work.later).cloned().collect();
        let hashes = hashes(&all);
        let ranks = ranks(jobs);
        let mut outcomes: Vec<Option<Outcome>> =
            jobs.iter().map(|job| work.lost(job).or_else(|| self.recorded(job, &hashes[&job.id]))).collect();
        let is_done = |job: &Job| self.recorded(job, &hashes[&job.id]).is_some();
        let planned = all.iter().filter(|job| work.lost(job).is_none());
        observer(&Event::Planned { jobs: planned.map(|job| (job.clone(), is_done(job))).collect() });
        let mut running: Vec<Running> = Vec::new();
        let mut reported = Instant::now();
        loop {
            let stopped = self.stop.load(atomic::Ordering::Relaxed);
            if stopped {
                running.iter_mut().filter(|process| !process.is_stopping).for_each(Running::ask);
            } else {
                self.begin(jobs, &index, &ranks, &mut outcomes, &mut running, observer)?;
            }
            if running.is_empty() {
                break;
            }
            sleep(TICK);
            if reported.elapsed() > REPORTED {
                reported = Instant::now();
                for process in &running {
                    let job = &jobs[process.job];
                    observer(&Event::Progress { id: job.id.clone(), share: job.progress(self.study) });
                }
            }
            let mut still = Vec::new();
            for mut process in running {
                let job = &jobs[process.job];
                match process.child.try_wait().map_err(io(self.program, "waiting for it"))? {
                    None => still.push(process),
                    Some(status) => {
                        let ended = self.ended(job, &hashes[&job.id], &process, status, observer)?;
                        outcomes[process.job] = Some(ended);
                    }
                }
            }
            running = still;
        }
        let outcomes = outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Interrupted));
        Ok(jobs.iter().map(|job| job.id.clone()).zip(outcomes).collect())
    }

    /// Begins as many jobs as there is room for; skips those that lack something.
    fn begin(
        &self,
        jobs: &[Job],
        index: &BTreeMap<&str, usize>,
        ranks: &[f64],
        outcomes: &mut [Option<Outcome>],
        running: &mut Vec<Running>,
        observer: &mut dyn FnMut(&Event),
    ) -> Result<(), Error> {
        loop {
            let mut ready: Vec<usize> = Vec::new();
            let mut skipped = false;
            for place in 0..jobs.len() {
                if outcomes[place].is_some() || running.iter().any(|process| process.job == place) {
                    continue;
                }
                let needs = || {
                    jobs[place]
                        .needs
                        .iter()
                        .filter_map(|id| Some((id, outcomes[*index.get(&**id)?].as_ref())))
                };
                let lacks = needs().find(|(_, outcome)| {
                    matches!(outcome, Some(Outcome::Failed { .. } | Outcome::Skipped { .. }))
                });
                if let Some((lacks, _)) = lacks {
                    let (id, lacks) = (jobs[place].id.clone(), lacks.clone());
                    observer(&Event::Skipped { id, lacks: lacks.clone() });
                    outcomes[place] = Some(Outcome::Skipped { lacks });
                    skipped = true;
                } else if needs().all(|(_, outcome)| matches!(outcome, Some(Outcome::Done { .. }))) {
                    ready.push(place);
                }
            }
            ready.sort_by(|a, b| before(jobs, ranks, *a, *b));
            for place in ready.into_iter().take(self.slots.saturating_sub(running.len())) {
                let is_free = |device: &usize| running.iter().all(|process| process.device != *device);
                let device = (0..self.slots).find(is_free).expect("fewer jobs run than there are places");
                running.push(self.start(place, &jobs[place], device)?);
                observer(&Event::Started { id: jobs[place].id.clone(), device: self.device(device) });
            }
            if !skipped {
                return Ok(());
            }
        }
    }

    /// What a place among the devices is called.
    fn device(&self, place: usize) -> Option<String> {
        (!self.devices.is_empty()).then(|| devices::name(self.devices, place))
    }

    fn start(&self, place: usize, job: &Job, device: usize) -> Result<Running, Error> {
        if let Some((path, text)) = &job.settings {
            let path = self.study.join(path);
            if let Some(folder) = path.parent() {
                create_folder(folder)?;
            }
            write(&path, text)?;
        }
        let output = self.study.join(&job.output);
        if job.done == Done::Folder {
            remove(&output)?;
        }
        if let Some(folder) = output.parent() {
            create_folder(folder)?;
        }
        let log = self.log(&job.id);
        let file = OpenOptions::new().create(true).append(true).open(&log).map_err(io(&log, "opening it"))?;
        let again = file.try_clone().map_err(io(&log, "opening it"))?;
        let mut command = Command::new(self.program);
        command
            .args(&job.arguments)
            .current_dir(self.study)
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(again)
            .env(CHILD, "1")
            .env("OMP_NUM_THREADS", self.threads.to_string())
            .env("RAYON_NUM_THREADS", self.threads.to_string())
            // Threads of jobs side by side must not wait for each other by spinning.
            .env("OMP_WAIT_POLICY", "PASSIVE");
        if let Some(choice) = self.devices.get(device) {
            let visible = std::env::var(devices::VISIBLE).ok();
            command.env(devices::VISIBLE, devices::seen_by_job(*choice, visible.as_deref()));
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(io(self.program, "starting it"))?;
        Ok(Running { job: place, device, child, begun: Instant::now(), is_stopping: false })
    }

    fn ended(
        &self,
        job: &Job,
        hash: &str,
        running: &Running,
        status: std::process::ExitStatus,
        observer: &mut dyn FnMut(&Event),
    ) -> Result<Outcome, Error> {
        let seconds = running.begun.elapsed().as_secs_f64();
        let missing = if status.success() { job.missing(self.study) } else { None };
        if status.success() && missing.is_none() {
            let device = self.device(running.device);
            let text =
                serde_json::to_string(&Record { inputs: hash.into(), seconds, device: device.clone() })
                    .expect("its keys are strings");
            write(&self.record(&job.id), format!("{text}\n"))?;
            observer(&Event::Finished { id: job.id.clone(), seconds, device });
            return Ok(Outcome::Done { seconds });
        }
        if running.is_stopping {
            return Ok(Outcome::Interrupted);
        }
        let log = self.log(&job.id);
        let message = match missing {
            Some(missing) => format!("it ended well, but {missing}"),
            None => {
                let last = last_lines(&log);
                if last.is_empty() { status.to_string() } else { format!("{status}: {last}") }
            }
        };
        observer(&Event::Failed { id: job.id.clone(), message: message.clone(), log });
        Ok(Outcome::Failed { message })
    }

    /// A job that was done before, whose output is still there.
    fn recorded(&self, job: &Job, hash: &str) -> Option<Outcome> {
        let record: Record = read_json(&self.record(&job.id)).ok()?;
        let is_there = record.inputs == hash && self.study.join(&job.output).exists();
        is_there.then_some(Outcome::Done { seconds: record.seconds })
    }

    fn record(&self, id: &str) -> PathBuf {
        self.study.join(RECORDS).join(format!("{id}.json"))
    }

    fn log(&self, id: &str) -> PathBuf {
        self.study.join(LOGS).join(format!("{id}.log"))
    }
}

impl Running {
    /// Closes the job's standard input, at which it saves and ends.
    fn ask(&mut self) {
        drop(self.child.stdin.take());
        self.is_stopping = true;
    }
}

impl Drop for Running {
    /// A study that ends by an error leaves nobody behind: without its input the job ends by itself.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
    }
}

/// [`Job::hash`] of each job by its id. A job's needs come before it in the list.
fn hashes(jobs: &[Job]) -> BTreeMap<String, String> {
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    for job in jobs {
        let hash = job.hash(job.needs.iter().filter_map(|id| hashes.get(id)).map(String::as_str));
        hashes.insert(job.id.clone(), hash);
    }
    hashes
}

/// Which of two jobs that are ready begins first: exports, which are short and let checkpoints go, then what has
/// the most behind it.
pub(crate) fn before(jobs: &[Job], ranks: &[f64], a: usize, b: usize) -> Ordering {
    let is_export = |place: usize| jobs[place].kind == Kind::Export;
    is_export(b).cmp(&is_export(a)).then(ranks[b].total_cmp(&ranks[a])).then(a.cmp(&b))
}

/// For each job the work on the longest way from its beginning to the end of the study: what has the most
/// behind it comes first, so that no lane is left with a long job at the end.
pub(crate) fn ranks(jobs: &[Job]) -> Vec<f64> {
    let index: BTreeMap<&str, usize> =
        jobs.iter().enumerate().map(|(place, job)| (&*job.id, place)).collect();
    let mut ranks: Vec<f64> = vec![0.0; jobs.len()];
    for place in (0..jobs.len()).rev() {
        ranks[place] += jobs[place].seconds;
        for need in jobs[place].needs.iter().filter_map(|id| index.get(&**id)) {
            ranks[*need] = ranks[*need].max(ranks[place]);
        }
    }
    ranks
}

fn last_lines(log: &Path) -> String {
    let text = tail(log, TOLD_BYTES).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TOLD_LINES)..].join("; ")
}

#[cfg(all(test, unix))]
mod tests;
