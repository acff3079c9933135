//! What qualifies the conclusion, and what a reader has to know of the data.

use electra_analysis::{Caveat, Comparison, Control, Expectation, Findings, Note, Role, Verdict};

use super::take_off::took_off;
use crate::format::{list, points, signed};

/// What qualifies the conclusion, as sentences.
pub(super) fn caveats(findings: &Findings) -> Vec<String> {
    findings.caveats().iter().map(|caveat| said_of(caveat, findings)).collect()
}

fn said_of(caveat: &Caveat<'_>, findings: &Findings) -> String {
    match caveat {
        Caveat::Control(control) => failed(control, findings),
        Caveat::Unhelped(names) => {
            let titles: Vec<&str> = names.iter().map(|name| findings.title(name)).collect();
            format!(
                "No advantage over the same encoder without pre-training was found for {}: what is compared there may be fine-tuning and chance alone.",
                list(&titles),
            )
        }
        Caveat::OneRun => {
            "The difference from an objective with a single run has no interval: a second run can reverse it."
                .into()
        }
        Caveat::NotAllTookOff(arms) => {
            let said = arms.iter().filter_map(|arm| {
                let score = arm.take_off.as_ref()?.score.as_ref();
                let score = score.map_or_else(String::new, |score| {
                    format!("; those that did scored {}", points(score.mean))
                });
                took_off(arm, findings.config.level, &score)
            });
            let said: Vec<String> = said.collect();
            format!(
                "{}. A mean over both kinds of runs says little, so there is no verdict on it.",
                list(&said)
            )
        }
        Caveat::NoneTookOff(arms) => {
            let said: Vec<String> =
                arms.iter().filter_map(|arm| took_off(arm, findings.config.level, "")).collect();
            format!(
                "{}. Verdicts on it are about this budget: longer runs that leave the plateau can score otherwise.",
                list(&said)
            )
        }
        Caveat::WithoutExamples => {
            "Some intervals account for the choice of runs alone, and not for the choice of test examples."
                .into()
        }
        Caveat::Failures(1) => "1 job failed; the list is below.".into(),
        Caveat::Failures(jobs) => format!("{jobs} jobs failed; the list is below."),
    }
}

/// A defect that is missed says how small a difference is missed; a difference between equals, that verdicts are wrong.
fn failed(control: &Control, findings: &Findings) -> String {
    let Comparison { a, b, difference, verdict, .. } = &control.comparison;
    let expected = match expectation(findings, a) {
        Expectation::Worse => "worse than",
        Expectation::Same | Expectation::Open => "not distinguishable from",
    };
    let doubtful = "the other verdicts are as doubtful";
    let (found, consequence) = match verdict {
        Verdict::Better => ("better", doubtful),
        Verdict::Worse => ("worse", doubtful),
        _ => ("not distinguishable from it", "the study misses a defect of that size"),
    };
    let by = difference.map_or_else(String::new, |difference| format!(" ({} points)", signed(difference)));
    format!(
        "A control failed: {} should be {expected} {}, but is {found}{by}; {consequence}.",
        findings.title(a),
        findings.title(b),
    )
}

/// What has to come out of a control.
pub(crate) fn expectation(findings: &Findings, control: &str) -> Expectation {
    match findings.arms.iter().find(|arm| arm.facts.name == control).map(|arm| &arm.facts.role) {
        Some(Role::Control { expects, .. }) => *expects,
        _ => Expectation::Open,
    }
}

/// What a reader has to know of the data.
pub(crate) fn notes(findings: &Findings) -> Vec<String> {
    let note = |note: &Note<'_>| match note {
        Note::TaskLeftOut { task } => format!("No run has a score of {task}: it is left out of the mean."),
        Note::IncompleteRuns { arm, runs: 1 } => {
            format!("{}: 1 run lacks a task or the end of the budget, and is not counted.", arm.facts.title)
        }
        Note::IncompleteRuns { arm, runs } => format!(
            "{}: {runs} runs lack a task or the end of the budget, and are not counted.",
            arm.facts.title
        ),
        Note::NoRun { arm } => format!("{}: no run finished.", arm.facts.title),
        Note::FewerRuns { arm, planned } => {
            format!("{}: {} of {planned} planned runs finished.", arm.facts.title, arm.runs.len())
        }
    };
    findings.notes().iter().map(note).collect()
}
