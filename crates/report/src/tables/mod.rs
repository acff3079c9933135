//! The tables of the report.

mod pairs;
mod runs;
pub(crate) mod sweep;

use std::collections::BTreeSet;

use electra_analysis::{ArmFindings, Comparison, Findings, Range, Role, RunFacts, TakeOff, Verdict};

use crate::format::{MISSING, count, or_missing, percent, points, range, scientific, signed, time};
use crate::palette::{Style, styles};
use crate::table::{Cell, Table, table};

pub(crate) use pairs::{controls, pairs, pairs_by_task, ranks, scratch};
pub(crate) use runs::{curve, diagnostics, runs, take_off, tasks};

/// Cells with arms' titles in their colours.
pub(crate) struct Names<'a>(Vec<Style<'a>>);

impl<'a> Names<'a> {
    pub(crate) fn new(findings: &'a Findings) -> Self {
        Self(styles(findings))
    }

    pub(crate) fn cell(&self, name: &str) -> Cell {
        let style = self.0.iter().find(|style| style.arm.facts.name == name);
        style.map_or_else(
            || Cell::Text(name.into()),
            |style| Cell::Arm(style.arm.facts.title.clone(), style.colour),
        )
    }
}

pub(crate) fn level(findings: &Findings) -> String {
    format!("#{} interval", percent(findings.config.level))
}

/// The interval of an arm's mean; none where some runs took off and some did not, as no interval of it is right.
pub(crate) fn one_interval(arm: &ArmFindings) -> Option<Range> {
    let is_mixture = arm.take_off.as_ref().is_some_and(TakeOff::is_in_part);
    arm.score.as_ref()?.interval.filter(|_| !is_mixture)
}

/// The form of the paper's Table 5. Without any arm of the paper's, its column is left out.
pub(crate) fn main(findings: &Findings) -> Table {
    let has_paper = findings.arms.iter().any(|arm| arm.facts.paper_glue.is_some());
    let names = Names::new(findings);
    let baseline = &findings.plan.baseline;
    let against = format!("#Against {}", findings.title(baseline));
    let rows = findings.arms.iter().filter(|arm| arm.facts.role == Role::Arm).map(|arm| {
        let name = &arm.facts.name;
        let score = arm.score.as_ref();
        let mut row: Vec<Cell> = vec![
            names.cell(name),
            or_missing(score, |score| points(score.mean)).into(),
            or_missing(one_interval(arm), range).into(),
            or_missing(arm.above_chance.as_ref(), |score| points(score.mean)).into(),
            arm.seeds.len().to_string().into(),
            or_missing(arm.take_off.as_ref(), |counted| format!("{} of {}", counted.took_off, counted.runs))
                .into(),
            to_baseline(findings, name).into(),
            verdict_to_baseline(findings, name).map_or_else(|| MISSING.to_owned().into(), Cell::Verdict),
        ];
        row.extend(has_paper.then(|| or_missing(arm.facts.paper_glue, points).into()));
        row
    });
    let interval = level(findings);
    let mut columns =
        vec!["Objective", "#Score", &interval, "#Above chance", "#Runs", "#Took off", &against, "Verdict"];
    let above = "Above chance is the mean of (score − chance) / (1 − chance).";
    let caption = if has_paper {
        columns.push("#Paper");
        format!(
            "Mean of the tasks × 100, in the form of the paper's Table 5. {above} The paper's numbers are of Base models on GLUE's development sets: compare their order, not their height."
        )
    } else {
        format!("Mean of the tasks × 100. {above}")
    };
    table(&caption, &columns, rows.collect())
}

/// The comparison of an arm with another, and the sign that makes it the arm's.
fn against<'a>(findings: &'a Findings, name: &str, other: &str) -> Option<(&'a Comparison, f64)> {
    findings.pairs.iter().find_map(|pair| match (pair.a.as_str(), pair.b.as_str()) {
        (a, b) if a == name && b == other => Some((pair, 1.0)),
        (a, b) if b == name && a == other => Some((pair, -1.0)),
        _ => None,
    })
}

fn with_baseline<'a>(findings: &'a Findings, name: &str) -> Option<(&'a Comparison, f64)> {
    against(findings, name, &findings.plan.baseline)
}

pub(crate) fn verdict_to_baseline(findings: &Findings, name: &str) -> Option<Verdict> {
    let (pair, sign) = with_baseline(findings, name)?;
    Some(if sign < 0.0 { pair.verdict.turned() } else { pair.verdict })
}

fn to_baseline(findings: &Findings, name: &str) -> String {
    let Some((pair, sign)) = with_baseline(findings, name) else { return MISSING.into() };
    let interval = pair.test.as_ref().map(|test| test.interval);
    let interval = interval.map(|interval| if sign < 0.0 { interval.turned() } else { interval });
    let interval = interval.map_or_else(String::new, |interval| format!(" ({})", range(interval)));
    or_missing(pair.difference, |difference| format!("{}{interval}", signed(sign * difference)))
}

/// What each arm cost.
pub(crate) fn cost(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let rows = findings.arms.iter().map(|arm| {
        let mean = |value: fn(&RunFacts) -> f64, write: fn(f64) -> String| -> Cell {
            let values: Vec<f64> = arm.runs.iter().map(value).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            if values.is_empty() { MISSING.to_owned().into() } else { write(mean).into() }
        };
        vec![
            names.cell(&arm.facts.name),
            mean(|run| run.steps as f64, count),
            mean(|run| run.tokens as f64, scientific),
            mean(|run| run.flops_paper, scientific),
            mean(|run| run.flops_executed, scientific),
            mean(|run| run.seconds, time),
        ]
    });
    let caption = "One pre-training run, as a mean over seeds. FLOPs are counted as the paper's program does, and as they were executed.";
    table(
        caption,
        &["Objective", "#Steps", "#Tokens", "#FLOPs (paper)", "#FLOPs (executed)", "#Time"],
        rows.collect(),
    )
}

/// The settings in which arms may differ.
pub(crate) fn settings(findings: &Findings) -> Option<Table> {
    let names = Names::new(findings);
    let keys: BTreeSet<&str> =
        findings.arms.iter().flat_map(|arm| arm.facts.settings.keys().map(String::as_str)).collect();
    let rows = findings.arms.iter().map(|arm| {
        let mut row = vec![names.cell(&arm.facts.name)];
        row.extend(
            keys.iter()
                .map(|key| Cell::Text(arm.facts.settings.get(*key).map_or(MISSING, String::as_str).into())),
        );
        row
    });
    let titles: Vec<String> = keys.iter().map(|key| format!("#{key}")).collect();
    let mut columns = vec!["Objective"];
    columns.extend(titles.iter().map(String::as_str));
    (!keys.is_empty())
        .then(|| table("Settings in which the objectives may differ.", &columns, rows.collect()))
}
