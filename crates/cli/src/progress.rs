//! Progress on standard error: bars where that is a terminal, and else nothing, or for what takes hours a line a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const BAR: &str = "{prefix:>10} {bar:30} {percent:>3}% {binary_bytes_per_sec} {msg} · {eta} left";
const SPINNER: &str = "{prefix:>10} {spinner} {binary_bytes} {binary_bytes_per_sec} {msg}";
const COUNT: &str = "{prefix:>10} {bar:30} {human_pos} of {human_len} tokens · {eta} left";

/// A bar over bytes of input, where their number is known.
pub(crate) fn bytes(prefix: &'static str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), BAR),
        None => (ProgressBar::new_spinner(), SPINNER),
    };
    bar.with_style(style(template)).with_prefix(prefix)
}

/// A bar over tokens of a vocabulary.
pub(crate) fn count(prefix: &'static str, total: usize) -> ProgressBar {
    ProgressBar::new(total as u64).with_style(style(COUNT)).with_prefix(prefix)
}

/// Ends the watcher when the work ends, by a panic too: the scope waits for it.
struct Ended<'a> {
    done: &'a AtomicBool,
    watcher: &'a std::thread::Thread,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        self.watcher.unpark();
    }
}

/// How a bar looks: `template` is a constant.
pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant").progress_chars("█▉▊▋▌▍▎▏ ")
}

/// Shows a bar from a thread of its own while `work` runs; `update` brings the bar up to date.
pub(crate) fn watch<T>(
    bar: &ProgressBar,
    update: impl Fn(&ProgressBar) + Send,
    work: impl FnOnce() -> T,
) -> T {
    let done = Arc::new(AtomicBool::new(false));
    let outcome = std::thread::scope(|scope| {
        let watcher = {
            let (done, bar) = (Arc::clone(&done), bar.clone());
            std::thread::Builder::new().spawn_scoped(scope, move || {
                while !done.load(Ordering::Relaxed) {
                    update(&bar);
                    std::thread::park_timeout(Duration::from_millis(100));
                }
            })
        };
        // Work goes on without a bar where the system has no thread for it.
        let _ended = watcher.as_ref().ok().map(|watcher| Ended { done: &done, watcher: watcher.thread() });
        work()
    });
    bar.finish_and_clear();
    outcome
}

/// The length of a bar over a share.
pub(crate) const WHOLE: u64 = 10_000;

/// A length of time, to its two largest units.
pub(crate) fn time(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e10) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}
