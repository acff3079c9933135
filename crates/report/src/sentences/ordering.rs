//! The paper's ordering.

use electra_analysis::{Claim, Findings, Ordering, PaperOrdering, Verdict};

use super::is_or_are;
use crate::format::{list, word};

/// The answer on the paper's ordering in a few words.
pub(crate) fn answer(ordering: PaperOrdering) -> &'static str {
    match ordering {
        PaperOrdering::Appears => "appears",
        PaperOrdering::Partly => "in part",
        PaperOrdering::TiesApart => "not in its ties",
        PaperOrdering::Contradicted => "contradicted",
        PaperOrdering::Open => "open",
    }
}

/// The paper's ordering in signs: `A ≤ B ≈ C < D`.
fn written(ordering: &Ordering) -> String {
    let signs = ordering.steps.iter().map(|(rise, level)| match level {
        true if *rise > 0.0 => " ≤ ",
        true => " ≈ ",
        false => " < ",
    });
    std::iter::once("")
        .chain(signs)
        .zip(&ordering.titles)
        .map(|(sign, title)| format!("{sign}{title}"))
        .collect()
}

/// The answer on the paper's ordering.
pub(super) fn paper(ordering: &Ordering, findings: &Findings) -> String {
    let Ordering { answer, differences, ties, total, .. } = ordering;
    let better = |claim: &Claim| {
        format!("{} is better than {}", findings.title(&claim.upper), findings.title(&claim.lower))
    };
    let worse = |claim: &Claim| {
        format!("{} is better than {}", findings.title(&claim.lower), findings.title(&claim.upper))
    };
    let with = |verdict| differences.iter().filter(move |claim| claim.verdict == verdict);
    let (all, found) = (differences.len(), with(Verdict::Better).count());
    let name = match ordering.titles.as_slice() {
        [] => "The paper's ordering".to_owned(),
        _ => format!("The paper's ordering ({})", written(ordering)),
    };
    let total_in_words = word(*total);
    let single = match total {
        1 => "its one difference".to_owned(),
        _ => format!("the one of its {total_in_words} differences that this run looks at"),
    };
    // "its seven differences", or "the three of its seven differences that this run looks at".
    let scope = if all == *total {
        format!("its {total_in_words} differences")
    } else {
        format!("the {} of its {total_in_words} differences that this run looks at", word(all))
    };
    let apart = ties.iter().filter_map(|tie| match tie.verdict {
        Verdict::Better => Some(better(tie)),
        Verdict::Worse => Some(worse(tie)),
        _ => None,
    });
    let apart: Vec<String> = apart.collect();
    let reversed: Vec<String> = with(Verdict::Worse).map(worse).collect();
    if all == 0 && !apart.is_empty() {
        return format!("{name} is contradicted in a tie: {}.", list(&apart));
    }
    if all == 0 {
        return format!("{name} cannot be checked: this run does not have the objectives that it compares.");
    }
    let text = match answer {
        PaperOrdering::TiesApart => {
            let rest = match (all, found) {
                (1, 0) => format!("{single} is not found"),
                (1, _) => format!("{single} is found"),
                (_, 0) => format!("of {scope}, none is found and none is reversed"),
                (_, found) => {
                    format!("of {scope}, {} {} found and none is reversed", word(found), is_or_are(found))
                }
            };
            format!("{name} is contradicted in its ties alone: {rest}.")
        }
        PaperOrdering::Contradicted => {
            let against = list(&reversed);
            let rest = match found {
                0 => "none is found as the paper has it".to_owned(),
                1 => "one is found as the paper has it".to_owned(),
                found => format!("{} are found as the paper has them", word(found)),
            };
            match all {
                1 => format!("{name} is contradicted in {single}: {against}."),
                _ => format!("{name} is contradicted: {against}; of {scope}, {rest}."),
            }
        }
        PaperOrdering::Appears if all == 1 => format!("{name} appears: {single} is found."),
        PaperOrdering::Appears => format!("{name} appears: all of {scope} are found."),
        PaperOrdering::Partly if all == 1 => format!("{name} appears in {single}."),
        PaperOrdering::Partly if found == all => {
            format!("{name} appears as far as this run looks: all of {scope} are found.")
        }
        PaperOrdering::Partly => format!(
            "{name} appears in part: of {scope}, {} {} found, {} {} open, and none is reversed.",
            word(found),
            is_or_are(found),
            word(all - found),
            is_or_are(all - found),
        ),
        PaperOrdering::Open => {
            let result = match all {
                1 => format!("{single} is not found"),
                _ => format!("of {scope}, none is found and none is reversed"),
            };
            format!(
                "This run does not show whether the paper's ordering ({}) holds: {result}.",
                written(ordering)
            )
        }
    };
    if apart.is_empty() {
        text
    } else {
        format!("{text} Of those that the paper has tied, {}.", list(&apart))
    }
}
