//! The pre-training objectives: who leads whom, and which pairs are not distinguishable.

use electra_analysis::{ArmFindings, Comparison, FEWEST_RUNS, Findings, Role, Test, Verdict};

use crate::format::{list, percent, plural, points, range, word};
use crate::groups::{Lead, judged, leaders, scored};

/// The sentence on the arms.
pub(super) fn shown(findings: &Findings) -> String {
    let scored = scored(findings);
    match scored.as_slice() {
        [] => return "No objective has a complete run, so this run shows nothing.".into(),
        [(arm, score)] => {
            let (title, runs) = (&arm.facts.title, plural(arm.seeds.len(), "run"));
            return format!(
                "Only {title} has a complete run ({} points, {runs}), so there is nothing to compare.",
                points(*score)
            );
        }
        _ => {}
    }
    let judged = judged(&findings.pairs);
    let missing = without_verdict(findings);
    if judged.is_empty() {
        let with_score =
            |(arm, score): &(&ArmFindings, f64)| format!("{} scored {}", arm.facts.title, points(*score));
        let scores = list(&scored.iter().map(with_score).collect::<Vec<_>>());
        return format!("{scores}, but there is no verdict: {}.", missing.join("; "));
    }
    let with = |verdict: fn(Verdict) -> bool| -> Vec<(&Comparison, &Test)> {
        judged.iter().copied().filter(|(pair, _)| verdict(pair.verdict)).collect()
    };
    let apart = with(Verdict::is_apart);
    let mut clauses = leads(&apart, &scored, findings.config.level);
    let same = with(|verdict| verdict == Verdict::Same);
    if let (Some(margin), false) = (findings.config.margin, same.is_empty()) {
        let who = who(&same, &scored, same.len() == judged.len());
        clauses.push(format!("{who} are the same within ± {} points", points(margin)));
    }
    let open = with(|verdict| verdict == Verdict::NotDistinguishable);
    if !open.is_empty() {
        clauses.push(format!(
            "{} are not distinguishable: {}",
            who(&open, &scored, open.len() == judged.len()),
            reach(&open, findings.config.level),
        ));
    }
    if missing.is_empty() && open.is_empty() && apart.len() > 1 {
        clauses.push("no pair is left undecided".into());
    }
    clauses.extend(missing);
    format!("At this budget {}.", clauses.join("; "))
}

/// Clauses on pairs that get no verdict: too few runs, or some that did not take off.
fn without_verdict(findings: &Findings) -> Vec<String> {
    let count = |verdict| findings.pairs.iter().filter(|pair| pair.verdict == verdict).count();
    let mut clauses = Vec::new();
    let pairs = |count: usize| match (count == findings.pairs.len(), count) {
        (true, 1) => "the pair has".to_owned(),
        (true, _) => "all pairs have".to_owned(),
        (false, 1) => "one pair has".to_owned(),
        (false, several) => format!("{} pairs have", word(several)),
    };
    match count(Verdict::TooFewRuns) {
        0 => {}
        few => clauses.push(format!(
            "{} too few runs for a verdict, which takes {} of each objective",
            pairs(few),
            word(FEWEST_RUNS)
        )),
    }
    match count(Verdict::NotAllTookOff) {
        0 => {}
        mixed => clauses.push(format!("{} no verdict, as {}", pairs(mixed), took_off_in_part(findings))),
    }
    clauses
}

/// `only 4 of 6 runs of ELECTRA took off`.
fn took_off_in_part(findings: &Findings) -> String {
    let arms = findings.arms.iter().filter(|arm| arm.facts.role == Role::Arm);
    let said = arms.filter_map(|arm| {
        let counted = arm.take_off.as_ref().filter(|counted| counted.is_in_part())?;
        Some(format!("{} of {} runs of {}", counted.took_off, counted.runs, arm.facts.title))
    });
    format!("only {} took off", list(&said.collect::<Vec<_>>()))
}

/// Clauses on who leads whom. A few leads have their intervals; of many, the best arm's alone have numbers.
fn leads(apart: &[(&Comparison, &Test)], scored: &[(&ArmFindings, f64)], level: f64) -> Vec<String> {
    let many = apart.len() > 3;
    let mut clauses = Vec::new();
    for group in leaders(apart, scored, many) {
        let losers: Vec<&str> = group.leads.iter().map(|lead| lead.loser).collect();
        let verb = if group.winners.len() == 1 { "leads" } else { "lead" };
        let mut clause = format!("{} {verb} {}", list(&group.winners), names(&losers, scored.len()));
        if clauses.is_empty() || !many {
            clause.push_str(&by(&group.leads, level));
        }
        clauses.push(clause);
    }
    clauses
}

/// Names, or, if they are all of so many but one, `the other four`.
pub(super) fn names(names: &[&str], all: usize) -> String {
    if names.len() > 2 && names.len() + 1 == all {
        format!("the other {}", word(names.len()))
    } else {
        list(names)
    }
}

/// By how much: ` by 3.1 points (95 % interval 1.0 to 5.2)`.
fn by(leads: &[Lead<'_>], level: f64) -> String {
    if let [lead] = leads {
        let (difference, interval) = (points(lead.difference), range(lead.interval));
        return format!(" by {difference} points ({} interval {interval})", percent(level));
    }
    let bound = |pick: fn(f64, f64) -> f64, start| leads.iter().map(|lead| lead.difference).fold(start, pick);
    let (least, most) = (points(bound(f64::min, f64::INFINITY)), points(bound(f64::max, 0.0)));
    let by = if least == most { least } else { format!("{least} to {most}") };
    format!(" by {by} points")
}

/// The arms of some pairs: by their titles if these are all pairs of them, else counted.
pub(super) fn who(pairs: &[(&Comparison, &Test)], scored: &[(&ArmFindings, f64)], alone: bool) -> String {
    let is_in = |name: &str| pairs.iter().any(|(pair, _)| pair.a == name || pair.b == name);
    let arms = scored.iter().map(|(arm, _)| &arm.facts).filter(|facts| is_in(&facts.name));
    let titles: Vec<&str> = arms.map(|facts| facts.title.as_str()).collect();
    let every_pair = pairs.len() == titles.len() * (titles.len() - 1) / 2;
    if every_pair && (alone || titles.len() <= 4) {
        list(&titles)
    } else {
        format!("{} pairs", word(pairs.len()))
    }
}

/// How large the differences can still be: `the 95 % interval of their difference is −1.0 to 2.1`.
pub(super) fn reach(open: &[(&Comparison, &Test)], level: f64) -> String {
    let level = percent(level);
    if let [(_, test)] = open {
        return format!("the {level} interval of their difference is {}", range(test.interval));
    }
    let far = |(_, test): &(&Comparison, &Test)| test.interval.high.max(-test.interval.low);
    let least = points(open.iter().map(far).fold(f64::INFINITY, f64::min));
    let most = points(open.iter().map(far).fold(0.0, f64::max));
    let reach = if least == most { least } else { format!("{least} to {most}") };
    format!("the {level} intervals of their differences reach {reach} points from 0")
}
