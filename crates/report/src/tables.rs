//! The tables of the report.

use std::collections::BTreeSet;

use electra_analysis::{
    ArmFindings, Comparison, CurvePoint, Estimate, Expectation, Findings, Range, Role, RunFacts, Schedule,
    TaskFacts, Test, Verdict,
};

use crate::format::{
    MISSING, count, number, or_missing, p, percent, points, range, scientific, signed, time,
};
use crate::palette::{Style, styles};
use crate::sentences::{self, task_title};
use crate::series;
use crate::table::{Cell, Table, table};

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

fn level(findings: &Findings) -> String {
    format!("#{} interval", percent(findings.config.level))
}

/// The form of the paper's Table 5.
pub(crate) fn main(findings: &Findings) -> Table {
    let names = Names::new(findings);
    let baseline = &findings.plan.baseline;
    let against = format!("#Against {}", findings.title(baseline));
    let rows = findings.arms.iter().filter(|arm| arm.facts.role == Role::Arm).map(|arm| {
        let name = &arm.facts.name;
        let score = arm.score.as_ref();
        vec![
            names.cell(name),
            or_missing(score, |score| points(score.mean)).into(),
            or_missing(score.and_then(|score| score.interval), range).into(),
            or_missing(arm.above_chance.as_ref(), |score| points(score.mean)).into(),
            arm.seeds.len().to_string().into(),
            or_missing(arm.take_off.as_ref(), |counted| format!("{} of {}", counted.took_off, counted.runs))
                .into(),
            to_baseline(findings, name).into(),
            verdict_to_baseline(findings, name).map_or_else(|| MISSING.to_owned().into(), Cell::Verdict),
            or_missing(arm.facts.paper_glue, points).into(),
        ]
    });
    let caption = "Mean of the tasks × 100, in the form of the paper's Table 5. Above chance is the mean of (score − chance) / (1 − chance). The paper's numbers are of Base models on GLUE's development sets: compare their order, not their height.";
    table(
        caption,
        &[
            "Objective",
            "#Score",
            &level(findings),
            "#Above chance",
            "#Runs",
            "#Took off",
            &against,
            "Verdict",
            "#Paper",
        ],
        rows.collect(),
    )
}

/// The comparison with the baseline, and the sign that makes it the arm's.
fn with_baseline<'a>(findings: &'a Findings, name: &str) -> Option<(&'a Comparison, f64)> {
    let baseline = findings.plan.baseline.as_str();
    findings.pairs.iter().find_map(|pair| match (pair.a.as_str(), pair.b.as_str()) {
        (a, b) if a == name && b == baseline => Some((pair, 1.0)),
        (a, b) if b == name && a == baseline => Some((pair, -1.0)),
        _ => None,
    })
}

fn verdict_to_baseline(findings: &Findings, name: &str) -> Option<Verdict> {
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

fn compared(pair: &Comparison) -> Vec<Cell> {
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
