//! The time that a run has taken.

use std::time::Instant;

/// Seconds of training, over all sittings. It is read once a step, so that what is saved with a step is what
/// the end of the run and the learning rate of the next step are decided by.
#[derive(Debug)]
pub(crate) struct Clock {
    before: f64,
    now: f64,
    started: Instant,
    lap: (Instant, u64),
}

impl Clock {
    pub(crate) fn new(before: f64) -> Self {
        let now = Instant::now();
        Self { before, now: before, started: now, lap: (now, 0) }
    }

    pub(crate) fn start(&mut self, step: u64) {
        self.started = Instant::now();
        self.lap = (self.started, step);
    }

    pub(crate) fn tick(&mut self) {
        self.now = self.before + self.started.elapsed().as_secs_f64();
    }

    /// Takes over another process's time.
    pub(crate) fn set(&mut self, elapsed: f64) {
        self.now = elapsed;
    }

    /// Until the end of the last step.
    pub(crate) fn elapsed(&self) -> f64 {
        self.now
    }

    /// Steps a second since the last call.
    pub(crate) fn lap(&mut self, step: u64) -> f64 {
        let (time, last) = std::mem::replace(&mut self.lap, (Instant::now(), step));
        (step - last) as f64 / time.elapsed().as_secs_f64()
    }
}
