//! What the report says, on many made-up tables: whether it is true, and whether it is English.

use std::fs;

use electra_analysis::{
    AnalysisConfig, Comparison, DiagnosticPoint, Expectation, Failure, Findings, Measurements, PaperOrdering,
    Role, TaskFacts, Verdict, analyse,
};
use electra_report::{Conclusion, conclude, write};
use proptest::prelude::*;

use crate::table::{PAPER, facts, measurements, results, run};

fn conclusion(arms: &[(&str, &[f64])]) -> Conclusion {
    let mut conclusion = conclude(&results(arms));
    conclusion.sentence = conclusion.sentence.replace('\u{a0}', " ");
    conclusion.ordering_sentence = conclusion.ordering_sentence.replace('\u{a0}', " ");
    conclusion
}

const CLOSE: &[f64] = &[60.0, 61.0, 62.0, 60.5, 61.5];
const NEAR: &[f64] = &[61.0, 60.5, 62.9, 60.9, 61.2];
const ABOVE: &[f64] = &[63.0, 64.1, 65.1, 63.6, 64.6];

#[test]
fn two_that_are_level() {
    let found = conclusion(&[("mlm", CLOSE), ("electra", NEAR)]);
    assert_eq!(
        found.sentence,
        "At this budget ELECTRA and MLM are not distinguishable: the 95 % interval of their difference is −1.0 to 1.6.",
    );
    assert_eq!(found.ordering, PaperOrdering::Open);
    assert_eq!(
        found.ordering_sentence,
        "This run does not show whether the paper's ordering (BERT ≤ Replace MLM ≈ ELECTRA 15 % < All-Tokens MLM < ELECTRA) holds: the one of its seven differences that this run looks at is not found.",
    );
}

#[test]
fn one_that_leads_another() {
    let found = conclusion(&[("mlm", CLOSE), ("electra", ABOVE)]);
    assert_eq!(found.sentence, "At this budget ELECTRA leads MLM by 3.1 points (95 % interval 1.9 to 4.3).",);
    assert_eq!(found.ordering, PaperOrdering::Partly);
    assert!(
        found
            .ordering_sentence
            .ends_with("appears in the one of its seven differences that this run looks at.")
    );
}

#[test]
fn an_ordering_of_two_has_one_difference() {
    let said = |electra| {
        let mut study = measurements(&[("mlm", CLOSE), ("electra", electra)]);
        study.objectives.retain(|objective| ["mlm", "electra"].contains(&objective.name.as_str()));
        conclude(&analyse(&study, &AnalysisConfig::standard()).unwrap()).ordering_sentence
    };
    assert_eq!(said(ABOVE), "The paper's ordering (BERT < ELECTRA) appears: its one difference is found.");
    assert_eq!(
        said(NEAR),
        "This run does not show whether the paper's ordering (BERT < ELECTRA) holds: its one difference is not found."
    );
}

#[test]
fn the_other_way_round() {
    let found =
        conclusion(&[("mlm", ABOVE), ("electra", CLOSE), ("replace-mlm", &[63.1, 63.8, 65.3, 63.4, 64.9])]);
    assert_eq!(
        found.sentence,
        "At this budget Replace MLM leads ELECTRA by 3.1 points (95 % interval 1.4 to 4.8); MLM leads ELECTRA by 3.1 points (95 % interval 1.5 to 4.6); Replace MLM and MLM are not distinguishable: the 95 % interval of their difference is −1.7 to 1.7.",
    );
    assert_eq!(found.ordering, PaperOrdering::Contradicted);
    assert!(
        found.ordering_sentence.ends_with(
            "is contradicted: MLM is better than ELECTRA and Replace MLM is better than ELECTRA; of the two of its seven differences that this run looks at, none is found as the paper has it."
        ),
        "{}", found.ordering_sentence,
    );
}

#[test]
fn the_papers_own_table_with_little_noise() {
    let table = |noise: f64| -> Vec<[f64; 5]> {
        let wobble = [-2.0, 0.0, 2.0, 1.0, -1.0];
        let paper = [82.2, 82.4, 82.4, 84.3, 85.0];
        let score = |arm: usize| [0, 1, 2, 3, 4].map(|run| paper[arm] + noise * wobble[(run + arm) % 5]);
        (0..5).map(score).collect()
    };
    let of = |scores: &[[f64; 5]]| {
        let arms: Vec<(&str, &[f64])> =
            PAPER.iter().zip(scores).map(|((name, _), scores)| (*name, scores.as_slice())).collect();
        conclusion(&arms)
    };
    let found = of(&table(0.08));
    assert_eq!(found.ordering, PaperOrdering::Appears);
    assert!(
        found.ordering_sentence.contains("appears: all of its seven differences are found."),
        "{}",
        found.ordering_sentence
    );
    assert!(
        found.sentence.starts_with("At this budget ELECTRA leads the other four by 0.7 to 2.8 points; "),
        "{}",
        found.sentence
    );
    // With less noise the ties are told apart, which the paper does not have.
    let found = of(&table(0.01));
    assert_eq!(found.ordering, PaperOrdering::TiesApart);
    assert!(
        found.ordering_sentence.ends_with(
            "is contradicted in its ties alone: of its seven differences, seven are found and none is reversed. Of those that the paper has tied, Replace MLM is better than MLM and ELECTRA 15 % is better than MLM."
        ),
        "{}", found.ordering_sentence,
    );
}

#[test]
fn what_gets_no_verdict_is_said_with_its_reason() {
    let mut study = measurements(&[("mlm", CLOSE), ("electra", ABOVE), ("electra-15", &[62.0; 4])]);
    for run in study.runs.iter_mut().filter(|run| run.arm != "electra-15") {
        let auc = if run.arm == "electra" && run.seed == 2 { 0.5 } else { 0.9 };
        run.diagnostics = vec![DiagnosticPoint { step: 1, values: [("disc_auc".into(), auc)].into() }];
    }
    let found = conclude(&analyse(&study, &AnalysisConfig::standard()).unwrap());
    assert_eq!(
        found.sentence.replace('\u{a0}', " "),
        "ELECTRA scored 64.1, ELECTRA 15 % scored 62.0 and MLM scored 61.0, but there is no verdict: two pairs have too few runs for a verdict, which takes five of each objective; one pair has no verdict, as only 4 of 5 runs of ELECTRA took off.",
    );
    assert_eq!(
        found.caveats[0].replace('\u{a0}', " "),
        "4 of 5 runs of ELECTRA took off (95 % interval of the share 28 to 99 %; those that did scored 64.1). A mean over both kinds of runs says little, so there is no verdict on it.",
    );
    is_english(&found.sentence).unwrap();
}

#[test]
fn the_same_is_said_with_its_margin() {
    let study = measurements(&[("mlm", CLOSE), ("electra", NEAR), ("electra-15", ABOVE)]);
    let config = AnalysisConfig { margin: Some(3.0), ..AnalysisConfig::standard() };
    let found = conclude(&analyse(&study, &config).unwrap());
    let sentence = found.sentence.replace('\u{a0}', " ");
    let said = "; ELECTRA and MLM are the same within ± 3.0 points; no pair is left undecided.";
    assert!(sentence.ends_with(said), "{sentence}");
    is_english(&sentence).unwrap();
}

#[test]
fn one_run_gives_no_interval() {
    let found = conclusion(&[("mlm", &[60.0]), ("electra", &[64.0])]);
    assert_eq!(
        found.sentence,
        "ELECTRA scored 64.0 and MLM scored 60.0, but there is no verdict: the pair has too few runs for a verdict, which takes five of each objective.",
    );
    assert_eq!(found.ordering, PaperOrdering::Open);
    assert!(found.caveats.iter().any(|caveat| caveat.contains("a second run can reverse it")));
}

#[test]
fn nothing_and_next_to_nothing() {
    let none: &[f64] = &[];
    assert_eq!(
        conclusion(&[("mlm", none), ("electra", none)]).sentence,
        "No objective has a complete run, so this run shows nothing."
    );
    assert_eq!(
        conclusion(&[("mlm", CLOSE), ("electra", none)]).sentence,
        "Only MLM has a complete run (61.0 points, 5 runs), so there is nothing to compare.",
    );
    let other = conclusion(&[("rtd-uniform", CLOSE), ("mlm", ABOVE)]);
    assert!(
        other
            .ordering_sentence
            .ends_with("cannot be checked: this run does not have the objectives that it compares.")
    );
}

#[test]
fn a_plan_that_proves_nothing_says_so_first() {
    let mut study = measurements(&[("mlm", CLOSE), ("electra", ABOVE)]);
    study.plan.proves_nothing = Some("A quick plan, to see that everything runs".into());
    let found = conclude(&analyse(&study, &AnalysisConfig::standard()).unwrap());
    assert_eq!(found.sentence, "This run proves nothing. A quick plan, to see that everything runs.");
    assert_eq!(found.ordering, PaperOrdering::Open);
    assert!(found.caveats[0].contains("ELECTRA leads MLM"));
}

#[test]
fn caveats_name_what_went_wrong() {
    let mut study = measurements(&[("mlm", CLOSE), ("electra", ABOVE)]);
    let control = |expects| Role::Control { arm: "electra".into(), expects };
    study.arms.push(facts("again", control(Expectation::Same)));
    study.arms.push(facts("broken", control(Expectation::Worse)));
    study.arms.push(facts("scratch", Role::Scratch));
    for (seed, score) in (1..=5).zip([66.0, 67.1, 68.0, 66.5, 67.6]) {
        study.runs.push(run("again", seed, score));
        study.runs.push(run("broken", seed, score - 3.0));
        study.runs.push(run("scratch", seed, score - if seed == 3 { 6.9 } else { 7.0 }));
    }
    study.failures.push(Failure { job: "electra, seed 4".into(), message: "killed".into() });
    let caveats = conclude(&analyse(&study, &AnalysisConfig::standard()).unwrap()).caveats;
    assert_eq!(
        caveats,
        [
            "A control failed: again should be not distinguishable from ELECTRA, but is better (+3.0 points); the other verdicts are as doubtful.",
            "A control failed: broken should be worse than ELECTRA, but is not distinguishable from it (0.0 points); the study misses a defect of that size.",
            "No advantage over the same encoder without pre-training was found for MLM: what is compared there may be fine-tuning and chance alone.",
            "Some intervals account for the choice of runs alone, and not for the choice of test examples.",
            "1 job failed; the list is below.",
        ]
    );
}

#[test]
fn what_is_left_out_is_said_in_the_notes() {
    let mut study = measurements(&[("mlm", CLOSE), ("electra", &[60.0])]);
    study.arms.push(facts("gone", Role::Arm));
    study.tasks.push(TaskFacts { name: "other".into(), title: "Other".into(), ..study.tasks[0].clone() });
    let written = |study: &Measurements| {
        let folder = tempfile::tempdir().unwrap();
        write(&analyse(study, &AnalysisConfig::standard()).unwrap(), folder.path()).unwrap();
        fs::read_to_string(folder.path().join("report.md")).unwrap()
    };
    let text = written(&study);
    for note in [
        "- No run has a score of Other: it is left out of the mean.\n",
        "- ELECTRA: 1 of 5 planned runs finished.\n",
        "- gone: no run finished.\n",
    ] {
        assert!(text.contains(note), "{note}");
    }
    let mut scores = study.runs[0].checkpoints[0].scores.clone();
    scores[0].task = "other".into();
    study.runs[0].checkpoints[0].scores.extend(scores);
    let text = written(&study);
    assert!(!text.contains("left out of the mean"));
    for note in [
        "- MLM: 4 runs lack a task or the end of the budget, and are not counted.\n",
        "- ELECTRA: 1 run lacks a task or the end of the budget, and is not counted.\n",
    ] {
        assert!(text.contains(note), "{note}");
    }
}

/// Sentences that a reader would not stumble over.
pub(crate) fn is_english(text: &str) -> Result<(), TestCaseError> {
    prop_assert!(text.ends_with('.') && !text.ends_with(".."), "{text}");
    prop_assert!(text.starts_with(char::is_uppercase), "{text}");
    for bad in [
        "  ",
        " ,",
        " ;",
        " .",
        "()",
        "NaN",
        "inf",
        ";.",
        ",.",
        "; ;",
        "one are",
        "one have",
        "one pairs",
        "and and",
        "– points",
        "the other the",
    ] {
        prop_assert!(!text.contains(bad), "{bad:?} in {text}");
    }
    prop_assert_eq!(text.matches('(').count(), text.matches(')').count(), "{}", text);
    Ok(())
}

/// The paper's objectives that a text names.
pub(crate) fn names(text: &str) -> Vec<&'static str> {
    // Longest first, so that no name is found within another.
    let mut rest = text.to_owned();
    let mut found = Vec::new();
    for name in ["ELECTRA 15 %", "All-Tokens MLM", "Replace MLM", "ELECTRA", "MLM"] {
        if rest.contains(name) {
            rest = rest.replace(name, "");
            found.push(name);
        }
    }
    found
}

/// Every lead that the sentence tells is a verdict, and every verdict is told.
fn is_true(results: &Findings) -> Result<(), TestCaseError> {
    let sentence = conclude(results).sentence.replace('\u{a0}', " ");
    let title = |name: &str| PAPER.iter().find(|(paper, _)| *paper == name).unwrap().1;
    let mut leads = Vec::new();
    for pair in &results.pairs {
        match pair.verdict {
            Verdict::Better => leads.push((title(&pair.a), title(&pair.b))),
            Verdict::Worse => leads.push((title(&pair.b), title(&pair.a))),
            _ => {}
        }
    }
    let mut told = Vec::new();
    for clause in sentence.trim_start_matches("At this budget ").split("; ") {
        let Some((winners, losers)) = clause.split_once(" leads ").or_else(|| clause.split_once(" lead "))
        else {
            continue;
        };
        let losers = losers.split(" by ").next().unwrap().split(" (").next().unwrap().trim_end_matches('.');
        let winners = names(winners);
        let scored =
            results.arms.iter().filter(|arm| arm.score.is_some()).map(|arm| arm.facts.title.as_str());
        let losers: Vec<&str> = if losers.starts_with("the other") {
            scored.filter(|name| !winners.contains(name)).collect()
        } else {
            names(losers)
        };
        told.extend(winners.iter().flat_map(|winner| losers.iter().map(move |loser| (*winner, *loser))));
    }
    told.sort_unstable();
    leads.sort_unstable();
    prop_assert_eq!(&told, &leads, "{}", sentence);
    let level = results.pairs.iter().any(|pair| pair.verdict == Verdict::NotDistinguishable);
    prop_assert_eq!(sentence.contains("not distinguishable"), level, "{}", sentence);
    Ok(())
}

fn ordering_is_true(results: &Findings) -> Result<(), TestCaseError> {
    let height = |name: &str| PAPER.iter().position(|(paper, _)| *paper == name).unwrap().saturating_sub(2);
    let claims: Vec<Verdict> = results
        .pairs
        .iter()
        .filter(|pair| height(&pair.a) > height(&pair.b))
        .map(|pair| pair.verdict)
        .collect();
    let has = |verdict| claims.contains(&verdict);
    let tie = |pair: &&Comparison| height(&pair.a) == height(&pair.b) && pair.verdict.is_apart();
    let expected = if has(Verdict::Worse) {
        PaperOrdering::Contradicted
    } else if results.pairs.iter().any(|pair| tie(&pair)) {
        PaperOrdering::TiesApart
    } else if claims.len() == 7 && claims.iter().all(|verdict| *verdict == Verdict::Better) {
        PaperOrdering::Appears
    } else if has(Verdict::Better) {
        PaperOrdering::Partly
    } else {
        PaperOrdering::Open
    };
    prop_assert_eq!(conclude(results).ordering, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn sentences_are_true_and_english(
        means in prop::collection::vec(prop_oneof![Just(60.0), 50.0..70.0], 5),
        noise in prop::collection::vec(prop::collection::vec(-1.0..1.0f64, 3..8), 5),
        scale in prop_oneof![Just(0.0), Just(0.1), Just(1.0), Just(5.0)],
        present in 1_usize..=5,
        from in 0_usize..5,
    ) {
        let scores: Vec<Vec<f64>> = means
            .iter()
            .zip(&noise)
            .map(|(mean, noise)| noise.iter().map(|noise| mean + scale * noise).collect())
            .collect();
        let arms: Vec<(&str, &[f64])> =
            (0..present).map(|index| (index + from) % 5).map(|arm| (PAPER[arm].0, scores[arm].as_slice())).collect();
        let results = results(&arms);
        let conclusion = conclude(&results);
        is_english(&conclusion.sentence)?;
        is_english(&conclusion.ordering_sentence)?;
        for said in conclusion.caveats.iter().chain(&conclusion.opening).chain(&conclusion.quotes) {
            is_english(said)?;
        }
        prop_assert!((1..=5).contains(&conclusion.opening.len()), "{:?}", conclusion.opening);
        prop_assert_eq!(conclusion.quotes.len(), results.pairs.len());
        is_true(&results)?;
        ordering_is_true(&results)?;
    }
}
