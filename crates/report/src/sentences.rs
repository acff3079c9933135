//! Every sentence of the report, made by rules from the findings.

use electra_analysis::{
    ArmFindings, Caveat, Claim, Comparison, Control, CurvePoint, Estimate, Expectation, FEWEST_RUNS,
    Findings, Matched, Note, Ordering, PaperOrdering, Role, TaskComparisons, TaskFacts, Test, TestSets,
    Verdict,
};
use serde::Serialize;

use crate::format::{list, number, percent, plural, points, range, sentence, signed, word};
use crate::groups::{Group, Lead, groups, judged, judged_arms, leaders, scored};

/// With more clauses than these the sentence on tasks counts, and the table says which.
const MOST_CLAUSES: usize = 8;

/// What can and cannot be concluded, in sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// One sentence: what the run shows and what it does not.
    pub sentence: String,
    /// Whether the paper's ordering is in it; open if the run proves nothing.
    pub ordering: PaperOrdering,
    /// The same as a sentence.
    pub ordering_sentence: String,
    /// What single tasks show, as a sentence; empty if there is one task, or if the run proves nothing.
    pub tasks_sentence: String,
    /// What qualifies it: a plan that proves nothing, controls that did not come out, failures.
    pub caveats: Vec<String>,
}

/// Says what can and cannot be concluded from findings.
#[must_use]
pub fn conclude(findings: &Findings) -> Conclusion {
    let shown = shown(findings);
    let tasks_sentence = on_tasks(findings);
    let mut caveats: Vec<String> =
        findings.caveats().iter().map(|caveat| said_of(caveat, findings)).collect();
    let Some(reason) = &findings.plan.proves_nothing else {
        let ordering = findings.ordering();
        let ordering_sentence = paper(&ordering, findings);
        let ordering = ordering.answer;
        return Conclusion { sentence: shown, ordering, ordering_sentence, tasks_sentence, caveats };
    };
    let would_say = [shown, tasks_sentence].join(" ");
    let would_say = would_say.trim_end();
    caveats.insert(0, format!("What its numbers would say if they were to prove anything: {would_say}"));
    Conclusion {
        sentence: format!("This run proves nothing. {}", sentence(reason)),
        ordering: PaperOrdering::Open,
        ordering_sentence: "It does not show whether the paper's ordering holds.".into(),
        tasks_sentence: String::new(),
        caveats,
    }
}

// The arms ---------------------------------------------------------------------------------------------------------

/// The sentence on the arms.
fn shown(findings: &Findings) -> String {
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
        let counted = arm.take_off.as_ref().filter(|counted| counted.took_off < counted.runs)?;
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
fn names(names: &[&str], all: usize) -> String {
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
fn who(pairs: &[(&Comparison, &Test)], scored: &[(&ArmFindings, f64)], alone: bool) -> String {
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
fn reach(open: &[(&Comparison, &Test)], level: f64) -> String {
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

// The paper's ordering ---------------------------------------------------------------------------------------------

/// The answer on the paper's ordering in a few words.
pub(crate) fn answer(ordering: PaperOrdering) -> &'static str {
    match ordering {
        PaperOrdering::Appears => "appears",
        PaperOrdering::Partly => "in part",
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
fn paper(ordering: &Ordering, findings: &Findings) -> String {
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
    let single = format!("the one of its {total_in_words} differences that this run looks at");
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
        PaperOrdering::Contradicted if reversed.is_empty() => {
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

fn is_or_are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

// Single tasks -----------------------------------------------------------------------------------------------------

/// A task's title, or the name itself if no task has it.
pub(crate) fn task_title<'a>(findings: &'a Findings, name: &'a str) -> &'a str {
    findings.tasks.iter().find(|facts| facts.name == name).map_or(name, |facts| &facts.title)
}

/// The pairs of all tasks on which an interval decides.
fn judged_on_tasks(findings: &Findings) -> Vec<(&Comparison, &Test)> {
    findings.task_pairs.iter().flat_map(|task| judged(&task.pairs)).collect()
}

/// What single tasks show; empty if there is no verdict on any.
fn on_tasks(findings: &Findings) -> String {
    let judged = judged_on_tasks(findings);
    if judged.is_empty() {
        return String::new();
    }
    let comparisons = plural(judged.len(), "comparison");
    let start = format!("Of {comparisons} on single tasks, with a correction of their own,");
    let apart = |task: &TaskComparisons| task.pairs.iter().filter(|pair| pair.verdict.is_apart()).count();
    let counts: Vec<(&str, usize)> = findings
        .task_pairs
        .iter()
        .map(|task| (task_title(findings, &task.task), apart(task)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    if all == 0 {
        return format!("{start} none is significant: {}.", reach(&judged, findings.config.level));
    }
    let clauses: Vec<Vec<String>> = findings.task_pairs.iter().map(|task| on_task(findings, task)).collect();
    let which = if clauses.iter().map(Vec::len).sum::<usize>() > MOST_CLAUSES {
        let counts: Vec<String> = counts.iter().map(|(title, count)| format!("{count} on {title}")).collect();
        format!("{}; the table under \"Task by task\" says which", list(&counts))
    } else {
        let on = |(task, clauses): (&TaskComparisons, &Vec<String>)| {
            let said = clauses.join(", and ");
            (!said.is_empty()).then(|| format!("on {}, {said}", task_title(findings, &task.task)))
        };
        findings.task_pairs.iter().zip(&clauses).filter_map(on).collect::<Vec<_>>().join("; ")
    };
    format!("{start} {} {} significant: {which}.", word(all), is_or_are(all))
}

/// The verdicts on a task, in clauses.
fn on_task(findings: &Findings, task: &TaskComparisons) -> Vec<String> {
    let all = judged_arms(findings, task).len();
    let titles =
        |names: &[&str]| names.iter().map(|name| findings.title(name).to_owned()).collect::<Vec<_>>();
    let clause = |group: Group<'_>| {
        let (arms, others) = (titles(&group.arms), titles(&group.others));
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let side = if group.above { "above" } else { "below" };
        format!("{} {} {side} {}", list(&arms), is_or_are(arms.len()), names(&others, all))
    };
    groups(findings, task).into_iter().map(clause).collect()
}

/// The paragraph under the table of pairs by task; none if there is no verdict on any.
pub(crate) fn rule_on_tasks(findings: &Findings) -> Option<String> {
    let judged = judged_on_tasks(findings).len();
    let all: usize = findings.task_pairs.iter().map(|task| task.pairs.len()).sum();
    if judged == 0 {
        return None;
    }
    let dash = if judged < all {
        " A dash is a pair without enough runs, or of which not all took off."
    } else {
        ""
    };
    Some(format!(
        "The rule is that of the mean, with the noise and the predictions of the task alone. The intervals hold together over all {all} comparisons of this table, apart from those of the mean: do not mix the two families.{dash}"
    ))
}

// What qualifies the conclusion --------------------------------------------------------------------------------------

fn said_of(caveat: &Caveat<'_>, findings: &Findings) -> String {
    match caveat {
        Caveat::Control(control) => failed(control, findings),
        Caveat::Unhelped(names) => {
            let titles: Vec<&str> = names.iter().map(|name| findings.title(name)).collect();
            format!(
                "No advantage over the same encoder without pre-training was found for {}: what is compared there may be fine-tuning and chance alone.",
                list(&titles),
            )
        }
        Caveat::OneRun => {
            "The difference from an objective with a single run has no interval: a second run can reverse it."
                .into()
        }
        Caveat::NotAllTookOff(arms) => {
            let said = arms.iter().filter_map(|arm| {
                let counted = arm.take_off.as_ref()?;
                let (low, high) = (percent_of(counted.share.low), percent_of(counted.share.high));
                let score = counted.score.as_ref();
                let score = score.map_or_else(String::new, |score| {
                    format!("; those that did scored {}", points(score.mean))
                });
                Some(format!(
                    "{} of {} runs of {} took off ({} interval of the share {low} to {high} %{score})",
                    counted.took_off,
                    counted.runs,
                    arm.facts.title,
                    percent(findings.config.level),
                ))
            });
            let said: Vec<String> = said.collect();
            format!(
                "{}. A mean over both kinds of runs says little, so there is no verdict on it.",
                list(&said)
            )
        }
        Caveat::WithoutExamples => {
            "Some intervals account for the choice of runs alone, and not for the choice of test examples."
                .into()
        }
        Caveat::Failures(1) => "1 job failed; the list is below.".into(),
        Caveat::Failures(jobs) => format!("{jobs} jobs failed; the list is below."),
    }
}

/// A share in whole percent.
fn percent_of(share: f64) -> String {
    number(100.0 * share, 0)
}

/// A defect that is missed says how small a difference is missed; a difference between equals, that verdicts are wrong.
fn failed(control: &Control, findings: &Findings) -> String {
    let Comparison { a, b, difference, verdict, .. } = &control.comparison;
    let expected = match expectation(findings, a) {
        Expectation::Worse => "worse than",
        Expectation::Same | Expectation::Open => "not distinguishable from",
    };
    let doubtful = "the other verdicts are as doubtful";
    let (found, consequence) = match verdict {
        Verdict::Better => ("better", doubtful),
        Verdict::Worse => ("worse", doubtful),
        _ => ("not distinguishable from it", "the study misses a defect of that size"),
    };
    let by = difference.map_or_else(String::new, |difference| format!(" ({} points)", signed(difference)));
    format!(
        "A control failed: {} should be {expected} {}, but is {found}{by}; {consequence}.",
        findings.title(a),
        findings.title(b),
    )
}

/// What has to come out of a control.
pub(crate) fn expectation(findings: &Findings, control: &str) -> Expectation {
    match findings.arms.iter().find(|arm| arm.facts.name == control).map(|arm| &arm.facts.role) {
        Some(Role::Control { expects, .. }) => *expects,
        _ => Expectation::Open,
    }
}

/// What a reader has to know of the data.
pub(crate) fn notes(findings: &Findings) -> Vec<String> {
    let note = |note: &Note<'_>| match note {
        Note::TaskLeftOut { task } => format!("No run has a score of {task}: it is left out of the mean."),
        Note::IncompleteRuns { arm, runs: 1 } => {
            format!("{}: 1 run lacks a task or the end of the budget, and is not counted.", arm.facts.title)
        }
        Note::IncompleteRuns { arm, runs } => format!(
            "{}: {runs} runs lack a task or the end of the budget, and are not counted.",
            arm.facts.title
        ),
        Note::NoRun { arm } => format!("{}: no run finished.", arm.facts.title),
        Note::FewerRuns { arm, planned } => {
            format!("{}: {} of {planned} planned runs finished.", arm.facts.title, arm.runs.len())
        }
    };
    findings.notes().iter().map(note).collect()
}

// Sections ---------------------------------------------------------------------------------------------------------

/// What was equal for all arms.
pub(crate) fn matched(matched: Matched) -> &'static str {
    match matched {
        Matched::Steps => "steps",
        Matched::Flops => "FLOPs",
    }
}

/// As the report writes a verdict.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Same => "the same within the margin",
        Verdict::NotDistinguishable => "not distinguishable",
        Verdict::TooFewRuns => "too few runs",
        Verdict::NotAllTookOff => "not all runs took off",
    }
}

/// Under the chart of scores.
pub(crate) fn marks(findings: &Findings) -> String {
    format!(
        "Each mark is one pre-training run; the tick is their mean, the bar its {} interval by Student's t, cut off where it would run off the chart. It is for one objective alone; to compare two, look at the pairs.",
        percent(findings.config.level),
    )
}

/// How to read the curves, and which seeds they are of if not of all.
pub(crate) fn curves(findings: &Findings) -> String {
    let text = "A truncated point is a longer run on its way, whose learning rate was still high; a point of its own schedule is a run that was planned to end there. Only points of one kind can be compared. The band reaches from the lowest seed to the highest.";
    let arms = findings.arms.iter().filter(|arm| arm.facts.role == Role::Arm && arm.curve.len() > 1);
    let least = |arm: &ArmFindings| arm.curve.iter().map(|point| point.score.runs).min().unwrap_or(0);
    let seeds: Vec<(&str, usize, usize)> =
        arms.map(|arm| (arm.facts.title.as_str(), least(arm), arm.seeds.len())).collect();
    if seeds.iter().all(|(_, joined, all)| joined >= all) {
        return text.into();
    }
    let share = |(_, joined, all): &(&str, usize, usize)| format!("{joined} of {all}");
    let said = if seeds.iter().all(|arm| share(arm) == share(&seeds[0])) {
        format!("{} of each objective", share(&seeds[0]))
    } else {
        list(&seeds.iter().map(|arm| format!("{} of {}", share(arm), arm.0)).collect::<Vec<_>>())
    };
    let alone = if seeds.iter().any(|(_, joined, _)| *joined == 1) {
        " One seed alone has no band, so its spread is unknown."
    } else {
        ""
    };
    format!(
        "{text} A line joins the same seeds throughout, those that were scored at all of its points: {said}. Its end can therefore differ from the objective's score above, which is over all seeds.{alone}"
    )
}

/// The rule of the verdicts, with this study's numbers: paragraphs.
pub(crate) fn rule(findings: &Findings) -> Vec<String> {
    let config = &findings.config;
    let level = percent(config.level);
    let family = match findings.pairs.len() {
        1 => "It is the interval of this one pair".into(),
        pairs => format!(
            "All {pairs} intervals together hold the truth in at least {level} of such studies (Šidák's correction)"
        ),
    };
    let mut text = vec![format!(
        "A verdict follows from the interval of the difference alone. If it is above 0, the first objective is better; if it is below 0, worse. {family}, so a difference that does not exist is found in at most {} of them.",
        percent(1.0 - config.level),
    )];
    text.push(match config.margin {
        Some(margin) => format!(
            "If the interval holds 0 and lies within ± {0} points, the two are the same within ± {0} points, the margin that the plan names. If it reaches beyond, they are not distinguishable: the difference can be as large as the interval's ends.",
            points(margin),
        ),
        None => "If the interval holds 0, the two are not distinguishable: the difference can be as large as the interval's ends. The plan names no margin, so no two are called the same.".into(),
    });
    text.push(match (findings.test_sets, findings.noise.languages) {
        (TestSets::OnePerLanguage, Some(languages)) => format!(
            "Each seed has a language of its own, with text and test sets of its own, the same for all objectives: verdicts are about such languages, not about one of them. Each objective's runs have a variance of their own; what a language does to all of them alike (standard deviation {} points) is taken out. The model is fitted by restricted maximum likelihood, with Satterthwaite's degrees of freedom.",
            points(languages),
        ),
        _ => "All runs have one test set. Each objective's runs have a variance of their own (Welch's t, with Satterthwaite's degrees of freedom). Where predictions are there, the choice of test examples adds its own variance, found by drawing the examples anew.".into(),
    });
    text.push(format!(
        "With fewer than {} runs of an objective there is no verdict. Nor is there where some of its runs took off and some did not: no interval of a mean over both is right.",
        word(FEWEST_RUNS),
    ));
    let pooled: Vec<String> = findings
        .arms
        .iter()
        .filter(|arm| !arm.pooled.is_empty())
        .map(|arm| {
            let names: Vec<&str> = arm.pooled.iter().map(|name| findings.title(name)).collect();
            format!(
                "The runs of {} count as runs of {}: the control came out as the same.",
                list(&names),
                arm.facts.title
            )
        })
        .collect();
    if !pooled.is_empty() {
        text.push(pooled.join(" "));
    }
    text
}

/// What came out of the controls.
pub(crate) fn controls(findings: &Findings) -> String {
    let judged: Vec<bool> = findings.controls.iter().filter_map(|control| control.passed).collect();
    let came_out = judged.iter().filter(|passed| **passed).count();
    let verdict = match (came_out, judged.len()) {
        (_, 0) => "There are too few runs to judge them, or not all took off.".into(),
        (1, 1) => "It was found.".into(),
        (2, 2) => "Both were found.".into(),
        (a, b) if a == b => format!("All {} were found.", word(b)),
        (a, b) => format!("{a} of {b} were found."),
    };
    let is_same =
        |arm: &ArmFindings| matches!(arm.facts.role, Role::Control { expects: Expectation::Same, .. });
    let caution = if findings.arms.iter().any(is_same) {
        " That the same objective under two names is not distinguishable means more, the narrower the interval is."
    } else {
        ""
    };
    format!(
        "The result of a control is known beforehand, and the same rule has to find it. {verdict}{caution}"
    )
}

/// What pre-training is worth.
pub(crate) fn helps(findings: &Findings) -> String {
    let with = |verdict: Verdict| -> Vec<&str> {
        let pairs = findings.scratch.iter().filter(|pair| pair.verdict == verdict);
        pairs.map(|pair| findings.title(&pair.a)).collect()
    };
    let mut text = "Each objective is compared with the same encoder, fine-tuned in the same way from its initial values. The rule is that of the pairs.".to_owned();
    for (verdict, what) in [
        (Verdict::Better, "Pre-training helps with"),
        (Verdict::Same, "It makes no difference beyond the margin with"),
        (Verdict::NotDistinguishable, "No help was found with"),
        (Verdict::Worse, "Pre-training does harm with"),
        (Verdict::TooFewRuns, "There are too few runs for a verdict with"),
        (Verdict::NotAllTookOff, "There is no verdict, as not all runs took off, with"),
    ] {
        let titles = with(verdict);
        if !titles.is_empty() {
            text.push_str(&format!(" {what} {}.", list(&titles)));
        }
    }
    text
}

/// Above the diagnostics.
pub(crate) const DIAGNOSTICS: &str = "What the objectives reported during training. Losses of different objectives measure different things: a lower loss does not mean a better encoder. The masked-LM loss is the generator's where an objective has a generator; the kept encoder's own is called so.";

/// Above the tables of replacements.
pub(crate) const KINDS: &str = "After its training each run filled masks that it had not seen, and each sample was looked up in the language's lexicon. A right sample is the original token and replaces nothing. A sample of the same features is another word of the same class with the same features in the lexicon; one of the same class differs in a feature such as number or meaning; one of another class is any other word. Unlisted are parts of words and special tokens.";

/// What the masked-LM loss is, and how low it can be.
pub(crate) fn masked_lm_loss(findings: &Findings) -> String {
    let mut text =
        "The masked-LM loss is the generator's; without a generator it is the encoder's own, with its own masks, some of which may show the word."
            .to_owned();
    if let Some(language) = &findings.language {
        text.push_str(&format!(
            " The grammar itself leaves {} nats open where one word alone is hidden. Several are hidden at once, and a row may cut its document, so the least loss that a generator can have is somewhat higher.",
            number(language.entropy, 3),
        ));
    }
    text
}

/// What recall, false alarms and AUC are, and which of the detecting arms learnt at masked positions alone.
pub(crate) fn detection(findings: &Findings, detecting: &[&ArmFindings]) -> String {
    let mut text = "Recall is the share of a kind that is called replaced, by the discriminator or by the copy gate, at probability one half; false alarms are the share of tokens that were not replaced and are called replaced. AUC is the probability that one of the kind looks more replaced than a token that was not: chance is .5, and some of what is above it comes from knowing which words are often replaced, not from seeing an error.".to_owned();
    let masked_alone = findings.objectives.iter().filter(|objective| {
        objective.masked_positions_alone && detecting.iter().any(|arm| arm.facts.objective == objective.name)
    });
    for objective in masked_alone {
        text.push_str(&format!(
            " {} has learnt at masked positions alone, most of which are replaced, but is asked about all positions: it calls many tokens replaced.",
            objective.title,
        ));
    }
    text
}

// Charts in words, for who cannot see them --------------------------------------------------------------------------

/// The scores of arms.
pub(crate) fn describe_scores(scored: &[(&ArmFindings, &Estimate)]) -> String {
    let said = scored.iter().map(|(arm, score)| {
        let (low, high, runs) = (points(score.min), points(score.max), plural(score.runs, "run"));
        format!("{} {} ({low} to {high}, {runs})", arm.facts.title, points(score.mean))
    });
    let said: Vec<String> = said.collect();
    format!("Mean of tasks times 100, one mark a run, with mean and interval: {}.", said.join("; "))
}

/// The differences of pairs.
pub(crate) fn describe_differences(findings: &Findings, pairs: &[&Comparison]) -> String {
    let said = pairs.iter().map(|pair| {
        let difference = pair.difference.map_or_else(String::new, signed);
        let (a, b) = (findings.title(&pair.a), findings.title(&pair.b));
        format!("{a} minus {b} {difference}, {}", verdict(pair.verdict))
    });
    let said: Vec<String> = said.collect();
    format!("Differences in points with their intervals: {}.", said.join("; "))
}

/// Scores by compute.
pub(crate) fn describe_curves(curves: &[(&ArmFindings, &[&CurvePoint])]) -> String {
    let said = curves.iter().map(|(arm, curve)| {
        let said = |point: &&CurvePoint| format!("{} at {}", points(point.score.mean), percent(point.share));
        format!("{}: {}", arm.facts.title, curve.iter().map(said).collect::<Vec<_>>().join(", "))
    });
    let said: Vec<String> = said.collect();
    format!(
        "Lines of the mean over the same seeds throughout; bands from the lowest to the highest seed. {}.",
        said.join(". ")
    )
}

/// Scores by task.
pub(crate) fn describe_tasks(tasks: &[&TaskFacts]) -> String {
    let titles: Vec<&str> = tasks.iter().map(|task| task.title.as_str()).collect();
    format!(
        "One panel a task, one row an objective, one mark a seed: {}. The table has the numbers.",
        titles.join(", ")
    )
}

/// Diagnostics by their titles.
pub(crate) fn describe_diagnostics(titles: &[&str]) -> String {
    format!(
        "One panel a diagnostic over the steps of training, one line an objective: {}. The table has the last values.",
        titles.join(", ")
    )
}
