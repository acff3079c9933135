//! The tables, for whichever form they are written in.

use std::collections::BTreeSet;

use crate::chart;
use crate::format::{
    MISSING, count, detectable, number, or_missing, p, percent, points, range, scientific, signed, time,
};
use crate::results::Test;
use crate::{
    ArmResult, Comparison, CurvePoint, Estimate, Expectation, Range, Results, Role, RunFacts, Schedule,
    TaskFacts, Verdict,
};

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A column's headline, and whether numbers stand in it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) numeric: bool,
}

/// A cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Text(String),
    /// An arm's title with the class of its colour.
    Arm(String, &'static str),
    Verdict(Verdict),
    /// A difference, marked by the verdict on it if there is one either way.
    Difference(String, Verdict),
    /// Whether something came out.
    Passed(Option<bool>),
    /// To be copied as it is.
    Code(String),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// As the report writes a verdict.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NotDistinguishable => "not distinguishable",
        Verdict::NoVerdict => "no verdict",
    }
}

/// A difference with the word of its verdict, if that is one either way.
pub(crate) fn difference(difference: &str, of: Verdict) -> String {
    match of {
        Verdict::Better | Verdict::Worse => format!("{} {difference}", verdict(of)),
        Verdict::NotDistinguishable | Verdict::NoVerdict => difference.into(),
    }
}

/// As the report writes whether a control came out.
pub(crate) fn passed(passed: Option<bool>) -> &'static str {
    match passed {
        Some(true) => "yes",
        Some(false) => "no",
        None => MISSING,
    }
}

/// A headline that begins with # is that of numbers.
pub(crate) fn table(caption: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    let column = |title: &&str| {
        let (numeric, title) = title.strip_prefix('#').map_or((false, *title), |title| (true, title));
        Column { title: title.into(), numeric }
    };
    Table { caption: caption.into(), columns: columns.iter().map(column).collect(), rows }
}

/// The arms' names in their colours.
pub(crate) struct Names<'a>(Vec<chart::Style<'a>>);

impl<'a> Names<'a> {
    pub(crate) fn new(results: &'a Results) -> Self {
        Self(chart::styles(results))
    }

    pub(crate) fn cell(&self, name: &str) -> Cell {
        let style = self.0.iter().find(|style| style.arm.facts.name == name);
        style.map_or_else(
            || Cell::Text(name.into()),
            |style| Cell::Arm(style.arm.facts.title.clone(), style.colour),
        )
    }
}

fn level(results: &Results) -> String {
    format!("#{} interval", percent(results.config.level))
}

/// The form of the paper's Table 5.
pub(crate) fn main(results: &Results) -> Table {
    let names = Names::new(results);
    let baseline = &results.plan.baseline;
    let against = format!("#Against {}", results.title(baseline));
    let rows = results.arms.iter().filter(|arm| arm.facts.role == Role::Arm).map(|arm| {
        let name = &arm.facts.name;
        let score = arm.score.as_ref();
        vec![
            names.cell(name),
            or_missing(score, |score| points(score.mean)).into(),
            or_missing(score.and_then(|score| score.interval), range).into(),
            arm.seeds.len().to_string().into(),
            to_baseline(results, name).into(),
            verdict_to_baseline(results, name).map_or_else(|| MISSING.to_owned().into(), Cell::Verdict),
            or_missing(arm.facts.paper_glue, points).into(),
        ]
    });
    let caption = "Mean of the tasks × 100, in the form of the paper's Table 5. The paper's numbers are of Base models on GLUE's development sets: compare their order, not their height.";
    table(
        caption,
        &["Objective", "#Score", &level(results), "#Seeds", &against, "Verdict", "#Paper"],
        rows.collect(),
    )
}

/// The comparison with the baseline, and the sign that makes it the arm's.
fn with_baseline<'a>(results: &'a Results, name: &str) -> Option<(&'a Comparison, f64)> {
    let baseline = results.plan.baseline.as_str();
    results.pairs.iter().find_map(|pair| match (pair.a.as_str(), pair.b.as_str()) {
        (a, b) if a == name && b == baseline => Some((pair, 1.0)),
        (a, b) if b == name && a == baseline => Some((pair, -1.0)),
        _ => None,
    })
}

fn verdict_to_baseline(results: &Results, name: &str) -> Option<Verdict> {
    with_baseline(results, name).map(|(pair, sign)| match pair.verdict {
        Verdict::Better if sign < 0.0 => Verdict::Worse,
        Verdict::Worse if sign < 0.0 => Verdict::Better,
        verdict => verdict,
    })
}

fn to_baseline(results: &Results, name: &str) -> String {
    let Some((pair, sign)) = with_baseline(results, name) else { return MISSING.into() };
    let interval = pair.test.as_ref().map(|test| turned(test.interval, sign));
    let interval = interval.map_or_else(String::new, |interval| format!(" ({})", range(interval)));
    or_missing(pair.difference, |difference| format!("{}{interval}", signed(sign * difference)))
}

fn turned(interval: Range, sign: f64) -> Range {
    if sign > 0.0 { interval } else { Range { low: -interval.high, high: -interval.low } }
}

/// What each arm cost.
pub(crate) fn cost(results: &Results) -> Table {
    let names = Names::new(results);
    let rows = results.arms.iter().map(|arm| {
        let of = |value: fn(&RunFacts) -> f64, write: fn(f64) -> String| -> Cell {
            let values: Vec<f64> = arm.runs.iter().map(value).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            if values.is_empty() { MISSING.to_owned().into() } else { write(mean).into() }
        };
        vec![
            names.cell(&arm.facts.name),
            of(|run| run.steps as f64, count),
            of(|run| run.tokens as f64, scientific),
            of(|run| run.flops_paper, scientific),
            of(|run| run.flops_executed, scientific),
            of(|run| run.seconds, time),
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
pub(crate) fn pairs(results: &Results) -> Table {
    let rows = results.pairs.iter().map(|pair| {
        let mut row = vec![Cell::Text(format!("{} − {}", results.title(&pair.a), results.title(&pair.b)))];
        row.extend(compared(pair));
        row
    });
    let interval = level(results);
    let columns = [
        "Pair",
        "#Difference",
        "Verdict",
        &interval,
        "#… with examples",
        "#p, Holm",
        "#p, sign‑flip",
        "#Detectable",
        "#Seeds needed",
    ];
    let caption =
        "Difference of each pair in points: the first less the second. The verdict is on the first.";
    table(caption, &columns, rows.collect())
}

fn compared(pair: &Comparison) -> Vec<Cell> {
    let test = pair.test.as_ref();
    let of = |value: fn(&Test) -> Option<String>| Cell::Text(or_missing(test.and_then(value), |text| text));
    vec![
        or_missing(pair.difference, signed).into(),
        Cell::Verdict(pair.verdict),
        of(|test| Some(range(test.interval))),
        of(|test| test.bootstrap.map(range)),
        of(|test| Some(p(test.p_holm))),
        of(|test| test.p_sign_flip.map(p)),
        of(|test| Some(detectable(test.detectable))),
        Cell::Text(or_missing(test, |test| or_beyond(test.seeds_needed))),
    ]
}

fn or_beyond(seeds: Option<usize>) -> String {
    seeds.map_or_else(|| "> 1,000".into(), |seeds| seeds.to_string())
}

/// Each control with its arm.
pub(crate) fn controls(results: &Results) -> Table {
    let names = Names::new(results);
    let rows = results.controls.iter().map(|control| {
        let pair = &control.comparison;
        let arm = results.arms.iter().find(|arm| arm.facts.name == pair.a);
        let expected = match arm.map(|arm| &arm.facts.role) {
            Some(Role::Control { expects: Expectation::Same, .. }) => "the same",
            Some(Role::Control { expects: Expectation::Worse, .. }) => "worse",
            _ => MISSING,
        };
        let mut row = vec![names.cell(&pair.a), names.cell(&pair.b)];
        let compared = compared(pair);
        row.extend([0, 2, 4, 6].map(|index: usize| compared[index].clone()));
        row.splice(
            2..2,
            [expected.to_owned().into(), Cell::Verdict(pair.verdict), Cell::Passed(control.passed)],
        );
        row
    });
    let interval = level(results);
    let columns = [
        "Control",
        "Compared with",
        "Has to be",
        "Found",
        "Came out",
        "#Difference",
        &interval,
        "#p, Holm",
        "#Detectable",
    ];
    table("Controls: what is known beforehand, and what the same rule says of it.", &columns, rows.collect())
}

/// Each arm with the encoder from scratch.
pub(crate) fn scratch(results: &Results) -> Table {
    let names = Names::new(results);
    let rows = results.scratch.iter().map(|pair| {
        let compared = compared(pair);
        let mut row = vec![names.cell(&pair.a)];
        row.extend([0, 1, 2, 3, 4].map(|index: usize| compared[index].clone()));
        row
    });
    let interval = level(results);
    let columns =
        ["Objective", "#Against no pre-training", "Verdict", &interval, "#… with examples", "#p, Holm"];
    table("What pre-training is worth, in points.", &columns, rows.collect())
}

/// Score by compute.
pub(crate) fn curve(results: &Results) -> Table {
    let names = Names::new(results);
    let rows = results.arms.iter().filter(|arm| arm.curve.len() > 1).flat_map(|arm| {
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
                point.score.seeds.to_string().into(),
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
pub(crate) fn tasks(results: &Results) -> Table {
    let names = Names::new(results);
    let titles: Vec<String> =
        results.tasks.iter().map(|task| format!("#{} ({})", task.title, task.metric.name())).collect();
    let cells = |value: &dyn Fn(&str) -> Option<String>| -> Vec<Cell> {
        results.tasks.iter().map(|task| or_missing(value(&task.name), |text| text).into()).collect()
    };
    let of_arm = |arm: &ArmResult| {
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
    let mut rows: Vec<Vec<Cell>> = results.arms.iter().map(of_arm).collect();
    let mut reference = |name: &str, value: fn(&TaskFacts) -> Option<f64>| {
        if results.tasks.iter().any(|task| value(task).is_some()) {
            let of_task = |task: &TaskFacts| or_missing(value(task), |value| points(100.0 * value)).into();
            let mut row = vec![Cell::Text(name.into())];
            row.extend(results.tasks.iter().map(of_task));
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
pub(crate) fn runs(results: &Results) -> Table {
    let names = Names::new(results);
    let titles: Vec<String> = results.tasks.iter().map(|task| format!("#{}", task.title)).collect();
    let rows = results.arms.iter().flat_map(|arm| {
        let names = &names;
        arm.runs.iter().map(move |run| {
            let scored = arm.seeds.iter().find(|seed| seed.seed == run.seed);
            let mut row = vec![names.cell(&arm.facts.name), run.seed.to_string().into()];
            row.extend(results.tasks.iter().map(|task| {
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
pub(crate) fn diagnostics(results: &Results) -> Table {
    let names = chart::names(results);
    let arms: Vec<&ArmResult> =
        results.arms.iter().filter(|arm| arm.runs.iter().any(|run| !run.diagnostics.is_empty())).collect();
    let rows = names.iter().map(|name| {
        let mut row = vec![Cell::Text(chart::title_of(name).into())];
        row.extend(arms.iter().map(|arm| {
            let last = chart::binned(arm, name).pop();
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
pub(crate) fn settings(results: &Results) -> Option<Table> {
    let names = Names::new(results);
    let keys: BTreeSet<&str> =
        results.arms.iter().flat_map(|arm| arm.facts.settings.keys().map(String::as_str)).collect();
    let rows = results.arms.iter().map(|arm| {
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

/// Names and values.
pub(crate) fn facts(caption: &str, facts: Vec<(String, Cell)>) -> Table {
    table(caption, &["", ""], facts.into_iter().map(|(name, value)| vec![Cell::Text(name), value]).collect())
}
