//! Every sentence of the report, made by rules from the findings.

mod arms;
mod caveats;
mod descriptions;
mod opening;
mod ordering;
mod quotes;
mod search;
mod sections;
mod sweep;
mod take_off;
mod tasks;

use electra_analysis::{Findings, PaperOrdering};
use serde::Serialize;

use crate::format::sentence;

pub(crate) use caveats::{expectation, notes};
pub(crate) use descriptions::{
    describe_curves, describe_diagnostics, describe_differences, describe_learning, describe_scores,
    describe_tasks,
};
pub(crate) use ordering::answer;
pub(crate) use search::settings_chosen;
pub(crate) use sections::{
    DIAGNOSTICS, KINDS, QUOTES, controls, curves, detection, equal_for_all, family, helps, learning, marks,
    masked_lm_loss, matched, ranks, rule, verdict,
};
pub(crate) use sweep::{against, describe_sweep, equal, objectives, reading, series, setting};
pub(crate) use take_off::{seeds, take_off};
pub(crate) use tasks::{rule_on_tasks, task_title};

/// What can and cannot be concluded, in sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// At most five short sentences for any reader: what was found, how sure it is, what was not found and why, and
    /// what it means for somebody who has to choose.
    pub opening: Vec<String>,
    /// One sentence: every verdict on the objectives.
    pub sentence: String,
    /// Whether the paper's ordering is in it; open if the run proves nothing, or has objectives at several values of a
    /// setting.
    pub ordering: PaperOrdering,
    /// The same as a sentence; empty if the run has objectives at several values of a setting, as the paper's ordering is
    /// of one size.
    pub ordering_sentence: String,
    /// What single tasks show, as a sentence; empty if there is one task, or if the run proves nothing.
    pub tasks_sentence: String,
    /// For each pair the sentence that may be quoted, with difference, interval and numbers of runs; none if the run
    /// proves nothing.
    pub quotes: Vec<String>,
    /// What qualifies it: a plan that proves nothing, controls that did not come out, failures.
    pub caveats: Vec<String>,
}

/// Says what can and cannot be concluded from findings.
#[must_use]
pub fn conclude(findings: &Findings) -> Conclusion {
    let shown = arms::shown(findings);
    let tasks_sentence = tasks::on_tasks(findings);
    let mut caveats = caveats::caveats(findings);
    let is_sweep = findings.plan.sweep.is_some();
    let Some(reason) = &findings.plan.proves_nothing else {
        let ordering = findings.ordering();
        return Conclusion {
            opening: opening::opening(findings),
            sentence: shown,
            ordering: if is_sweep { PaperOrdering::Open } else { ordering.answer },
            ordering_sentence: if is_sweep { String::new() } else { ordering::paper(&ordering, findings) },
            tasks_sentence,
            quotes: quotes::quotes(findings),
            caveats,
        };
    };
    let would_say = [shown, tasks_sentence].join(" ");
    let would_say = would_say.trim_end();
    caveats.insert(0, format!("What its numbers would say if they were to prove anything: {would_say}"));
    let sentence = format!("This run proves nothing. {}", sentence(reason));
    Conclusion {
        opening: vec![sentence.clone()],
        sentence,
        ordering: PaperOrdering::Open,
        ordering_sentence: if is_sweep {
            String::new()
        } else {
            "It does not show whether the paper's ordering holds.".into()
        },
        tasks_sentence: String::new(),
        quotes: Vec::new(),
        caveats,
    }
}

fn is_or_are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}
