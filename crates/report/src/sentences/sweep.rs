//! The score against a setting: how to read it, and what was found.

use electra_analysis::{Comparison, Findings, Matched, Range, Series, Sweep, SweepDifference, Verdict};

use super::sections::matched;
use crate::format::{capital, list, percent, points, range, size};
use crate::trials::short;

/// Sentences of the opening at most: one more says how sure it is.
const MOST: usize = 4;

/// `Hidden size`.
pub(crate) fn setting(sweep: &Sweep<'_>) -> String {
    capital(&short(sweep.setting))
}

/// `Score against hidden size`.
pub(crate) fn against(sweep: &Sweep<'_>) -> String {
    format!("Score against {}", short(sweep.setting))
}

/// The title of a series: its objective's, and what is equal where the objective has two.
pub(crate) fn series(findings: &Findings, sweep: &Sweep<'_>, series: &Series<'_>) -> String {
    let title = objective(findings, series.objective);
    let alone = sweep.series.iter().filter(|other| other.objective == series.objective).count() == 1;
    match (alone, series.by_flops_of) {
        (true, _) => title.into(),
        (false, true) => format!("{title}, {}", equal(Matched::Flops)),
        (false, false) => format!("{title}, {}", equal(findings.plan.matched)),
    }
}

/// `equal steps`.
pub(crate) fn equal(what: Matched) -> String {
    format!("equal {}", matched(what))
}

fn objective<'a>(findings: &'a Findings, name: &'a str) -> &'a str {
    findings.objectives.iter().find(|facts| facts.name == name).map_or(name, |facts| &facts.title)
}

/// The titles of the two objectives of a pair of arms.
pub(crate) fn objectives<'a>(findings: &'a Findings, pair: &'a Comparison) -> (&'a str, &'a str) {
    let of_arm = |name: &'a str| {
        let arm = findings.arms.iter().find(|arm| arm.facts.name == name);
        arm.map_or(name, |arm| objective(findings, &arm.facts.objective))
    };
    (of_arm(&pair.a), of_arm(&pair.b))
}

/// How to read the chart.
pub(crate) fn reading(findings: &Findings, sweep: &Sweep<'_>) -> String {
    let by_flops_of = sweep.series.iter().any(|series| series.by_flops_of);
    let dashed = if by_flops_of {
        " A dashed line has the FLOPs of the other objective's run of the same value, as the paper counts them, and not its steps."
    } else {
        ""
    };
    format!(
        "Each small mark is one pre-training run. A line joins the means of an objective, each with its own {} interval by Student's t, cut off where it would run off the chart.{dashed} An interval is of one mean alone: the table of differences has the verdicts.",
        percent(findings.config.level),
    )
}

/// What was found, a sentence for each two objectives and what is equal for them.
fn found(findings: &Findings, sweep: &Sweep<'_>) -> Vec<String> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for difference in &sweep.differences {
        let titles = objectives(findings, difference.pair);
        match groups.iter_mut().find(|group| (group.titles, group.equal) == (titles, difference.equal)) {
            Some(group) => group.differences.push(difference),
            None => groups.push(Group { titles, equal: difference.equal, differences: vec![difference] }),
        }
    }
    groups.iter().map(|group| group.sentence(findings, &short(sweep.setting))).collect()
}

/// The same for the opening.
pub(super) fn opening(findings: &Findings) -> Option<Vec<String>> {
    let mut found = found(findings, &findings.sweep()?);
    found.truncate(MOST);
    (!found.is_empty()).then_some(found)
}

/// Two objectives with the same thing equal.
struct Group<'a> {
    titles: (&'a str, &'a str),
    equal: Matched,
    differences: Vec<&'a SweepDifference<'a>>,
}

impl Group<'_> {
    fn sentence(&self, findings: &Findings, setting: &str) -> String {
        let mut verdicts: Vec<Verdict> = Vec::new();
        for difference in &self.differences {
            if !verdicts.contains(&difference.pair.verdict) {
                verdicts.push(difference.pair.verdict);
            }
        }
        let clauses = verdicts.iter().enumerate();
        let clauses: Vec<String> = clauses
            .map(|(place, verdict)| self.clause(findings, *verdict, (place == 0).then_some(setting)))
            .collect();
        format!("With {}, {}.", equal(self.equal), clauses.join("; "))
    }

    /// The differences with a verdict. The first clause names both objectives and the setting.
    fn clause(&self, findings: &Findings, verdict: Verdict, first: Option<&str>) -> String {
        let with = || self.differences.iter().filter(|difference| difference.pair.verdict == verdict);
        let values: Vec<String> = with().map(|difference| size(difference.value)).collect();
        let places = match (first, values.len()) {
            (Some(setting), 1) => format!("{setting} {}", values[0]),
            (Some(setting), _) => format!("{setting}s {}", list(&values)),
            (None, _) => list(&values),
        };
        let (a, b) = self.titles;
        let better = |winner: &str, loser: &str| {
            let by: Vec<String> =
                with().filter_map(|found| Some(points(found.pair.difference?.abs()))).collect();
            let than = if first.is_some() { format!(" than {loser}") } else { String::new() };
            format!("{winner} is better{than} at {places}, by {} points", list(&by))
        };
        let both = if first.is_some() { format!("{a} and {b}") } else { "they".into() };
        match verdict {
            Verdict::Better => better(a, b),
            Verdict::Worse => better(b, a),
            Verdict::Same => {
                let margin = findings
                    .config
                    .margin
                    .map_or_else(String::new, |margin| format!(" within ± {} points", points(margin)));
                format!("{both} are the same{margin} at {places}")
            }
            Verdict::NotDistinguishable => {
                let intervals: Vec<Range> =
                    with().filter_map(|found| Some(found.pair.test.as_ref()?.interval)).collect();
                let noun = if intervals.len() == 1 { "interval" } else { "intervals" };
                let said = list(&intervals.into_iter().map(range).collect::<Vec<_>>());
                let level = percent(findings.config.level);
                format!("{both} are not distinguishable at {places} ({level} {noun} {said})")
            }
            Verdict::TooFewRuns => format!("{both} have too few runs for a verdict at {places}"),
            Verdict::NotAllTookOff => {
                format!("{both} have no verdict at {places}, as not all runs took off")
            }
        }
    }
}

/// The chart in words: of each series its title, and means by values.
pub(crate) fn describe_sweep(sweep: &Sweep<'_>, series: &[(&str, Vec<(f64, f64)>)]) -> String {
    let said = series.iter().map(|(title, means)| {
        let said = |(value, mean): &(f64, f64)| format!("{} at {}", points(*mean), size(*value));
        format!("{title}: {}", means.iter().map(said).collect::<Vec<_>>().join(", "))
    });
    let said: Vec<String> = said.collect();
    format!(
        "Mean of tasks times 100 by {}, one mark a run, with means, their intervals and lines through them. {}.",
        short(sweep.setting),
        said.join(". ")
    )
}
