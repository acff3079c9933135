//! Tables of comparisons.

use electra_analysis::{Comparison, Expectation, Findings, Test};

use super::{Names, against, level};
use crate::format::{MISSING, number, or_missing, p, percent, points, probability, range, signed};
use crate::sentences::{self, task_title};
use crate::table::{Cell, Table, table};

/// Where each arm stands, and how far from the first.
pub(crate) fn ranks(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let first = findings.ranks.first().map_or("", |rank| rank.arm.as_str());
    let rows = findings.ranks.iter().map(|rank| {
        let arm = findings.arms.iter().find(|arm| arm.facts.name == rank.arm);
        let pair = against(findings, &rank.arm, first);
        let to_first = |value: &dyn Fn(&Comparison) -> Option<String>| {
            Cell::Text(or_missing(pair.and_then(|(pair, _)| value(pair)), |text| text))
        };
        let sign = pair.map_or(1.0, |(_, sign)| sign);
        let ranks = match (rank.best, rank.worst) {
            (best, worst) if best == worst => best.to_string(),
            (best, worst) => format!("{best} to {worst}"),
        };
        vec![
            names.cell(&rank.arm),
            rank.rank.to_string().into(),
            or_missing(arm.and_then(|arm| arm.score.as_ref()), |score| points(score.mean)).into(),
            probability(rank.p_best).into(),
            ranks.into(),
            to_first(&|pair| Some(signed(sign * pair.difference?))),
            to_first(&|pair| Some(number(sign * pair.test.as_ref()?.effect, 2))),
        ]
    });
    let ranks = format!("#Ranks ({})", percent(findings.config.level));
    table(
        "Ranks of the objectives by their means.",
        &["Objective", "#Rank", "#Score", "#P(best)", &ranks, "#To first", "#Effect size"],
        rows.collect(),
    )
}

/// Each arm with each other.
pub(crate) fn pairs(findings: &Findings) -> Table {
    let rows = findings.pairs.iter().map(|pair| {
        let mut row = vec![Cell::Text(format!("{} − {}", findings.title(&pair.a), findings.title(&pair.b)))];
        row.extend(compared(pair));
        row
    });
    let interval = level(findings);
    let columns = [
        "Pair",
        "#Difference",
        "Verdict",
        &interval,
        "#p, corrected",
        "#Effect size",
        "#Degrees of freedom",
        "#Runs",
    ];
    let caption = "Difference of each pair in points: the first minus the second. The verdict is about the first. The effect size is the difference in standard deviations of a run.";
    table(caption, &columns, rows.collect())
}

/// Pairs by tasks.
pub(crate) fn pairs_by_task(findings: &Findings) -> Table {
    let titles: Vec<String> =
        findings.task_pairs.iter().map(|task| format!("#{}", task_title(findings, &task.task))).collect();
    let rows = findings.pairs.iter().enumerate().map(|(index, pair)| {
        let name = format!("{} − {}", findings.title(&pair.a), findings.title(&pair.b));
        let cells = findings.task_pairs.iter().map(|task| {
            let pair = task.pairs.get(index).filter(|pair| pair.verdict.is_judged());
            pair.map_or_else(
                || Cell::Text(MISSING.into()),
                |pair| Cell::Difference(or_missing(pair.difference, signed), pair.verdict),
            )
        });
        std::iter::once(Cell::Text(name)).chain(cells).collect()
    });
    let mut columns = vec!["Pair"];
    columns.extend(titles.iter().map(String::as_str));
    let caption = "Which pairs differ significantly on which task: differences in points, the first minus the second. A verdict, where there is one, is about the first.";
    table(caption, &columns, rows.collect())
}

pub(super) fn compared(pair: &Comparison) -> Vec<Cell> {
    let test = pair.test.as_ref();
    let cell = |value: fn(&Test) -> String| Cell::Text(or_missing(test, value));
    let (a, b) = pair.runs;
    vec![
        or_missing(pair.difference, signed).into(),
        Cell::Verdict(pair.verdict),
        cell(|test| range(test.interval)),
        cell(|test| p(test.p_adjusted)),
        cell(|test| number(test.effect, 2)),
        cell(|test| number(test.degrees, 1)),
        Cell::Text(if a == b { a.to_string() } else { format!("{a}, {b}") }),
    ]
}

/// Each control with its arm.
pub(crate) fn controls(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let rows = findings.controls.iter().map(|control| {
        let pair = &control.comparison;
        let expected = match sentences::expectation(findings, &pair.a) {
            Expectation::Same => "the same",
            Expectation::Worse => "worse",
            Expectation::Open => MISSING,
        };
        let mut row = vec![names.cell(&pair.a), names.cell(&pair.b)];
        let compared = compared(pair);
        row.extend([0, 2, 3, 6].map(|index: usize| compared[index].clone()));
        row.splice(
            2..2,
            [expected.to_owned().into(), Cell::Verdict(pair.verdict), Cell::Passed(control.passed)],
        );
        row
    });
    let interval = level(findings);
    let columns = [
        "Control",
        "Compared with",
        "Has to be",
        "Found",
        "Passed",
        "#Difference",
        &interval,
        "#p, corrected",
        "#Runs",
    ];
    table("Controls: what has to be found, and what the same rule finds.", &columns, rows.collect())
}

/// Each arm with the encoder from scratch.
pub(crate) fn scratch(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let rows = findings.scratch.iter().map(|pair| {
        let compared = compared(pair);
        let mut row = vec![names.cell(&pair.a)];
        row.extend([0, 1, 2, 3].map(|index: usize| compared[index].clone()));
        row
    });
    let interval = level(findings);
    let columns = ["Objective", "#Against no pre-training", "Verdict", &interval, "#p, corrected"];
    table("What pre-training is worth, in points.", &columns, rows.collect())
}
