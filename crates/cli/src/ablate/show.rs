//! How a study is doing, on standard error: a bar for the whole and a line for each running job on a terminal,
//! a line for each job that ends elsewhere.

use std::collections::BTreeMap;
use std::time::Instant;

use console::style;
use electra_study::{Event, Job, Pace};
use indicatif::{MultiProgress, ProgressBar};

use crate::output::{self, escaped, shown};
use crate::progress::{self, WHOLE};

pub(super) struct Display {
    slots: usize,
    jobs: BTreeMap<String, Job>,
    done: usize,
    pace: Pace,
    /// Seconds that a job takes altogether are known when it ends; its share tells while it runs.
    running: BTreeMap<String, Running>,
    /// Jobs that are neither done nor lost.
    left: BTreeMap<String, ()>,
    bars: MultiProgress,
    whole: ProgressBar,
}

struct Running {
    share: f64,
    begun: Instant,
    bar: ProgressBar,
}

/// Where a job runs, if the plan says where.
fn on(device: Option<&str>) -> String {
    device.map_or_else(String::new, |device| format!(" on {device}"))
}

impl Display {
    pub(super) fn new(slots: usize) -> Self {
        let bars = MultiProgress::new();
        let whole = ProgressBar::new(WHOLE).with_style(progress::style("{bar:30} {percent:>3}% {msg}"));
        let whole = bars.add(whole);
        Self {
            slots,
            jobs: BTreeMap::new(),
            done: 0,
            pace: Pace::default(),
            running: BTreeMap::new(),
            left: BTreeMap::new(),
            bars,
            whole,
        }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Planned { jobs } => self.plan(jobs),
            Event::Started { id, device } => {
                let bar = ProgressBar::new(WHOLE).with_style(progress::style("{bar:12} {percent:>3}% {msg}"));
                let bar = self.bars.add(bar);
                bar.set_message(format!("{}{}", self.title(id), on(device.as_deref())));
                self.running.insert(id.clone(), Running { share: 0.0, begun: Instant::now(), bar });
            }
            Event::Progress { id, share } => {
                if let Some(running) = self.running.get_mut(id) {
                    running.share = *share;
                    running.bar.set_position((share * WHOLE as f64) as u64);
                }
            }
            Event::Finished { id, seconds, device } => {
                self.leave(id);
                self.done += 1;
                if let Some(job) = self.jobs.get(id) {
                    self.pace.add(job, *seconds);
                }
                let (title, on) = (self.title(id), on(device.as_deref()));
                self.line(format!("{title}{on} · {}", progress::time(*seconds)));
            }
            Event::Failed { id, message, log } => {
                self.leave(id);
                let failed = style("failed:").red().bold().for_stderr();
                let (title, message) = (self.title(id), escaped(message));
                self.line(format!("{failed} {title}: {message} ({})", shown(log)));
            }
            Event::Skipped { id, lacks } => {
                self.leave(id);
                self.line(format!("skipped: {}: it needs {}", self.title(id), self.title(lacks)));
            }
            Event::Note(text) => self.line(escaped(text).into_owned()),
            _ => {}
        }
        self.update();
    }

    pub(super) fn end(&self) {
        self.running.values().for_each(|running| running.bar.finish_and_clear());
        self.whole.finish_and_clear();
    }

    fn plan(&mut self, jobs: &[(Job, bool)]) {
        let before = self.jobs.len();
        self.done = jobs.iter().filter(|(_, done)| *done).count();
        self.jobs = jobs.iter().map(|(job, _)| (job.id.clone(), job.clone())).collect();
        self.left = jobs.iter().filter(|(_, done)| !done).map(|(job, _)| (job.id.clone(), ())).collect();
        // Each part of a study lists all jobs again.
        if !self.left.is_empty() && self.jobs.len() != before {
            self.line(format!("{} jobs, {} of them done", jobs.len(), self.done));
        }
    }

    fn title(&self, id: &str) -> String {
        escaped(self.jobs.get(id).map_or(id, |job| &job.title)).into_owned()
    }

    fn leave(&mut self, id: &str) {
        self.left.remove(id);
        if let Some(running) = self.running.remove(id) {
            running.bar.finish_and_clear();
            self.bars.remove(&running.bar);
        }
    }

    /// A line that stays, above the bars.
    fn line(&self, text: String) {
        let count = format!("[{}/{}]", self.done, self.jobs.len());
        let left = if self.left.is_empty() {
            String::new()
        } else {
            format!(" · {} left", progress::time(self.seconds_left()))
        };
        if self.whole.is_hidden() {
            output::tell_styled(&format!("{count} {text}{left}"));
        } else {
            // The bar tells the rest.
            let _ = self.bars.println(text);
        }
    }

    /// Seconds that all jobs together still take, those that run by how far they are.
    fn work_left(&self) -> f64 {
        self.left
            .keys()
            .filter_map(|id| self.jobs.get(id).map(|job| (id, job)))
            .map(|(id, job)| match self.running.get(id) {
                Some(running) => seconds_left(running, self.pace.seconds(job)),
                None => self.pace.seconds(job),
            })
            .sum()
    }

    fn seconds_left(&self) -> f64 {
        // No less than the longest of what runs.
        let longest = self
            .running
            .iter()
            .filter_map(|(id, running)| Some(seconds_left(running, self.pace.seconds(self.jobs.get(id)?))));
        (self.work_left() / self.slots as f64).max(longest.fold(0.0, f64::max))
    }

    fn update(&self) {
        let all: f64 = self.jobs.values().map(|job| self.pace.seconds(job)).sum();
        if all > 0.0 {
            let share = (1.0 - self.work_left() / all).clamp(0.0, 1.0);
            self.whole.set_position((share * WHOLE as f64) as u64);
        }
        let left = progress::time(self.seconds_left());
        self.whole.set_message(format!("{} of {} jobs · {left} left", self.done, self.jobs.len()));
    }
}

/// By its own pace once it is some way, before that by what is planned.
fn seconds_left(running: &Running, planned: f64) -> f64 {
    let passed = running.begun.elapsed().as_secs_f64();
    if running.share > 0.05 {
        passed * (1.0 - running.share) / running.share
    } else {
        (planned - passed).max(0.0)
    }
}
