//! Single tasks.

use electra_analysis::{Comparison, Findings, TaskComparisons, Test};

use super::arms::{names, reach};
use super::is_or_are;
use crate::format::{list, plural, word};
use crate::groups::{Group, groups, judged, judged_arms};

/// With more clauses than these the sentence on tasks counts, and the table says which.
const MOST_CLAUSES: usize = 8;

/// A task's title, or the name itself if no task has it.
pub(crate) fn task_title<'a>(findings: &'a Findings, name: &'a str) -> &'a str {
    findings.tasks.iter().find(|facts| facts.name == name).map_or(name, |facts| &facts.title)
}

/// The pairs of all tasks on which an interval decides.
fn judged_on_tasks(findings: &Findings) -> Vec<(&Comparison, &Test)> {
    findings.task_pairs.iter().flat_map(|task| judged(&task.pairs)).collect()
}

/// What single tasks show; empty if there is no verdict on any.
pub(super) fn on_tasks(findings: &Findings) -> String {
    let judged = judged_on_tasks(findings);
    if judged.is_empty() {
        return String::new();
    }
    let comparisons = plural(judged.len(), "comparison");
    let start = format!("Of {comparisons} on single tasks, with a correction of their own,");
    let apart = |task: &TaskComparisons| task.pairs.iter().filter(|pair| pair.verdict.is_apart()).count();
    let counts: Vec<(&str, usize)> = findings
        .task_pairs
        .iter()
        .map(|task| (task_title(findings, &task.task), apart(task)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    if all == 0 {
        return format!("{start} none is significant: {}.", reach(&judged, findings.config.level));
    }
    let clauses: Vec<Vec<String>> = findings.task_pairs.iter().map(|task| on_task(findings, task)).collect();
    let which = if clauses.iter().map(Vec::len).sum::<usize>() > MOST_CLAUSES {
        let counts: Vec<String> = counts.iter().map(|(title, count)| format!("{count} on {title}")).collect();
        format!("{}; the table under \"Task by task\" says which", list(&counts))
    } else {
        let on = |(task, clauses): (&TaskComparisons, &Vec<String>)| {
            let said = clauses.join(", and ");
            (!said.is_empty()).then(|| format!("on {}, {said}", task_title(findings, &task.task)))
        };
        findings.task_pairs.iter().zip(&clauses).filter_map(on).collect::<Vec<_>>().join("; ")
    };
    format!("{start} {} {} significant: {which}.", word(all), is_or_are(all))
}

/// The verdicts on a task, in clauses.
fn on_task(findings: &Findings, task: &TaskComparisons) -> Vec<String> {
    let all = judged_arms(findings, task).len();
    let titles =
        |names: &[&str]| names.iter().map(|name| findings.title(name).to_owned()).collect::<Vec<_>>();
    let clause = |group: Group<'_>| {
        let (arms, others) = (titles(&group.arms), titles(&group.others));
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let side = if group.above { "above" } else { "below" };
        format!("{} {} {side} {}", list(&arms), is_or_are(arms.len()), names(&others, all))
    };
    groups(findings, task).into_iter().map(clause).collect()
}

/// The paragraph under the table of pairs by task; none if there is no verdict on any.
pub(crate) fn rule_on_tasks(findings: &Findings) -> Option<String> {
    let judged = judged_on_tasks(findings).len();
    let all: usize = findings.task_pairs.iter().map(|task| task.pairs.len()).sum();
    if judged == 0 {
        return None;
    }
    let dash = if judged < all {
        " A dash is a pair without enough runs, or of which not all took off."
    } else {
        ""
    };
    Some(format!(
        "The rule is that of the mean, with the noise and the predictions of the task alone. The intervals hold together over all {all} comparisons of this table, apart from those of the mean: do not mix the two families.{dash}"
    ))
}
