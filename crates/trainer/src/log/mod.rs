//! The numbers of a run: `metrics.jsonl`, `timing.jsonl`, events for `TensorBoard`; and `remarks.jsonl`, what is to be said
//! of them.

mod tensorboard;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use electra_store::{io, open_in_place};
use serde::Serialize;

use crate::checkpoint::LogLengths;
use crate::{Error, Remark};

/// `TensorBoard` takes any name with `tfevents` in it.
const EVENTS: &str = "events.out.tfevents.0.electra";

/// A line of `metrics.jsonl`: what a run of the same settings gives again, to the last digit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Metrics {
    /// Steps done.
    pub(crate) step: u64,
    /// The loss of the last of them; null if it is not finite, as are the others.
    pub(crate) loss: f64,
    /// Its learning rate.
    pub(crate) lr: f64,
    /// Its gradients' global norm before the clip.
    pub(crate) grad_norm: f64,
    /// Tokens since the beginning, padding included.
    pub(crate) tokens: u64,
    /// Operations since the beginning, as the paper counts them.
    pub(crate) flops: f64,
    /// Steps since the beginning whose loss or gradient was not finite.
    pub(crate) skipped: i64,
    /// What the objective says of the step.
    #[serde(flatten)]
    pub(crate) objective: BTreeMap<String, f64>,
    /// What it says of held-out text after the step, under names that begin with `valid/`; empty where none was measured.
    #[serde(flatten)]
    pub(crate) valid: BTreeMap<String, f64>,
}

/// A line of `timing.jsonl`: what depends on the clock and the machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Timing {
    /// Steps done.
    pub(crate) step: u64,
    /// Seconds of training since the beginning.
    pub(crate) elapsed_seconds: f64,
    /// Since the last line.
    pub(crate) tokens_per_s: f64,
    /// The model's operations, padding and whole layers counted though less may be computed, over the measured
    /// peak of matrix products, since the last line.
    pub(crate) peak_share: f64,
    /// The most memory that was in use: of the device, or of the process on the CPU. Null where neither can
    /// be told.
    pub(crate) peak_memory_bytes: Option<u64>,
}

/// A file that grows at its end.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    /// Opens a log and cuts off what is behind `length`: it is of steps that will be done again.
    fn open(path: PathBuf, length: u64) -> Result<Self, Error> {
        let mut file = open_in_place(&path)?;
        let found = file.metadata().map_err(io(&path, "asking for its length"))?.len();
        // A log that was shortened or removed by somebody goes on from where it ends.
        let length = length.min(found);
        file.set_len(length).map_err(io(&path, "cutting it"))?;
        file.seek(SeekFrom::Start(length)).map_err(io(&path, "finding its end"))?;
        Ok(Self { path, file, length })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(io(&self.path, "writing it"))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn line(&mut self, record: &impl Serialize) -> Result<(), Error> {
        let mut line = serde_json::to_vec(record).expect("a record's keys are strings");
        line.push(b'\n');
        self.write(&line)
    }

    fn sync(&self) -> Result<u64, Error> {
        self.file.sync_all().map_err(io(&self.path, "making it durable"))?;
        Ok(self.length)
    }
}

/// The logs of a run.
#[derive(Debug)]
pub(crate) struct Logs {
    metrics: Log,
    timing: Log,
    events: Log,
    remarks: Log,
}

impl Logs {
    /// Opens the logs of a run's folder as they were at a checkpoint.
    pub(crate) fn open(folder: &Path, lengths: LogLengths) -> Result<Self, Error> {
        let mut logs = Self {
            metrics: Log::open(folder.join("metrics.jsonl"), lengths.metrics)?,
            timing: Log::open(folder.join("timing.jsonl"), lengths.timing)?,
            events: Log::open(folder.join(EVENTS), lengths.events)?,
            remarks: Log::open(folder.join("remarks.jsonl"), lengths.remarks)?,
        };
        if logs.events.length == 0 {
            logs.events.write(&tensorboard::version_record(tensorboard::now()))?;
        }
        Ok(logs)
    }

    /// Adds a log step.
    pub(crate) fn write(&mut self, metrics: &Metrics, timing: &Timing) -> Result<(), Error> {
        self.metrics.line(metrics)?;
        self.timing.line(timing)?;
        let scalars = [
            ("loss", metrics.loss),
            ("lr", metrics.lr),
            ("grad_norm", metrics.grad_norm),
            ("skipped", metrics.skipped as f64),
            ("tokens_per_s", timing.tokens_per_s),
            ("peak_share", timing.peak_share),
        ];
        let own = metrics.objective.iter().chain(&metrics.valid);
        let own = own.map(|(name, value)| (name.as_str(), *value));
        self.events.write(&tensorboard::scalars_record(
            tensorboard::now(),
            metrics.step,
            scalars.into_iter().chain(own),
        ))
    }

    /// Adds a remark.
    pub(crate) fn remark(&mut self, remark: &Remark) -> Result<(), Error> {
        self.remarks.line(remark)
    }

    /// Makes all that was written durable, and tells how long the logs are.
    pub(crate) fn sync(&self) -> Result<LogLengths, Error> {
        Ok(LogLengths {
            metrics: self.metrics.sync()?,
            timing: self.timing.sync()?,
            events: self.events.sync()?,
            remarks: self.remarks.sync()?,
        })
    }
}
