//! Tables of runs: which took off, their scores by compute and by task, their diagnostics.

use electra_analysis::{ArmFindings, CurvePoint, Estimate, Findings, Range, Schedule, TaskFacts};

use super::{Names, level};
use crate::format::{MISSING, count, number, or_missing, percent, points, range, scientific, time};
use crate::table::{Cell, Table, table};
use crate::{sentences, series};

/// Which runs took off.
pub(crate) fn take_off(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let rows = findings.arms.iter().filter_map(|arm| {
        let counted = arm.take_off.as_ref()?;
        let or_dash = |seeds: String| Cell::Text(if seeds.is_empty() { MISSING.into() } else { seeds });
        let share = Range { low: 100.0 * counted.share.low, high: 100.0 * counted.share.high };
        Some(vec![
            names.cell(&arm.facts.name),
            format!("{} of {}", counted.took_off, counted.runs).into(),
            format!("{} to {} %", number(share.low, 0), number(share.high, 0)).into(),
            or_dash(sentences::seeds(arm, findings, true)),
            or_dash(sentences::seeds(arm, findings, false)),
            or_missing(counted.score.as_ref(), |score| points(score.mean)).into(),
        ])
    });
    table(
        "Runs that took off, by seed; the others did not. The score is of those that did. The interval is of the share of runs that do (Clopper and Pearson's, exact).",
        &["Objective", "#Took off", &level(findings), "Seeds", "Other seeds", "#Score"],
        rows.collect(),
    )
}

/// Score by compute.
pub(crate) fn curve(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let rows = findings.arms.iter().filter(|arm| arm.curve.len() > 1).flat_map(|arm| {
        let names = &names;
        // The end of the budget is on both curves, and once in the table.
        let truncated = arm.curve[0].schedule == Schedule::Truncated;
        let again =
            move |point: &&CurvePoint| truncated && point.schedule == Schedule::Own && point.share >= 1.0;
        arm.curve.iter().filter(move |point| !again(point)).map(move |point| {
            let schedule = match point.schedule {
                _ if point.share >= 1.0 => "the end",
                Schedule::Truncated => "truncated",
                Schedule::Own => "own",
            };
            vec![
                names.cell(&arm.facts.name),
                schedule.to_owned().into(),
                percent(point.share).into(),
                count(point.step).into(),
                scientific(point.flops_paper).into(),
                scientific(point.flops_executed).into(),
                points(point.score.mean).into(),
                spread(&point.score).into(),
                point.score.runs.to_string().into(),
            ]
        })
    });
    let columns = [
        "Objective",
        "Schedule",
        "#Share",
        "#Step",
        "#FLOPs (paper)",
        "#FLOPs (executed)",
        "#Score",
        "#Lowest to highest",
        "#Seeds",
    ];
    table("Score by compute.", &columns, rows.collect())
}

fn spread(score: &Estimate) -> String {
    range(Range { low: score.min, high: score.max })
}

/// Every task.
pub(crate) fn tasks(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let titles: Vec<String> =
        findings.tasks.iter().map(|task| format!("#{} ({})", task.title, task.metric.name())).collect();
    let cells = |value: &dyn Fn(&str) -> Option<String>| -> Vec<Cell> {
        findings.tasks.iter().map(|task| or_missing(value(&task.name), |text| text).into()).collect()
    };
    let of_arm = |arm: &ArmFindings| {
        let mut row = vec![names.cell(&arm.facts.name)];
        row.extend(cells(&|task| {
            let estimate = arm.tasks.get(task)?;
            let spread = estimate
                .standard_deviation
                .map_or_else(String::new, |spread| format!(" ± {}", points(spread)));
            Some(format!("{}{spread}", points(estimate.mean)))
        }));
        row.push(or_missing(arm.score.as_ref(), |score| points(score.mean)).into());
        row
    };
    let mut rows: Vec<Vec<Cell>> = findings.arms.iter().map(of_arm).collect();
    let mut reference = |name: &str, value: fn(&TaskFacts) -> Option<f64>| {
        if findings.tasks.iter().any(|task| value(task).is_some()) {
            let of_task = |task: &TaskFacts| or_missing(value(task), |value| points(100.0 * value)).into();
            let mut row = vec![Cell::Text(name.into())];
            row.extend(findings.tasks.iter().map(of_task));
            row.push(MISSING.to_owned().into());
            rows.push(row);
        }
    };
    reference("Chance", |task| task.chance);
    reference("Best constant answer", |task| task.majority);
    let mut columns = vec!["Objective"];
    columns.extend(titles.iter().map(String::as_str));
    columns.push("#Mean");
    table("Each task × 100: mean and standard deviation over pre-training seeds.", &columns, rows)
}

/// Every run.
pub(crate) fn runs(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let titles: Vec<String> = findings.tasks.iter().map(|task| format!("#{}", task.title)).collect();
    let rows = findings.arms.iter().flat_map(|arm| {
        let names = &names;
        arm.runs.iter().map(move |run| {
            let scored = arm.seeds.iter().find(|seed| seed.arm == run.arm && seed.seed == run.seed);
            let mut row = vec![names.cell(&arm.facts.name), run.seed.to_string().into()];
            row.extend(findings.tasks.iter().map(|task| {
                Cell::Text(or_missing(scored.and_then(|seed| seed.tasks.get(&task.name)), |score| {
                    points(*score)
                }))
            }));
            row.push(or_missing(scored, |seed| points(seed.score)).into());
            row.push(time(run.seconds).into());
            row
        })
    });
    let mut columns = vec!["Objective", "#Seed"];
    columns.extend(titles.iter().map(String::as_str));
    columns.extend(["#Mean", "#Pre-training"]);
    table("Every run × 100: the median over fine-tuning seeds.", &columns, rows.collect())
}

/// The last values of the diagnostics.
pub(crate) fn diagnostics(findings: &Findings) -> Table {
    let names = series::names(findings);
    let arms: Vec<&ArmFindings> =
        findings.arms.iter().filter(|arm| arm.runs.iter().any(|run| !run.diagnostics.is_empty())).collect();
    let rows = names.iter().map(|name| {
        let mut row = vec![Cell::Text(series::title(name).into())];
        row.extend(arms.iter().map(|arm| {
            let last = series::binned(arm, name).pop();
            Cell::Text(or_missing(last, |bin| number(bin.mean, 3)))
        }));
        row
    });
    let titles: Vec<String> = arms.iter().map(|arm| format!("#{}", arm.facts.title)).collect();
    let mut columns = vec!["Diagnostic"];
    columns.extend(titles.iter().map(String::as_str));
    table("The last values, as a mean over seeds.", &columns, rows.collect())
}
