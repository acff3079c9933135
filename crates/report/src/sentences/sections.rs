//! The words of the sections: verdicts, rules, how to read tables and charts.

use electra_analysis::{
    ArmFindings, Expectation, FEWEST_RUNS, FamilyFindings, Findings, Matched, Role, TestSets, Verdict,
};

use crate::format::{count, list, number, percent, points, word};

/// What was equal for all arms.
pub(crate) fn matched(matched: Matched) -> &'static str {
    match matched {
        Matched::Steps => "steps",
        Matched::Flops => "FLOPs",
    }
}

/// The same of a study, and which arms have something else equal.
pub(crate) fn equal_for_all(findings: &Findings) -> String {
    let others = findings.arms.iter().filter(|arm| arm.facts.flops_of.is_some()).count();
    let matched = matched(findings.plan.matched);
    let equal = match others {
        0 => matched.into(),
        1 => format!("{matched}, but for one arm with the FLOPs of another"),
        others => format!("{matched}, but for {} arms with the FLOPs of others", word(others)),
    };
    // From which checkpoint of which arm stands among the settings.
    match findings.arms.iter().filter(|arm| arm.facts.continues.is_some()).count() {
        0 => equal,
        1 => format!(
            "{equal}; one arm goes on from a checkpoint of another, whose {matched} until then count as its own"
        ),
        others => format!(
            "{equal}; {} arms go on from checkpoints of others, whose {matched} until then count as their own",
            word(others)
        ),
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

/// Above the sentences that may be quoted.
pub(crate) const QUOTES: &str =
    "Each sentence may be quoted as it stands. Points are of 100; the intervals of all pairs hold together.";

/// How to read the ranks.
pub(crate) fn ranks(findings: &Findings) -> String {
    let drawn = match findings.test_sets {
        TestSets::Shared => "Student's t and the choice of test examples",
        TestSets::OnePerLanguage => "Student's t",
    };
    format!(
        "P(best) is the probability that an objective's mean is the highest of these, given these runs and no other knowledge: all means are drawn {} times, by {drawn}. The ranks are those of {} of the draws. An objective without two runs, or of which not all runs took off, has no rank. P(best) is no verdict: it says where to look next, and verdicts say what was found. The effect size is the distance from the first in standard deviations of a run.",
        count(findings.config.draws as f64),
        percent(findings.config.level),
    )
}

/// How to read the learning curves.
pub(crate) fn learning(any_lost: bool) -> String {
    let lost = if any_lost { " A dashed line is a run that did not take off." } else { "" };
    format!(
        "Each thin line is one run, over the share of its budget.{lost} A score on the way is of a checkpoint whose learning rate was still high, so that the last step up belongs to the schedule. A dotted line is where a run counts as having taken off, if that diagnostic decides."
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
    let named = if config.pairs.is_empty() {
        ""
    } else {
        " The plan named the pairs before the runs; no other pair was compared."
    };
    let family = match findings.pairs.len() {
        1 => "It is the interval of this one pair".into(),
        pairs => format!(
            "All {pairs} intervals together hold the truth in at least {level} of such studies (Šidák's correction)"
        ),
    };
    let mut text = vec![format!(
        "A verdict follows from the interval of the difference alone. If it is above 0, the first objective is better; if it is below 0, worse. {family}, so a difference that does not exist is found in at most {} of them.{named}",
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

/// What a family of scores is, and that it is not part of the study's score.
pub(crate) fn family(family: &FamilyFindings) -> String {
    let what = match family.name.as_str() {
        "zero-shot" => {
            "each encoder's own head is asked which of two sentences is the better one; a tie counts one half"
        }
        "embeddings" => {
            "the cosine of two texts' vectors, each the mean of the last layer over its tokens, is compared with how alike the texts are; the score is Spearman's correlation, and nothing is trained"
        }
        "probes" => {
            "the encoder stays as it is, and a ridge regression in closed form maps its hidden states to the labels, so there is no noise of fine-tuning"
        }
        _ => "another measure of the same runs",
    };
    let rule = "It is no part of the scores above and is judged by the same rule.";
    format!("{}: {what}. {rule}", family.title)
}

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
