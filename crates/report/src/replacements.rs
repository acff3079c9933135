//! What generators put in the place of tokens, and which of it is found: the tables and their words.

use crate::document::Block;
use crate::format::{MISSING, number, or_missing, points};
use crate::measurements::{KindFacts, ReplacementFacts};
use crate::tables::{Cell, Names, Table, table};
use crate::{ArmResult, Results};

/// The section; nothing if nothing was measured.
pub(crate) fn blocks<'a>(results: &Results) -> Vec<Block<'a>> {
    let arms: Vec<&ArmResult> = results.arms.iter().filter(|arm| measured(arm).next().is_some()).collect();
    if arms.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![
        Block::Paragraph("After its training each run was asked about masks that it had not seen, and each sample was looked up in the language's lexicon. A right sample is the original and replaces nothing. Same features is another word of the same class of which the lexicon says the same, same class one that differs in a feature such as number or meaning, other class any other word; unlisted are parts of words and special tokens.".into()),
        Block::Paragraph(loss(results)),
        Block::Table(offered(results, &arms)),
    ];
    let detecting: Vec<&ArmResult> = arms.into_iter().filter(|arm| detects(arm)).collect();
    if !detecting.is_empty() {
        blocks.push(Block::Paragraph(finding(&detecting)));
        blocks.push(Block::Table(found(results, &detecting)));
    }
    blocks
}

fn loss(results: &Results) -> String {
    let mut text =
        "The masked-LM loss is the generator's, and MLM's own with its own masks, some of which show the word."
            .to_owned();
    if let Some(language) = &results.language {
        text.push_str(&format!(
            " The grammar itself leaves {} nats open where one word alone is hidden. Several are hidden at once, and a row may cut its document, so the least loss that a generator can have is somewhat higher.",
            number(language.entropy, 3),
        ));
    }
    text
}

fn finding(arms: &[&ArmResult]) -> String {
    let mut text = "Recall is the share of a kind that is called replaced, by the discriminator or by the copy gate of All-Tokens MLM, at probability one half; false alarms are the share of tokens called so that were not replaced. AUC is the probability that one of the kind looks more replaced than a token that was not: chance is .5, and some of what is above it comes from knowing which words are often replaced, without seeing an error.".to_owned();
    if arms.iter().any(|arm| arm.facts.objective == "electra-15") {
        text.push_str(" ELECTRA 15 % has learnt at masked positions alone, most of which are replaced, and is asked about all: it calls many tokens so.");
    }
    text
}

fn measured(arm: &ArmResult) -> impl Iterator<Item = &ReplacementFacts> {
    arm.runs.iter().filter_map(|run| run.replacements.as_ref())
}

fn detects(arm: &ArmResult) -> bool {
    measured(arm).any(|of_run| of_run.detection.is_some())
}

/// The kinds in the order in which they come.
fn kinds<'a>(arms: &[&'a ArmResult]) -> Vec<&'a str> {
    let mut kinds = Vec::new();
    for one in arms.iter().flat_map(|arm| measured(arm)).flat_map(|of_run| &of_run.kinds) {
        if !kinds.contains(&one.kind.as_str()) {
            kinds.push(&one.kind);
        }
    }
    kinds
}

fn of_kind<'a>(of_run: &'a ReplacementFacts, kind: &str) -> Option<&'a KindFacts> {
    of_run.kinds.iter().find(|one| one.kind == kind)
}

/// The mean over the runs that have a value.
fn mean(arm: &ArmResult, value: impl Fn(&ReplacementFacts) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = measured(arm).filter_map(value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn percent(share: Option<f64>) -> Cell {
    or_missing(share, |share| points(100.0 * share)).into()
}

fn shown(kind: &str) -> String {
    kind.replace('-', " ")
}

fn offered(results: &Results, arms: &[&ArmResult]) -> Table {
    let (names, kinds) = (Names::new(results), kinds(arms));
    let entropy = results.language.as_ref().map(|language| language.entropy);
    let rows = arms.iter().map(|arm| {
        let loss = mean(arm, |of_run| of_run.masked_lm_loss);
        let mut row = vec![
            names.cell(&arm.facts.name),
            or_missing(loss, |loss| number(loss, 3)).into(),
            // Beside no loss it says nothing.
            or_missing(entropy.filter(|_| loss.is_some()), |entropy| number(entropy, 3)).into(),
        ];
        row.extend(kinds.iter().map(|kind| percent(mean(arm, |of_run| Some(of_kind(of_run, kind)?.share)))));
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

fn found(results: &Results, arms: &[&ArmResult]) -> Table {
    let names = Names::new(results);
    // What is right was not replaced, so nothing has a recall of it.
    let has =
        |kind: &str, of_run: &ReplacementFacts| of_kind(of_run, kind).is_some_and(|one| one.recall.is_some());
    let some = |kind: &&str| arms.iter().flat_map(|arm| measured(arm)).any(|of_run| has(kind, of_run));
    let kinds: Vec<&str> = kinds(arms).into_iter().filter(some).collect();
    let rows = arms.iter().map(|arm| {
        let auc = |value: Option<f64>| -> Cell {
            value.map_or_else(|| MISSING.into(), |auc| number(auc, 3)).into()
        };
        let mut row = vec![names.cell(&arm.facts.name)];
        row.push(percent(mean(arm, |of_run| of_run.detection?.recall)));
        row.extend(kinds.iter().map(|kind| percent(mean(arm, |of_run| of_kind(of_run, kind)?.recall))));
        row.push(percent(mean(arm, |of_run| of_run.detection?.false_alarms)));
        row.push(auc(mean(arm, |of_run| of_run.detection?.auc)));
        row.extend(kinds.iter().map(|kind| auc(mean(arm, |of_run| of_kind(of_run, kind)?.auc))));
        row
    });
    let of = |what: &str| -> Vec<String> {
        let kinds = kinds.iter().map(|kind| format!("#{what}, {}", shown(kind)));
        std::iter::once(format!("#{what}, all")).chain(kinds).collect()
    };
    let (recall, auc) = (of("Recall"), of("AUC"));
    let mut columns = vec!["Objective"];
    columns.extend(recall.iter().map(String::as_str));
    columns.push("#False alarms");
    columns.extend(auc.iter().map(String::as_str));
    table("What is found: recall and false alarms in percent; means over seeds.", &columns, rows.collect())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
