//! Whether the paper's ordering is in the results.
//!
//! Table 5 (Base, GLUE dev): BERT 82.2, Replace MLM 82.4, ELECTRA 15 % 82.4, All-Tokens MLM 84.3, ELECTRA 85.0.
//! The first three are level, within what the paper itself could tell; so the ordering has seven differences:
//! All-Tokens MLM above each of the three, and ELECTRA above each of the four.

use crate::analyse::PAPER;
use crate::format::{list, word};
use crate::{Comparison, PaperOrdering, Results, Role, Verdict};

/// As the report writes it.
pub(crate) const WRITTEN: &str = "BERT ≤ Replace MLM ≈ ELECTRA 15 % < All-Tokens MLM < ELECTRA";

/// How high the paper has an objective.
fn height(objective: &str) -> Option<usize> {
    PAPER.iter().position(|name| *name == objective).map(|place| place.saturating_sub(2))
}

/// The comparisons of the paper's objectives, each with the upper one first: the differences, then the ties.
struct Claims<'a> {
    differences: Vec<(&'a str, &'a str, Verdict)>,
    ties: Vec<(&'a str, &'a str, Verdict)>,
}

fn claims(results: &Results) -> Claims<'_> {
    // Of two arms with one objective the first stands for it.
    let stands_for = |name: &str| {
        let arm = results.arms.iter().find(|arm| arm.facts.name == name)?;
        let first = results
            .arms
            .iter()
            .find(|other| other.facts.role == Role::Arm && other.facts.objective == arm.facts.objective)?;
        (first.facts.name == name).then_some((arm.facts.title.as_str(), height(&arm.facts.objective)?))
    };
    let mut claims = Claims { differences: Vec::new(), ties: Vec::new() };
    for Comparison { a, b, verdict, .. } in &results.pairs {
        if let (Some((a, upper)), Some((b, lower))) = (stands_for(a), stands_for(b)) {
            let claim = if upper < lower { (b, a, turned(*verdict)) } else { (a, b, *verdict) };
            if upper == lower { claims.ties.push(claim) } else { claims.differences.push(claim) }
        }
    }
    claims
}

fn turned(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Better => Verdict::Worse,
        Verdict::Worse => Verdict::Better,
        other => other,
    }
}

/// The answer, and the answer as sentences.
pub(crate) fn ordering(results: &Results) -> (PaperOrdering, String) {
    let Claims { differences, ties } = claims(results);
    let all = differences.len();
    let with = |verdict| differences.iter().filter(move |claim| claim.2 == verdict);
    let (found, reversed) = (with(Verdict::Better).count(), with(Verdict::Worse).count());
    let name = format!("The paper's ordering ({WRITTEN})");
    if all == 0 {
        let text =
            format!("{name} cannot be looked for: this run does not have the objectives that it sets apart.");
        return (PaperOrdering::Open, text);
    }
    // "7 differences", or "3 of its 7 differences that this run can look at".
    let scope = if all == 7 {
        "its seven differences".to_owned()
    } else {
        format!("the {} of its seven differences that this run looks at", word(all))
    };
    let one = all == 1;
    let (ordering, text) = if reversed > 0 {
        let against: Vec<String> =
            with(Verdict::Worse).map(|(a, b, _)| format!("{b} is better than {a}")).collect();
        let rest = match found {
            0 => "none is found as the paper has it".to_owned(),
            found => format!("{} {} found as the paper has {}", word(found), is(found), it(found)),
        };
        let text = if one {
            format!(
                "{name} is contradicted in the one of its seven differences that this run looks at: {}.",
                list(&against)
            )
        } else {
            format!("{name} is contradicted: {}; of {scope}, {rest}.", list(&against))
        };
        (PaperOrdering::Contradicted, text)
    } else if found == all {
        let text = match all {
            7 => format!("{name} appears: all of its seven differences are found."),
            1 => format!("{name} appears in the one of its seven differences that this run looks at."),
            _ => format!("{name} appears as far as this run looks: all of {scope} are found."),
        };
        (if all == 7 { PaperOrdering::Appears } else { PaperOrdering::Partly }, text)
    } else if found > 0 {
        let open = all - found;
        let text = format!(
            "{name} appears in part: of {scope}, {} {} found, {} {} open, and none is reversed.",
            word(found),
            is(found),
            word(open),
            is(open),
        );
        (PaperOrdering::Partly, text)
    } else {
        let text = if one {
            format!(
                "Whether the paper's ordering ({WRITTEN}) holds here cannot be told: the one of its seven differences that this run looks at is not found."
            )
        } else {
            format!(
                "Whether the paper's ordering ({WRITTEN}) holds here cannot be told: of {scope}, none is found and none is reversed."
            )
        };
        (PaperOrdering::Open, text)
    };
    let apart: Vec<String> = ties
        .iter()
        .filter_map(|(a, b, verdict)| match verdict {
            Verdict::Better => Some(format!("{a} is better than {b}")),
            Verdict::Worse => Some(format!("{b} is better than {a}")),
            _ => None,
        })
        .collect();
    if apart.is_empty() {
        return (ordering, text);
    }
    (ordering, format!("{text} Of those that the paper has level, {}.", list(&apart)))
}

pub(crate) fn is(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn it(number: usize) -> &'static str {
    if number == 1 { "it" } else { "them" }
}
