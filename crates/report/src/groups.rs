//! Arms of which the same is to be said, so that a sentence says it once.

use electra_analysis::{ArmFindings, Comparison, Findings, Range, Role, TaskComparisons, Test, Verdict};

/// Pairs on which an interval decides, and their tests.
pub(crate) fn judged(pairs: &[Comparison]) -> Vec<(&Comparison, &Test)> {
    pairs
        .iter()
        .filter(|pair| pair.verdict.is_judged())
        .filter_map(|pair| Some((pair, pair.test.as_ref()?)))
        .collect()
}

/// The compared arms that have a score, the best first.
pub(crate) fn scored(findings: &Findings) -> Vec<(&ArmFindings, f64)> {
    let arms = findings.arms.iter().filter(|arm| arm.facts.role == Role::Arm);
    let mut scored: Vec<_> = arms.filter_map(|arm| Some((arm, arm.score.as_ref()?.mean))).collect();
    scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    scored
}

/// The names of a pair, the better arm first if one is better.
pub(crate) fn winner_first(pair: &Comparison) -> (&str, &str) {
    if pair.verdict == Verdict::Worse { (&pair.b, &pair.a) } else { (&pair.a, &pair.b) }
}

/// Arms that lead the same others.
pub(crate) struct Leaders<'a> {
    /// By title.
    pub(crate) winners: Vec<&'a str>,
    /// The leads of the first of them.
    pub(crate) leads: Vec<Lead<'a>>,
}

/// A lead as the winner sees it.
pub(crate) struct Lead<'a> {
    /// By title.
    pub(crate) loser: &'a str,
    pub(crate) difference: f64,
    pub(crate) interval: Range,
}

/// Who leads whom, the best arm first. Where there are many leads, arms that lead the same others stand together; the
/// best arm stands alone.
pub(crate) fn leaders<'a>(
    apart: &[(&Comparison, &Test)],
    scored: &[(&'a ArmFindings, f64)],
    many: bool,
) -> Vec<Leaders<'a>> {
    let mut groups: Vec<Leaders<'a>> = Vec::new();
    for (winner, _) in scored {
        let leads: Vec<Lead<'a>> =
            scored.iter().filter_map(|(loser, _)| lead(apart, winner, loser)).collect();
        if leads.is_empty() {
            continue;
        }
        let title = winner.facts.title.as_str();
        let same = |group: &Leaders<'_>| {
            group.leads.iter().map(|lead| lead.loser).eq(leads.iter().map(|lead| lead.loser))
        };
        match groups.last_mut() {
            Some(group) if many && group.winners[0] != scored[0].0.facts.title && same(group) => {
                group.winners.push(title);
            }
            _ => groups.push(Leaders { winners: vec![title], leads }),
        }
    }
    groups
}

fn lead<'a>(
    apart: &[(&Comparison, &Test)],
    winner: &ArmFindings,
    loser: &'a ArmFindings,
) -> Option<Lead<'a>> {
    let names = (winner.facts.name.as_str(), loser.facts.name.as_str());
    let (pair, test) = apart.iter().find(|(pair, _)| winner_first(pair) == names)?;
    let interval = if pair.verdict == Verdict::Better { test.interval } else { test.interval.turned() };
    Some(Lead { loser: &loser.facts.title, difference: pair.difference?.abs(), interval })
}

/// Arms that are all above, or all below, the same others, by name.
pub(crate) struct Group<'a> {
    pub(crate) arms: Vec<&'a str>,
    pub(crate) above: bool,
    pub(crate) others: Vec<&'a str>,
}

/// The compared arms of which a task has a verdict.
pub(crate) fn judged_arms<'a>(findings: &'a Findings, task: &TaskComparisons) -> Vec<&'a str> {
    let has_verdict = |arm: &&str| {
        task.pairs.iter().any(|pair| pair.verdict.is_judged() && (pair.a == **arm || pair.b == **arm))
    };
    findings.arms.iter().map(|arm| arm.facts.name.as_str()).filter(has_verdict).collect()
}

/// The verdicts on a task in few groups: each time the arm that is above, or below, the most others of which that is
/// not yet said. Arms of which the same is to be said stand together.
pub(crate) fn groups<'a>(findings: &'a Findings, task: &'a TaskComparisons) -> Vec<Group<'a>> {
    let apart = task.pairs.iter().filter(|pair| pair.verdict.is_apart());
    let mut left: Vec<(&str, &str)> = apart.map(winner_first).collect();
    let names = judged_arms(findings, task);
    let mut groups: Vec<Group<'_>> = Vec::new();
    while !left.is_empty() {
        let others = |(arm, above): (&str, bool)| -> Vec<&str> {
            let pair = |other| if above { (arm, other) } else { (other, arm) };
            names.iter().copied().filter(|other| left.contains(&pair(*other))).collect()
        };
        // Of equals the last is taken: above before below, and an earlier arm before a later one.
        let sides =
            [false, true].into_iter().flat_map(|above| names.iter().rev().map(move |arm| (*arm, above)));
        let Some((arm, above)) = sides.max_by_key(|side| others(*side).len()) else { break };
        let others = others((arm, above));
        left.retain(|(upper, lower)| arm != if above { *upper } else { *lower });
        match groups.iter_mut().find(|group| group.above == above && group.others == others) {
            Some(group) => group.arms.push(arm),
            None => groups.push(Group { arms: vec![arm], above, others }),
        }
    }
    groups
}
