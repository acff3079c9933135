//! What the numbers allow to say, in sentences made by rules from the verdicts.

use crate::by_task;
use crate::format::{
    detectable, list, number, p_clause, percent, plural, points, range, sentence, signed, word,
};
use crate::ordering::{is, ordering};
use crate::results::Test;
use crate::{ArmResult, Comparison, Conclusion, Expectation, PaperOrdering, Range, Results, Role, Verdict};

/// Before there is one.
pub(crate) fn none() -> Conclusion {
    Conclusion {
        sentence: String::new(),
        ordering: PaperOrdering::Open,
        ordering_sentence: String::new(),
        tasks_sentence: String::new(),
        caveats: Vec::new(),
    }
}

/// Concludes from all else that is in the results.
pub(crate) fn conclude(results: &Results) -> Conclusion {
    let shown = shown(results);
    let (ordering, ordering_sentence) = ordering(results);
    let tasks_sentence = by_task::sentence(results);
    let mut caveats = caveats(results);
    let Some(reason) = &results.plan.proves_nothing else {
        return Conclusion { sentence: shown, ordering, ordering_sentence, tasks_sentence, caveats };
    };
    let would_say = [shown, tasks_sentence].join(" ");
    let would_say = would_say.trim_end();
    caveats.insert(0, format!("What its numbers would say if they were to prove anything: {would_say}"));
    Conclusion {
        sentence: format!("This run proves nothing. {}", sentence(reason)),
        ordering: PaperOrdering::Open,
        ordering_sentence: "The paper's ordering is not to be read from it.".into(),
        tasks_sentence: String::new(),
        caveats,
    }
}

/// The sentence on the arms.
fn shown(results: &Results) -> String {
    let mut scored: Vec<(&ArmResult, f64)> = results
        .arms
        .iter()
        .filter(|arm| arm.facts.role == Role::Arm)
        .filter_map(|arm| Some((arm, arm.score.as_ref()?.mean)))
        .collect();
    scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let with_scores: Vec<String> =
        scored.iter().map(|(arm, score)| format!("{} scored {}", arm.facts.title, points(*score))).collect();
    match scored.as_slice() {
        [] => return "No objective has a complete run, so this run shows nothing.".into(),
        [(arm, score)] => {
            let seeds = plural(arm.seeds.len(), "seed");
            let title = &arm.facts.title;
            return format!(
                "Only {title} has a complete run ({} points, {seeds}), so there is nothing to compare.",
                points(*score)
            );
        }
        _ => {}
    }
    let tested: Vec<(&Comparison, &Test)> =
        results.pairs.iter().filter_map(|pair| Some((pair, pair.test.as_ref()?))).collect();
    if tested.is_empty() {
        return format!(
            "{}, with fewer than two seeds to compare by, so no interval and no verdict can be given: any difference can be chance.",
            list(&with_scores),
        );
    }
    let (told, open): (Vec<_>, Vec<_>) =
        tested.iter().copied().partition(|(pair, _)| pair.verdict != Verdict::NotDistinguishable);
    let mut clauses = leads(&told, &scored, results.config.level);
    if !open.is_empty() {
        clauses.push(level(&open, &scored, results, told.is_empty()));
    }
    let untested = results.pairs.iter().filter(|pair| pair.test.is_none()).count();
    if untested > 0 {
        let (pairs, have) = if untested == 1 { ("pair", "has") } else { ("pairs", "have") };
        clauses.push(format!("{} {pairs} {have} too few seeds for a verdict", word(untested)));
    } else if open.is_empty() && told.len() > 1 {
        clauses.push("no pair is left undecided".into());
    }
    format!("At this budget {}.", clauses.join("; "))
}

/// A lead as the winner sees it.
struct Lead<'a> {
    loser: &'a str,
    difference: f64,
    interval: Range,
    p: f64,
}

/// Clauses on who leads whom, best arm first. A few are told with their intervals; of many, the best arm's alone have
/// numbers, and arms that lead the same others share a clause.
fn leads(told: &[(&Comparison, &Test)], scored: &[(&ArmResult, f64)], level: f64) -> Vec<String> {
    let mut groups: Vec<(Vec<&str>, Vec<Lead<'_>>)> = Vec::new();
    for (winner, _) in scored {
        let led: Vec<Lead<'_>> = scored.iter().filter_map(|(loser, _)| lead(told, winner, loser)).collect();
        if led.is_empty() {
            continue;
        }
        let losers = |leads: &[Lead<'_>]| leads.iter().map(|lead| lead.loser.to_owned()).collect::<Vec<_>>();
        match groups.last_mut() {
            // The first clause has numbers of its own.
            Some((winners, same))
                if told.len() > 3
                    && winners[0] != scored[0].0.facts.title
                    && losers(same) == losers(&led) =>
            {
                winners.push(&winner.facts.title);
            }
            _ => groups.push((vec![&winner.facts.title], led)),
        }
    }
    let greatest_p = told.iter().map(|(_, test)| test.p_holm).fold(0.0, f64::max);
    let mut clauses = Vec::new();
    for (index, (winners, led)) in groups.iter().enumerate() {
        let names: Vec<&str> = led.iter().map(|lead| lead.loser).collect();
        let whom = whom(&names, scored.len());
        let lead = if winners.len() == 1 { "leads" } else { "lead" };
        let mut clause = format!("{} {lead} {whom}", list(winners));
        if index == 0 || told.len() <= 3 {
            clause.push_str(&by(led, level));
        }
        clauses.push(clause);
    }
    if told.len() > 3
        && clauses.len() > 1
        && let Some(last) = clauses.last_mut()
    {
        last.push_str(&format!(" (every {} after Holm)", p_bound(greatest_p)));
    }
    clauses
}

/// Names, or, if they are all of so many but one, `the other four`.
pub(crate) fn whom(names: &[&str], of: usize) -> String {
    if names.len() > 2 && names.len() + 1 == of {
        format!("the other {}", word(names.len()))
    } else {
        list(names)
    }
}

fn lead<'a>(told: &[(&Comparison, &Test)], winner: &ArmResult, loser: &'a ArmResult) -> Option<Lead<'a>> {
    let names = (winner.facts.name.as_str(), loser.facts.name.as_str());
    let (pair, test) = told.iter().find(|(pair, _)| winner_first(pair) == names)?;
    let Range { low, high } = test.interval;
    let interval =
        if pair.verdict == Verdict::Better { test.interval } else { Range { low: -high, high: -low } };
    Some(Lead { loser: &loser.facts.title, difference: pair.difference?.abs(), interval, p: test.p_holm })
}

/// By how much: ` by 3.1 points (95 % interval 1.0 to 5.2, p = .031 after Holm)`.
fn by(led: &[Lead<'_>], level: f64) -> String {
    if let [lead] = led {
        let (difference, interval) = (points(lead.difference), range(lead.interval));
        let level = percent(level);
        return format!(
            " by {difference} points ({level} interval {interval}, {} after Holm)",
            p_clause(lead.p)
        );
    }
    let of = |pick: fn(f64, f64) -> f64, start| led.iter().map(|lead| lead.difference).fold(start, pick);
    let (least, most) = (points(of(f64::min, f64::INFINITY)), points(of(f64::max, 0.0)));
    let by = if least == most { least } else { format!("{least} to {most}") };
    format!(" by {by} points ({} after Holm)", p_bound(led.iter().map(|lead| lead.p).fold(0.0, f64::max)))
}

fn p_bound(greatest: f64) -> String {
    p_clause(greatest).replace('=', "≤")
}

pub(crate) fn winner_first(pair: &Comparison) -> (&str, &str) {
    if pair.verdict == Verdict::Worse { (&pair.b, &pair.a) } else { (&pair.a, &pair.b) }
}

/// The clause on what is not told apart.
fn level(
    open: &[(&Comparison, &Test)],
    scored: &[(&ArmResult, f64)],
    results: &Results,
    nothing_told: bool,
) -> String {
    let among: Vec<&ArmResult> = scored
        .iter()
        .map(|(arm, _)| *arm)
        .filter(|arm| open.iter().any(|(pair, _)| pair.a == arm.facts.name || pair.b == arm.facts.name))
        .collect();
    let titles: Vec<&str> = among.iter().map(|arm| arm.facts.title.as_str()).collect();
    let every_pair = open.len() == among.len() * (among.len() - 1) / 2;
    let who = if every_pair && (nothing_told || titles.len() <= 4) {
        list(&titles)
    } else {
        let other = if nothing_told { "" } else { "other " };
        format!("the {other}{} pairs", word(open.len()))
    };
    format!("{who} are not distinguishable: {}", missed(open, "by pair", results.config.power))
}

/// The clause on what would have been found: `a difference below 2.6 points would with 3 seeds be missed in …`.
pub(crate) fn missed(open: &[(&Comparison, &Test)], by: &str, power: f64) -> String {
    let bounds = |value: fn(&(&Comparison, &Test)) -> f64| {
        let values = || open.iter().map(value);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let (least, most) = bounds(|(_, test)| test.detectable);
    let (few, many) = bounds(|(pair, _)| pair.seeds.len().max(1) as f64);
    let below = if least > 100.0 {
        "100 points".to_owned()
    } else if detectable(least) == detectable(most) {
        format!("{} points", detectable(least))
    } else {
        format!("{} to {} points, {by},", detectable(least), detectable(most))
    };
    let paired = open.iter().all(|(pair, _)| pair.paired);
    let seeds = match (paired, few == many) {
        (false, _) => "with these seeds".to_owned(),
        (true, true) => format!("with {}", plural(few as usize, "seed")),
        (true, false) => format!("with {} to {} seeds", number(few, 0), number(many, 0)),
    };
    format!(
        "a difference below {below} would {seeds} be missed in more than {} of such studies",
        percent(1.0 - power),
    )
}

/// What qualifies the sentence, each a sentence.
fn caveats(results: &Results) -> Vec<String> {
    let mut caveats = Vec::new();
    for control in &results.controls {
        let Comparison { a, b, difference, verdict, .. } = &control.comparison;
        let expects = results.arms.iter().find(|arm| arm.facts.name == *a).map(|arm| &arm.facts.role);
        let expected = match expects {
            Some(Role::Control { expects: Expectation::Worse, .. }) => "worse than",
            _ => "not distinguishable from",
        };
        // A defect that is not seen says how little is seen; a difference where there is none, that verdicts are wrong.
        let (found, so) = match (control.passed, verdict) {
            (Some(false), Verdict::NotDistinguishable) => {
                ("is not distinguishable from it", "a defect of that size is missed here")
            }
            (Some(false), Verdict::Better) => ("is better", "the verdicts are as doubtful as that"),
            (Some(false), Verdict::Worse) => ("is worse", "the verdicts are as doubtful as that"),
            _ => continue,
        };
        let by =
            difference.map_or_else(String::new, |difference| format!(" ({} points)", signed(difference)));
        caveats.push(format!(
            "A control did not come out: {} had to be {expected} {}, and {found}{by}; {so}.",
            results.title(a),
            results.title(b),
        ));
    }
    let unhelped: Vec<&str> = results
        .scratch
        .iter()
        .filter(|pair| matches!(pair.verdict, Verdict::NotDistinguishable | Verdict::Worse))
        .map(|pair| results.title(&pair.a))
        .collect();
    if !unhelped.is_empty() {
        caveats.push(format!(
            "{} {} not seen to be better than the same encoder without pre-training: what is compared there may be chance and fine-tuning alone.",
            list(&unhelped), is(unhelped.len()),
        ));
    }
    let one_seed = results.pairs.iter().any(|pair| pair.test.is_none() && pair.difference.is_some());
    if one_seed {
        caveats.push("Where two objectives have only one seed in common, their difference has no interval: a second seed can turn it round.".into());
    }
    if results.pairs.iter().filter_map(|pair| pair.test.as_ref()).any(|test| test.bootstrap.is_none()) {
        caveats
            .push("Some intervals count the seeds' chance alone and not that of the test examples.".into());
    }
    let failures = results.failures.len();
    if failures > 0 {
        caveats.push(format!(
            "{} did not come to {} end; the list is below.",
            plural(failures, "job"),
            if failures == 1 { "its" } else { "their" }
        ));
    }
    caveats
}
