//! Progress of what takes hours: a bar on a terminal, and a line a minute elsewhere.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::output;
use crate::progress::{WHOLE, style};

/// A bar over the share of a run.
pub(super) fn steps() -> ProgressBar {
    ProgressBar::new(WHOLE).with_style(style("{bar:20} {percent:>3}% {prefix} {msg}"))
}

/// What a bar would show, as a line a minute where there is no terminal to draw it on.
pub(super) struct Lines(Instant);

impl Lines {
    const EVERY: Duration = Duration::from_secs(60);

    pub(super) fn new() -> Self {
        Self(Instant::now())
    }

    /// Prints the bar's message if it is time.
    pub(super) fn print(&mut self, bar: &ProgressBar) {
        if bar.is_hidden() && self.0.elapsed() >= Self::EVERY {
            self.0 = Instant::now();
            output::tell(&bar.message());
        }
    }
}
