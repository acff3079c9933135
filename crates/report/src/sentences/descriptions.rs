//! Charts in words, for who cannot see them.

use electra_analysis::{ArmFindings, Comparison, CurvePoint, Estimate, Findings, TaskFacts};

use super::sections::verdict;
use crate::format::{percent, plural, points, signed};

/// The scores of arms.
pub(crate) fn describe_scores(scored: &[(&ArmFindings, &Estimate)]) -> String {
    let said = scored.iter().map(|(arm, score)| {
        let (low, high, runs) = (points(score.min), points(score.max), plural(score.runs, "run"));
        format!("{} {} ({low} to {high}, {runs})", arm.facts.title, points(score.mean))
    });
    let said: Vec<String> = said.collect();
    format!("Mean of tasks times 100, one mark a run, with mean and interval: {}.", said.join("; "))
}

/// The differences of pairs.
pub(crate) fn describe_differences(findings: &Findings, pairs: &[&Comparison]) -> String {
    let said = pairs.iter().map(|pair| {
        let difference = pair.difference.map_or_else(String::new, signed);
        let (a, b) = (findings.title(&pair.a), findings.title(&pair.b));
        format!("{a} minus {b} {difference}, {}", verdict(pair.verdict))
    });
    let said: Vec<String> = said.collect();
    format!("Differences in points with their intervals: {}.", said.join("; "))
}

/// Scores by compute.
pub(crate) fn describe_curves(curves: &[(&ArmFindings, &[&CurvePoint])]) -> String {
    let said = curves.iter().map(|(arm, curve)| {
        let said = |point: &&CurvePoint| format!("{} at {}", points(point.score.mean), percent(point.share));
        format!("{}: {}", arm.facts.title, curve.iter().map(said).collect::<Vec<_>>().join(", "))
    });
    let said: Vec<String> = said.collect();
    format!(
        "Lines of the mean over the same seeds throughout; bands from the lowest to the highest seed. {}.",
        said.join(". ")
    )
}

/// Scores by task.
pub(crate) fn describe_tasks(tasks: &[&TaskFacts]) -> String {
    let titles: Vec<&str> = tasks.iter().map(|task| task.title.as_str()).collect();
    format!(
        "One panel a task, one row an objective, one mark a seed: {}. The table has the numbers.",
        titles.join(", ")
    )
}

/// Diagnostics by their titles.
pub(crate) fn describe_diagnostics(titles: &[&str]) -> String {
    format!(
        "One panel a diagnostic over the steps of training, one line an objective: {}. The table has the last values.",
        titles.join(", ")
    )
}

/// Learning curves by their titles.
pub(crate) fn describe_learning(titles: &[&str]) -> String {
    format!("Thin lines over the share of the budget, one a run: {}.", titles.join(", "))
}
