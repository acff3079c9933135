//! What the sides say of a job, and what follows from it.

use super::Group;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The side that the others are compared with.
pub(super) const OURS: &str = "ours";

/// One run of one side.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    pub(super) seconds: f64,
    /// Tokens or examples that are dealt with in that time.
    pub(super) work: Option<u64>,
    /// All that the side printed.
    pub(super) printed: Value,
}

/// A job as every side did it, run by run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Job {
    pub(super) group: Group,
    pub(super) name: String,
    pub(super) sides: BTreeMap<&'static str, Vec<Figure>>,
}

/// A peer's time over ours: the median of the runs, the least and the most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratio {
    pub(super) median: f64,
    least: f64,
    most: f64,
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.least, self.most)
    }
}

impl Figure {
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.printed[name].as_f64()
    }
}

impl Job {
    pub(super) fn new(group: Group, name: impl Into<String>) -> Self {
        Self { group, name: name.into(), sides: BTreeMap::new() }
    }

    pub(super) fn push(&mut self, side: &'static str, figure: Figure) {
        self.sides.entry(side).or_default().push(figure);
    }

    /// The median over a side's runs of what `of` says of each; none where it says nothing of one.
    fn median_of(&self, side: &str, value: impl Fn(&Figure) -> Option<f64>) -> Option<f64> {
        let values: Option<Vec<f64>> = self.sides.get(side)?.iter().map(value).collect();
        values.and_then(median)
    }

    pub(super) fn seconds(&self, side: &str) -> Option<f64> {
        self.median_of(side, |figure| Some(figure.seconds))
    }

    /// Tokens or examples a second.
    pub(super) fn rate(&self, side: &str) -> Option<f64> {
        self.median_of(side, |figure| Some(figure.work? as f64 / figure.seconds))
    }

    /// A number among those that a side printed.
    pub(super) fn number(&self, side: &str, name: &str) -> Option<f64> {
        self.median_of(side, |figure| figure.number(name))
    }

    /// Taken run by run, as what else the machine does concerns both sides of a run.
    pub(super) fn ratio(&self, side: &str) -> Option<Ratio> {
        let (ours, theirs) = (self.sides.get(OURS)?, self.sides.get(side)?);
        let ratios: Vec<f64> =
            ours.iter().zip(theirs).map(|(ours, theirs)| theirs.seconds / ours.seconds).collect();
        let (least, most) = ratios.iter().fold((f64::MAX, 0f64), |(a, b), &x| (a.min(x), b.max(x)));
        Some(Ratio { median: median(ratios)?, least, most })
    }

    /// The faster of the sides that it has.
    pub(super) fn faster(&self, sides: &[&'static str]) -> Option<&'static str> {
        let timed = sides.iter().filter_map(|side| Some((self.seconds(side)?, *side)));
        timed.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, side)| side)
    }

    /// Sides whose times are more than twice as long in one run as in another, or in one half of a run's steps.
    fn scattered(&self) -> impl Iterator<Item = &'static str> {
        self.sides.iter().filter(|(_, figures)| scatters(figures)).map(|(side, _)| *side)
    }
}

fn scatters(figures: &[Figure]) -> bool {
    let seconds = || figures.iter().map(|figure| figure.seconds);
    let runs = seconds().fold(0f64, f64::max) > 2.0 * seconds().fold(f64::MAX, f64::min);
    let steps = figures.iter().any(|figure| {
        let quartile = |index: usize| figure.printed["step_s_quartiles"][index].as_f64();
        quartile(0).zip(quartile(1)).is_some_and(|(first, third)| third > 2.0 * first)
    });
    runs || steps
}

/// What says that the machine did something else as well: figures taken then are worth little.
pub(super) fn warnings(jobs: &[Job], load: Option<f64>) -> Vec<String> {
    let mut warnings = Vec::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if let Some(load) = load.filter(|load| *load > cores as f64) {
        warnings.push(format!(
            "the machine was busy: its load average was {load:.2} at the start, with {cores} cores"
        ));
    }
    let scattered: Vec<String> = jobs
        .iter()
        .flat_map(|job| job.scattered().map(move |side| format!("{} ({side})", job.name)))
        .collect();
    if !scattered.is_empty() {
        warnings.push(format!(
            "the machine was busy: times differ by more than a factor of two in {}",
            scattered.join(", ")
        ));
    }
    warnings
}

/// Of the last minute, on Linux.
pub(super) fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last - last / 2]))
}

/// A number for a table, or a dash.
pub(super) fn cell<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), show)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A job of which each side took so long in each run.
    pub(in super::super) fn job(group: Group, name: &str, sides: &[(&'static str, &[f64])]) -> Job {
        let mut job = Job::new(group, name);
        for (side, seconds) in sides {
            for &seconds in *seconds {
                let printed = json!({ "peak_memory_bytes": 1 << 30, "product_share": 0.5 });
                job.push(side, Figure { seconds, work: Some(4_000_000), printed });
            }
        }
        job
    }

    #[test]
    fn the_ratio_is_taken_run_by_run() {
        let job = job(Group::Data, "a", &[(OURS, &[1.0, 2.0, 4.0]), ("python", &[2.0, 8.0, 12.0])]);
        assert_eq!(job.ratio("python").unwrap().to_string(), "3.00 (2.00–4.00)");
        assert_eq!(job.rate(OURS), Some(2e6));
        assert_eq!(job.ratio("nobody"), None);
        assert_eq!(job.faster(&["nobody", "python", OURS]), Some(OURS));
    }

    #[test]
    fn a_busy_machine_is_noticed() {
        let steady = job(Group::Data, "a", &[(OURS, &[1.0, 1.9])]);
        assert!(warnings(&[steady], Some(0.0)).is_empty());
        let runs = job(Group::Data, "b", &[(OURS, &[1.0, 2.1]), ("python", &[3.0, 3.0])]);
        let mut steps = job(Group::Train, "c", &[("eager", &[1.0])]);
        steps.sides.get_mut("eager").unwrap()[0].printed = json!({ "step_s_quartiles": [1.0, 2.5] });
        let warnings = warnings(&[runs, steps], Some(1e6));
        assert!(warnings[0].contains("load average was 1000000.00"), "{warnings:?}");
        assert!(warnings[1].ends_with("in b (ours), c (eager)"), "{warnings:?}");
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
