//! Families of scores beside the study's own.

use std::collections::BTreeSet;

use electra_analysis::{Findings, Role};

use crate::format::{MISSING, or_missing, points, range};
use crate::sentences::task_title;
use crate::table::{Cell, Table, table};
use crate::tables::{Names, level, verdict_to_baseline};

/// Every arm's score of a family, and of each of its tasks, with the verdict against the baseline.
pub(crate) fn scores(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let scored: BTreeSet<&String> = findings.arms.iter().flat_map(|arm| arm.tasks.keys()).collect();
    let tasks: Vec<&str> = findings
        .tasks
        .iter()
        .map(|task| &task.name)
        .filter(|name| scored.contains(name))
        .map(|name| &**name)
        .collect();
    let rows = findings.arms.iter().map(|arm| {
        let score = arm.score.as_ref();
        let verdict = verdict_to_baseline(findings, &arm.facts.name).filter(|_| arm.facts.role == Role::Arm);
        let mut row = vec![
            names.cell(&arm.facts.name),
            or_missing(score, |score| points(score.mean)).into(),
            or_missing(score.and_then(|score| score.interval), range).into(),
            verdict.map_or_else(|| MISSING.to_owned().into(), Cell::Verdict),
        ];
        let of_task = |task: &&str| or_missing(arm.tasks.get(*task), |score| points(score.mean)).into();
        row.extend(tasks.iter().map(of_task));
        row
    });
    let interval = level(findings);
    let verdict = format!("Against {}", findings.title(&findings.plan.baseline));
    let mut header = vec!["Objective".to_owned(), "#Score".into(), interval, verdict];
    header.extend(tasks.iter().map(|task| format!("#{}", task_title(findings, task))));
    let caption =
        "Means over runs × 100 at the end of the budget; the score is the mean of the columns to the right.";
    table(caption, &header.iter().map(String::as_str).collect::<Vec<_>>(), rows.collect())
}
