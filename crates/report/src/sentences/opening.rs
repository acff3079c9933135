//! The opening of the report, for readers who skip statistics: at most five short sentences.

use electra_analysis::{
    ArmFindings, Comparison, FEWEST_RUNS, Findings, Matched, Range, Test, TestSets, Verdict,
};

use super::arms::{names, shown, who};
use super::sweep;
use crate::format::{self, list, number, percent, points, probability, word};
use crate::groups::{judged, leaders, scored, winner_first};

/// What the sentences are made from.
struct Seen<'a> {
    findings: &'a Findings,
    /// The arms with a score, the best first.
    scored: Vec<(&'a ArmFindings, f64)>,
    /// The pairs with a verdict.
    judged: Vec<(&'a Comparison, &'a Test)>,
}

/// What was found, how sure it is, what was not found and why, and what it means for somebody who has to choose.
pub(super) fn opening(findings: &Findings) -> Vec<String> {
    let seen = Seen { findings, scored: scored(findings), judged: judged(&findings.pairs) };
    if seen.scored.len() < 2 {
        return vec![shown(findings)];
    }
    if let Some(mut found) = sweep::opening(findings) {
        found.extend(Some(seen.how_sure()).filter(|sentence| !sentence.is_empty()));
        return found;
    }
    let sentences = [seen.found(), seen.how_sure(), seen.not_found(), seen.without_verdict(), seen.choice()];
    sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect()
}

impl<'a> Seen<'a> {
    fn with(&self, verdict: fn(Verdict) -> bool) -> Vec<(&'a Comparison, &'a Test)> {
        self.judged.iter().copied().filter(|(pair, _)| verdict(pair.verdict)).collect()
    }

    /// The arms that have a verdict, the best first.
    fn judged_arms(&self) -> Vec<&'a ArmFindings> {
        let has_verdict =
            |name: &String| self.judged.iter().any(|(pair, _)| [&pair.a, &pair.b].contains(&name));
        self.scored.iter().map(|(arm, _)| *arm).filter(|arm| has_verdict(&arm.facts.name)).collect()
    }

    /// What was found.
    fn found(&self) -> String {
        if self.judged.is_empty() {
            return "This run cannot say which objective is better.".into();
        }
        let apart = self.with(Verdict::is_apart);
        let groups = leaders(&apart, &self.scored, false);
        let (Some(group), Some(best)) = (groups.first(), self.judged_arms().first().copied()) else {
            let (low, high) = (self.scored[self.scored.len() - 1].1, self.scored[0].1);
            return format!(
                "No objective was found to be better than another: they scored {} to {} points out of 100.",
                points(low),
                points(high)
            );
        };
        let losers: Vec<&str> = group.leads.iter().map(|lead| lead.loser).collect();
        let winner = group.winners[0];
        let is_best = winner == best.facts.title;
        let highest = if is_best && losers.len() + 1 < self.judged_arms().len() {
            "scored highest and is"
        } else {
            "is"
        };
        let differences = || group.leads.iter().map(|lead| lead.difference);
        let (least, most) =
            (points(differences().fold(f64::INFINITY, f64::min)), points(differences().fold(0.0, f64::max)));
        let half = |range: Range| points((range.high - range.low) / 2.0);
        let by = match group.leads.as_slice() {
            [lead] => format!("{least} points out of 100, give or take {}", half(lead.interval)),
            _ if least == most => format!("{least} points out of 100"),
            _ => format!("{least} to {most} points out of 100"),
        };
        let all = if apart.len() > losers.len() && self.findings.pairs.len() > 1 {
            format!("; in all, {} of {} pairs differ", word(apart.len()), word(self.findings.pairs.len()))
        } else {
            String::new()
        };
        format!("{winner} {highest} better than {}, by {by}{all}.", names(&losers, self.scored.len()))
    }

    /// How sure it is.
    fn how_sure(&self) -> String {
        if self.judged.is_empty() {
            return String::new();
        }
        let rests = format!("This rests on {}", self.runs());
        if self.with(Verdict::is_apart).is_empty() {
            return format!("{rests}.");
        }
        let error = 1.0 - self.findings.config.level;
        let share = match (1.0 / error).round() {
            whole if (whole * error - 1.0).abs() < 1e-6 => format!("1 in {}", number(whole, 0)),
            _ => percent(error),
        };
        format!("{rests}; at most {share} such studies finds a difference where there is none.")
    }

    /// `6 runs of each objective`, of those with a verdict.
    fn runs(&self) -> String {
        let counts = || self.judged.iter().flat_map(|(pair, _)| [pair.runs.0, pair.runs.1]);
        let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
        let count = if least == most { least.to_string() } else { format!("{least} to {most}") };
        match self.findings.test_sets {
            TestSets::Shared => format!("{count} runs of each objective"),
            TestSets::OnePerLanguage => format!("{count} languages, with a run of each objective on each"),
        }
    }

    /// What was not found, and how large it can be all the same.
    fn not_found(&self) -> String {
        let mut clauses = Vec::new();
        let open = self.with(|verdict| verdict == Verdict::NotDistinguishable);
        let far = |(_, test): &(&Comparison, &Test)| test.interval.high.max(-test.interval.low);
        let most = points(open.iter().map(far).fold(0.0, f64::max));
        let all = self.judged.len();
        match open.len() {
            0 => {}
            1 => clauses.push(format!(
                "no difference was found between {}, but with so few runs one of up to {most} points can stay hidden",
                who(&open, &self.scored, all == 1)
            )),
            several => {
                let who = match who(&open, &self.scored, all == several) {
                    counted if counted.ends_with(" pairs") => format!("in {counted}"),
                    titles => format!("between any of {titles}"),
                };
                clauses.push(format!(
                    "no difference was found {who}, but with so few runs differences of up to {most} points can stay hidden"
                ));
            }
        }
        let same = self.with(|verdict| verdict == Verdict::Same);
        if let (Some(margin), false) = (self.findings.config.margin, same.is_empty()) {
            let who = who(&same, &self.scored, same.len() == all);
            clauses.push(format!("{who} are the same within {} points", points(margin)));
        }
        capital(&clauses.join("; "))
    }

    /// Arms without a verdict, and why.
    fn without_verdict(&self) -> String {
        let runs = |name: &str| {
            self.findings.pairs.iter().find_map(|pair| match name {
                name if pair.a == name => Some(pair.runs.0),
                name if pair.b == name => Some(pair.runs.1),
                _ => None,
            })
        };
        let (mut few, mut in_part) = (Vec::new(), Vec::new());
        for (arm, _) in &self.scored {
            let count = runs(&arm.facts.name).unwrap_or(0);
            let off = arm.take_off.as_ref().filter(|counted| counted.is_in_part());
            match off {
                _ if count < FEWEST_RUNS => few.push((&arm.facts.title, count)),
                Some(counted) => {
                    in_part.push((&arm.facts.title, format!("{} of {}", counted.took_off, counted.runs)));
                }
                None => {}
            }
        }
        let noun = match self.findings.test_sets {
            TestSets::Shared => "runs",
            TestSets::OnePerLanguage => "languages",
        };
        let mut clauses = Vec::new();
        let needed = format!("too few {noun} for a verdict, which takes {}", word(FEWEST_RUNS));
        let same = few.iter().all(|(_, count)| *count == few[0].1);
        match few.as_slice() {
            [] => {}
            [(_, count), _, ..] if same && few.len() == self.scored.len() => {
                clauses.push(format!("every objective has {needed}: {count}"));
            }
            [(arm, count)] => clauses.push(format!("{arm} has {needed}: {count}")),
            several => {
                let arms: Vec<String> =
                    several.iter().map(|(arm, count)| format!("{arm} ({count})")).collect();
                clauses.push(format!("{} have {needed}", list(&arms)));
            }
        }
        let learned = "learned more than how frequent words are";
        match in_part.as_slice() {
            [] => {}
            [(arm, count)] => clauses.push(format!("{arm} gets no verdict, as only {count} runs {learned}")),
            several => {
                let arms: Vec<String> =
                    several.iter().map(|(arm, count)| format!("{arm} ({count})")).collect();
                clauses.push(format!("{} get no verdict, as only so many runs {learned}", list(&arms)));
            }
        }
        capital(&clauses.join("; "))
    }

    /// What it means for somebody who has to choose.
    fn choice(&self) -> String {
        let doubtful = self
            .findings
            .controls
            .iter()
            .any(|control| control.passed == Some(false) && control.comparison.verdict.is_apart());
        if doubtful {
            return "A control came out wrong, so nothing here should guide a choice.".into();
        }
        if self.judged.is_empty() {
            return "Nothing here should guide a choice yet.".into();
        }
        let apart = self.with(Verdict::is_apart);
        let is_beaten =
            |arm: &&&ArmFindings| apart.iter().any(|(pair, _)| winner_first(pair).1 == arm.facts.name);
        let arms = self.judged_arms();
        let left: Vec<&ArmFindings> = arms.iter().filter(|arm| !is_beaten(arm)).copied().collect();
        let titles = list(&left.iter().map(|arm| arm.facts.title.as_str()).collect::<Vec<_>>());
        let is_unhelped = |arm: &&ArmFindings| {
            let pairs = self.findings.scratch.iter().filter(|pair| pair.a == arm.facts.name);
            pairs.clone().any(|pair| pair.verdict.is_judged() && pair.verdict != Verdict::Better)
        };
        if left.iter().all(is_unhelped) {
            let verb = if left.len() == 1 { "was" } else { "were" };
            return format!(
                "Nothing here should guide a choice: {titles} {verb} not found to be better than no pre-training at all."
            );
        }
        let like = "For a model, text and budget like these";
        let cost = match self.findings.plan.matched {
            Matched::Steps => ", if its cost suits: equal steps are not equal compute",
            Matched::Flops => "",
        };
        match left.len() {
            1 => format!("{like}, choose {titles}{cost}."),
            count if count < arms.len() => {
                let among = if count == 2 { "between" } else { "among" };
                let rank = self.findings.ranks.iter().find(|rank| rank.arm == left[0].facts.name);
                let probable = rank.map_or_else(String::new, |rank| {
                    format!(
                        " ({} is the best with a probability of {})",
                        left[0].facts.title,
                        probability(rank.p_best)
                    )
                });
                format!(
                    "{like}, choose {among} {titles} by cost: which scores higher is not known{probable}."
                )
            }
            _ => format!("{like}, the scores give no reason to prefer one: choose by cost, or add runs."),
        }
    }
}

/// A sentence of clauses; empty without any.
fn capital(clauses: &str) -> String {
    if clauses.is_empty() { String::new() } else { format!("{}.", format::capital(clauses)) }
}
