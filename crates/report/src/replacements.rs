//! Tables of what generators put in the place of tokens, and which of it is found.

use electra_analysis::{ArmFindings, Findings, KindFacts, ReplacementFacts};

use crate::format::{MISSING, number, or_missing, points};
use crate::table::{Cell, Table, table};
use crate::tables::Names;

/// What the runs of an arm put in the place of tokens.
pub(crate) fn measured(arm: &ArmFindings) -> impl Iterator<Item = &ReplacementFacts> {
    arm.runs.iter().filter_map(|run| run.replacements.as_ref())
}

/// Whether anything says what was replaced.
pub(crate) fn detects(arm: &ArmFindings) -> bool {
    measured(arm).any(|facts| facts.detection.is_some())
}

/// The kinds in the order in which they come.
fn kinds<'a>(arms: &[&'a ArmFindings]) -> Vec<&'a str> {
    let mut kinds = Vec::new();
    for facts in arms.iter().flat_map(|arm| measured(arm)).flat_map(|facts| &facts.kinds) {
        if !kinds.contains(&facts.kind.as_str()) {
            kinds.push(&facts.kind);
        }
    }
    kinds
}

fn of_kind<'a>(facts: &'a ReplacementFacts, kind: &str) -> Option<&'a KindFacts> {
    facts.kinds.iter().find(|facts| facts.kind == kind)
}

/// The mean over the runs that have a value.
fn mean(arm: &ArmFindings, value: impl Fn(&ReplacementFacts) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = measured(arm).filter_map(value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn percent(share: Option<f64>) -> Cell {
    or_missing(share, |share| points(100.0 * share)).into()
}

fn shown(kind: &str) -> String {
    kind.replace('-', " ")
}

/// The replacements of masked tokens.
pub(crate) fn offered(findings: &Findings, arms: &[&ArmFindings]) -> Table {
    let (names, kinds) = (Names::new(findings), kinds(arms));
    let entropy = findings.language.as_ref().map(|language| language.entropy);
    let rows = arms.iter().map(|arm| {
        let loss = mean(arm, |facts| facts.masked_lm_loss);
        let mut row = vec![
            names.cell(&arm.facts.name),
            or_missing(loss, |loss| number(loss, 3)).into(),
            // Beside no loss it says nothing.
            or_missing(entropy.filter(|_| loss.is_some()), |entropy| number(entropy, 3)).into(),
        ];
        row.extend(kinds.iter().map(|kind| percent(mean(arm, |facts| Some(of_kind(facts, kind)?.share)))));
        row.push(measured(arm).count().to_string().into());
        row
    });
    let titles: Vec<String> = kinds.iter().map(|kind| format!("#{}", capital(&shown(kind)))).collect();
    let mut columns = vec!["Objective", "#Masked-LM loss", "#Grammar"];
    columns.extend(titles.iter().map(String::as_str));
    columns.push("#Seeds");
    let caption = "What stands in the place of a masked token: shares of the samples in percent, losses in nats; means over seeds.";
    table(caption, &columns, rows.collect())
}

/// What is found of it.
pub(crate) fn found(findings: &Findings, arms: &[&ArmFindings]) -> Table {
    let names = Names::new(findings);
    // What is right was not replaced, so nothing has a recall of it.
    let has = |kind: &str, facts: &ReplacementFacts| {
        of_kind(facts, kind).is_some_and(|facts| facts.recall.is_some())
    };
    let some = |kind: &&str| arms.iter().flat_map(|arm| measured(arm)).any(|facts| has(kind, facts));
    let kinds: Vec<&str> = kinds(arms).into_iter().filter(some).collect();
    let rows = arms.iter().map(|arm| {
        let auc = |value: Option<f64>| -> Cell {
            value.map_or_else(|| MISSING.into(), |auc| number(auc, 3)).into()
        };
        let mut row = vec![names.cell(&arm.facts.name)];
        row.push(percent(mean(arm, |facts| facts.detection?.recall)));
        row.extend(kinds.iter().map(|kind| percent(mean(arm, |facts| of_kind(facts, kind)?.recall))));
        row.push(percent(mean(arm, |facts| facts.detection?.false_alarms)));
        row.push(auc(mean(arm, |facts| facts.detection?.auc)));
        row.extend(kinds.iter().map(|kind| auc(mean(arm, |facts| of_kind(facts, kind)?.auc))));
        row.push(auc(mean(arm, |facts| facts.detection?.masked_auc)));
        row.push(auc(mean(arm, |facts| facts.detection?.class_auc)));
        row.push(auc(mean(arm, |facts| facts.detection?.excess)));
        row
    });
    let headings = |what: &str| -> Vec<String> {
        let kinds = kinds.iter().map(|kind| format!("#{what}, {}", shown(kind)));
        std::iter::once(format!("#{what}, all")).chain(kinds).collect()
    };
    let (recall, auc) = (headings("Recall"), headings("AUC"));
    let mut columns = vec!["Objective"];
    columns.extend(recall.iter().map(String::as_str));
    columns.push("#False alarms");
    columns.extend(auc.iter().map(String::as_str));
    columns.extend(["#AUC, masked", "#Class alone", "#Excess"]);
    table(
        "What is found: recall and false alarms in percent; means over seeds. Of the masked positions alone, the AUC of one who knows nothing but the class of the original word stands beside the detector's, and what this has more.",
        &columns,
        rows.collect(),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
