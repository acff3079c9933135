//! For each pair the sentence that a reader may quote: it says by itself what was measured, on how much, how surely.

use electra_analysis::{Comparison, FEWEST_RUNS, Findings, Range, TakeOff, Test, TestSets, Verdict};

use super::take_off::took_off;
use crate::format::{list, number, percent, points, range, word};

/// The sentences, in the order of the pairs.
pub(super) fn quotes(findings: &Findings) -> Vec<String> {
    let pairs = findings.pairs.iter().filter(|pair| pair.difference.is_some());
    pairs.map(|pair| quote(findings, pair)).collect()
}

fn quote(findings: &Findings, pair: &Comparison) -> String {
    let (a, b) = (findings.title(&pair.a), findings.title(&pair.b));
    match (pair.verdict, &pair.test, pair.difference) {
        (Verdict::TooFewRuns, ..) => format!(
            "There is no verdict on {a} and {b}: {} are too few, as it takes {} of each.",
            runs(findings, pair),
            word(FEWEST_RUNS)
        ),
        (verdict, Some(test), Some(difference)) if verdict.is_judged() => {
            judged(findings, pair, test, difference)
        }
        _ => {
            let arms = findings.arms.iter().filter(|arm| [&pair.a, &pair.b].contains(&&arm.facts.name));
            let in_part = arms.filter(|arm| arm.take_off.as_ref().is_some_and(TakeOff::is_in_part));
            let said: Vec<String> =
                in_part.filter_map(|arm| took_off(arm, findings.config.level, "")).collect();
            format!("There is no verdict on {a} and {b}: {}.", list(&said))
        }
    }
}

/// The sentence on a pair on which an interval decides, the higher score first.
fn judged(findings: &Findings, pair: &Comparison, test: &Test, difference: f64) -> String {
    let (higher, lower, interval) = if difference < 0.0 {
        (&pair.b, &pair.a, test.interval.turned())
    } else {
        (&pair.a, &pair.b, test.interval)
    };
    let (higher, lower) = (findings.title(higher), findings.title(lower));
    let (on, evidence, by) =
        (tasks(findings), evidence(findings, pair, test, interval), points(difference.abs()));
    let more = format!("{higher} scored {by} points more {evidence}");
    match (pair.verdict, findings.config.margin) {
        (Verdict::Same, Some(margin)) => {
            format!("{higher} and {lower} are the same within ± {} points {on}: {more}.", points(margin))
        }
        (verdict, _) if verdict.is_apart() => {
            format!("{higher} scored {by} points more than {lower} {on} {evidence}.")
        }
        _ => format!("{higher} and {lower} are not distinguishable {on}: {more}."),
    }
}

/// `(simultaneous 95 % interval 1.0 to 5.2, p = 0.003; 6 runs of each, equal steps)`.
fn evidence(findings: &Findings, pair: &Comparison, test: &Test, interval: Range) -> String {
    let simultaneous = if findings.pairs.len() > 1 { "simultaneous " } else { "" };
    // With its leading zero: a quotation may stand in any style.
    let p = match test.p_adjusted {
        p if p < 0.001 => "p < 0.001".to_owned(),
        p => format!("p = {}", number(p, 3)),
    };
    let equal = findings.equal(&pair.a, &pair.b);
    format!(
        "({simultaneous}{} interval {}, {p}; {}, {})",
        percent(findings.config.level),
        range(interval),
        runs(findings, pair),
        equal.map_or_else(|| "neither steps nor FLOPs equal".into(), super::equal),
    )
}

/// `6 runs of each`, `6 and 5 languages`.
fn runs(findings: &Findings, pair: &Comparison) -> String {
    let noun = if findings.test_sets == TestSets::OnePerLanguage { "language" } else { "run" };
    match pair.runs {
        (1, 1) => format!("1 {noun} of each"),
        (a, b) if a == b => format!("{a} {noun}s of each"),
        (a, b) => format!("{a} and {b} {noun}s"),
    }
}

/// `on the mean of six tasks`, or on the one by its title.
fn tasks(findings: &Findings) -> String {
    let is_scored = |task: &str| findings.arms.iter().any(|arm| arm.tasks.contains_key(task));
    let scored: Vec<&str> =
        findings.tasks.iter().filter(|task| is_scored(&task.name)).map(|task| task.title.as_str()).collect();
    match scored.as_slice() {
        [title] => format!("on {title}"),
        several => format!("on the mean of {} tasks", word(several.len())),
    }
}
