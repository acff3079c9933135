//! How settings were chosen.

use electra_analysis::Findings;

use crate::format::{list, plural, sentence};
use crate::trials::{Edge, Search, searches, short};

/// How settings were chosen, how many trials each arm had, and whether a choice stands at an edge of what was tried.
pub(crate) fn settings_chosen(findings: &Findings) -> Vec<String> {
    let searches = searches(findings);
    let mut text = vec![sentence(&findings.plan.settings_chosen)];
    if !searches.is_empty() {
        text.push(format!("{} {}", counts(findings, &searches), edges(findings, &searches)));
    }
    text
}

/// How many trials each arm had.
fn counts(findings: &Findings, searches: &[Search<'_>]) -> String {
    let count = |search: &Search<'_>| {
        let runs: Vec<usize> = search.trials.iter().map(|trial| trial.scores.len()).collect();
        let most = runs.iter().max().copied().unwrap_or(0);
        let trials = plural(search.trials.len(), "trial");
        (trials, format!("with {} each", plural(most, "run")))
    };
    let counted: Vec<(String, String)> = searches.iter().map(count).collect();
    let after = "These runs chose the settings and are in none of the scores above.";
    let (first, runs) = &counted[0];
    if counted.iter().all(|other| other == &counted[0]) {
        let who = if searches.len() == 1 { findings.title(searches[0].arm) } else { "Each objective" };
        return format!("{who} had {first}, {runs}. {after}");
    }
    let same_runs = counted.iter().all(|(_, other)| other == runs);
    let each = searches.iter().zip(&counted).map(|(search, (trials, runs))| {
        let runs = if same_runs { String::new() } else { format!(" {runs}") };
        format!("{} {trials}{runs}", findings.title(search.arm))
    });
    let each = list(&each.collect::<Vec<_>>());
    let all = if same_runs { format!(", {runs}") } else { String::new() };
    format!("Not all had as many trials: {each}{all}. {after}")
}

/// Whether a choice stands at an edge of what was tried.
fn edges(findings: &Findings, searches: &[Search<'_>]) -> String {
    let at_edge = searches.iter().flat_map(|search| {
        search.edges().into_iter().map(move |(key, value, edge)| {
            let side = if edge == Edge::Lowest { "lowest" } else { "highest" };
            format!("{} ({} {value}, the {side})", findings.title(search.arm), short(key))
        })
    });
    let at_edge: Vec<String> = at_edge.collect();
    let lost: Vec<&str> = searches
        .iter()
        .filter(|search| !search.trials.iter().any(|trial| trial.chosen))
        .map(|search| findings.title(search.arm))
        .collect();
    let lost =
        if lost.is_empty() { String::new() } else { format!(" Nothing was chosen for {}.", list(&lost)) };
    if at_edge.is_empty() {
        return format!("No choice stands at an edge of the values that were tried.{lost}");
    }
    let stands = if at_edge.len() == 1 { "One choice stands" } else { "Some choices stand" };
    format!(
        "{stands} at an edge of the values that were tried, so that a value beyond may be better still: {}.{lost}",
        list(&at_edge)
    )
}
