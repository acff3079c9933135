//! What a search tried for each arm, and where in it the choice stands.

use std::collections::BTreeSet;

use electra_analysis::{Findings, Trial};

use crate::format::{MISSING, or_missing, points};
use crate::table::{Cell, Table, table};
use crate::tables::Names;

/// The trials of an arm, in the order in which they were made.
pub(crate) struct Search<'a> {
    /// The arm's name.
    pub(crate) arm: &'a str,
    pub(crate) trials: Vec<&'a Trial>,
}

/// Where the chosen value of a setting stands among those that were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Lowest,
    Highest,
}

/// The searches, in the order of the trials.
pub(crate) fn searches(findings: &Findings) -> Vec<Search<'_>> {
    let mut searches: Vec<Search<'_>> = Vec::new();
    for trial in &findings.plan.trials {
        match searches.iter_mut().find(|search| search.arm == trial.arm) {
            Some(search) => search.trials.push(trial),
            None => searches.push(Search { arm: &trial.arm, trials: vec![trial] }),
        }
    }
    searches
}

impl<'a> Search<'a> {
    /// The settings of which the lowest or the highest number that was tried is chosen, with the value. A setting
    /// that was not varied has no edge.
    pub(crate) fn edges(&self) -> Vec<(&'a str, &'a str, Edge)> {
        let Some(chosen) = self.trials.iter().find(|trial| trial.chosen) else { return Vec::new() };
        let edge = |(key, value): (&'a String, &'a String)| {
            let tried = self.trials.iter().filter_map(|trial| trial.settings.get(key)?.parse::<f64>().ok());
            let (mut lower, mut higher) = (false, false);
            let number: f64 = value.parse().ok()?;
            for other in tried {
                lower |= other < number;
                higher |= other > number;
            }
            match (lower, higher) {
                (true, false) => Some((key.as_str(), value.as_str(), Edge::Highest)),
                (false, true) => Some((key.as_str(), value.as_str(), Edge::Lowest)),
                _ => None,
            }
        };
        chosen.settings.iter().filter_map(edge).collect()
    }
}

/// The last part of a full key: `optimizer.learning_rate` is a learning rate.
pub(crate) fn short(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).replace('_', " ")
}

/// Every trial; none without a search.
pub(crate) fn log(findings: &Findings) -> Option<Table> {
    let names = Names::new(findings);
    let keys: BTreeSet<&str> =
        findings.plan.trials.iter().flat_map(|trial| trial.settings.keys().map(String::as_str)).collect();
    let rows = searches(findings).into_iter().flat_map(|search| search.trials).map(|trial| {
        let mut row = vec![names.cell(&trial.arm)];
        row.extend(
            keys.iter()
                .map(|key| Cell::Text(trial.settings.get(*key).map_or(MISSING, String::as_str).into())),
        );
        let scores: Vec<f64> = trial.scores.iter().map(|score| 100.0 * score).collect();
        let mean = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
        let each: Vec<String> = scores.iter().copied().map(points).collect();
        row.push(or_missing(mean, points).into());
        row.push(if each.is_empty() { "failed".to_owned() } else { each.join(", ") }.into());
        row.push(if trial.chosen { Cell::Passed(Some(true)) } else { Cell::Text(String::new()) });
        row
    });
    let titles: Vec<String> = keys.iter().map(|key| format!("#{key}")).collect();
    let mut columns = vec!["Objective"];
    columns.extend(titles.iter().map(String::as_str));
    columns.extend(["#Score", "#Each run", "Chosen"]);
    (!findings.plan.trials.is_empty()).then(|| {
        table("Every trial: settings, and the mean of the search's tasks × 100.", &columns, rows.collect())
    })
}
