//! Tables of the score against a setting.

use electra_analysis::{ArmFindings, Findings, Sweep, SweepDifference};

use super::pairs::compared;
use super::{level, one_interval};
use crate::format::{MISSING, or_missing, percent, points, range, size};
use crate::sentences;
use crate::table::{Cell, Table, table};

/// Means with their intervals, a row for each value.
pub(crate) fn means(findings: &Findings, sweep: &Sweep<'_>) -> Table {
    let titles = sweep.series.iter().map(|series| format!("#{}", sentences::series(findings, sweep, series)));
    let titles: Vec<String> = titles.collect();
    let setting = sentences::setting(sweep);
    let mut columns = vec![setting.as_str()];
    columns.extend(titles.iter().map(String::as_str));
    let row = |value: &f64| {
        let mean = |arms: &[(f64, &ArmFindings)]| {
            let (_, arm) = arms.iter().find(|(of_arm, _)| of_arm == value)?;
            let interval =
                one_interval(arm).map_or_else(String::new, |interval| format!(" ({})", range(interval)));
            Some(format!("{}{interval}", points(arm.score.as_ref()?.mean)))
        };
        let means = sweep.series.iter().map(|series| Cell::Text(or_missing(mean(&series.arms), |text| text)));
        std::iter::once(Cell::Text(size(*value))).chain(means).collect()
    };
    let caption = format!(
        "Mean of the tasks × 100, with the {} interval of each mean.",
        percent(findings.config.level)
    );
    table(&caption, &columns, sweep.values.iter().map(row).collect())
}

/// Differences of objectives at each value.
pub(crate) fn differences(findings: &Findings, sweep: &Sweep<'_>) -> Table {
    let row = |difference: &SweepDifference<'_>| {
        let (a, b) = sentences::objectives(findings, difference.pair);
        let mut row = vec![
            Cell::Text(size(difference.value)),
            Cell::Text(sentences::matched(difference.equal).into()),
            Cell::Text(format!("{a} − {b}")),
        ];
        let compared = compared(difference.pair);
        row.extend(
            [0, 1, 2, 3, 6]
                .map(|cell: usize| compared.get(cell).cloned().unwrap_or(Cell::Text(MISSING.into()))),
        );
        row
    };
    let (setting, interval) = (sentences::setting(sweep), level(findings));
    let columns = [&*setting, "Equal", "Pair", "#Difference", "Verdict", &interval, "#p, corrected", "#Runs"];
    let caption = format!(
        "Differences in points: the first objective minus the second. The verdict is about the first. The intervals hold together over all {} pairs that {}.",
        findings.pairs.len(),
        if findings.config.pairs.is_empty() { "the arms make" } else { "the plan names" }
    );
    table(&caption, &columns, sweep.differences.iter().map(row).collect())
}
