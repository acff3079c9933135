//! The opening, the sentences to quote, ranks and runs that took off.

use std::fs;

use electra_analysis::{AnalysisConfig, DiagnosticPoint, Expectation, Findings, Measurements, Role, analyse};
use electra_report::{conclude, write};

use crate::table::{facts, measurements, results, run};

const CLOSE: &[f64] = &[60.0, 61.0, 62.0, 60.5, 61.5];
const NEAR: &[f64] = &[61.0, 60.5, 62.9, 60.9, 61.2];
const ABOVE: &[f64] = &[63.0, 64.1, 65.1, 63.6, 64.6];

fn opening(findings: &Findings) -> Vec<String> {
    conclude(findings).opening.iter().map(|sentence| sentence.replace('\u{a0}', " ")).collect()
}

fn quotes(findings: &Findings) -> Vec<String> {
    conclude(findings).quotes.iter().map(|sentence| sentence.replace('\u{a0}', " ")).collect()
}

fn markdown(findings: &Findings) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(findings, folder.path()).unwrap();
    fs::read_to_string(folder.path().join("report.md")).unwrap().replace('\u{a0}', " ")
}

/// Every run of these arms says whether it took off.
fn with_auc(study: &mut Measurements, auc: impl Fn(&str, u64) -> f64) {
    for run in &mut study.runs {
        let value = auc(&run.arm, run.seed);
        run.diagnostics = vec![DiagnosticPoint { step: 1, values: [("disc_auc".into(), value)].into() }];
    }
}

#[test]
fn one_that_leads_all_others() {
    let findings = results(&[("mlm", CLOSE), ("replace-mlm", NEAR), ("electra", ABOVE)]);
    assert_eq!(
        opening(&findings),
        [
            "ELECTRA is better than Replace MLM and MLM, by 2.8 to 3.1 points out of 100.",
            "This rests on 5 runs of each objective; at most 1 in 20 such studies finds a difference where there is none.",
            "No difference was found between Replace MLM and MLM, but with so few runs one of up to 2.0 points can stay hidden.",
            "For a model, text and budget like these, choose ELECTRA, if its cost suits: equal steps are not equal compute.",
        ]
    );
    assert_eq!(
        quotes(&findings)[1],
        "ELECTRA scored 3.1 points more than MLM on Task (simultaneous 95 % interval 1.5 to 4.6, p < 0.001; 5 runs of each, equal steps)."
    );
    assert!(quotes(&findings)[0].starts_with(
        "Replace MLM and MLM are not distinguishable on Task: Replace MLM scored 0.3 points more (simultaneous 95 % interval "
    ));
}

#[test]
fn nothing_found_is_not_equality() {
    let findings = results(&[("mlm", CLOSE), ("electra", NEAR)]);
    assert_eq!(
        opening(&findings),
        [
            "No objective was found to be better than another: they scored 61.0 to 61.3 points out of 100.",
            "This rests on 5 runs of each objective.",
            "No difference was found between ELECTRA and MLM, but with so few runs one of up to 1.6 points can stay hidden.",
            "For a model, text and budget like these, the scores give no reason to prefer one: choose by cost, or add runs.",
        ]
    );
    let config = AnalysisConfig { margin: Some(3.0), ..AnalysisConfig::standard() };
    let findings = analyse(&measurements(&[("mlm", CLOSE), ("electra", NEAR)]), &config).unwrap();
    assert_eq!(opening(&findings)[2], "ELECTRA and MLM are the same within 3.0 points.");
    assert!(
        quotes(&findings)[0]
            .starts_with("ELECTRA and MLM are the same within ± 3.0 points on Task: ELECTRA scored 0.3 points more (95 % interval ")
    );
}

#[test]
fn several_at_the_top_are_left_to_choose_from() {
    let findings =
        results(&[("mlm", CLOSE), ("replace-mlm", &[63.1, 63.8, 65.3, 63.4, 64.9]), ("electra", ABOVE)]);
    let said = opening(&findings);
    assert!(said[0].ends_with(" scored highest and is better than MLM, by 3.1 points out of 100, give or take 1.7; in all, two of three pairs differ."), "{said:?}");
    let choice = said.last().unwrap();
    let start = "For a model, text and budget like these, choose between Replace MLM and ELECTRA by cost: which scores higher is not known (Replace MLM is the best with a probability of ";
    assert!(choice.starts_with(start), "{choice}");
    let text = markdown(&findings);
    assert!(text.contains("## Which is the best?"));
    assert!(text.contains("| MLM | 3 | 61.0 | &lt; 1 % | 3 | "), "{text}");
}

#[test]
fn what_keeps_a_verdict_away_is_said_in_plain_words() {
    let mut study = measurements(&[("mlm", CLOSE), ("electra", ABOVE), ("electra-15", &[62.0; 4])]);
    with_auc(&mut study, |arm, seed| if arm == "electra" && seed == 2 { 0.5 } else { 0.9 });
    let findings = analyse(&study, &AnalysisConfig::standard()).unwrap();
    assert_eq!(
        opening(&findings),
        [
            "This run cannot say which objective is better.",
            "ELECTRA 15 % has too few runs for a verdict, which takes five: 4; ELECTRA gets no verdict, as only 4 of 5 runs learned more than how frequent words are.",
            "Nothing here should guide a choice yet.",
        ]
    );
    let no_verdict = [
        "There is no verdict on ELECTRA 15 % and MLM: 4 and 5 runs are too few, as it takes five of each.",
        "There is no verdict on ELECTRA and MLM: 4 of 5 runs of ELECTRA took off (95 % interval of the share 28 to 99 %).",
    ];
    assert_eq!(quotes(&findings)[..2], no_verdict);
    let text = markdown(&findings);
    assert!(text.contains("13 of 14 runs took off."), "{text}");
    assert!(text.contains("| ELECTRA | 4 of 5 | 28 to 99 % | 1, 3 to 5 | 2 | 64.1 |"), "{text}");
    // No interval of a mean over both kinds is right, so none is shown.
    assert!(
        text.contains("| ELECTRA | 64.1 | – |") && text.contains("| MLM | 61.0 | 60.0 to 62.0 |"),
        "{text}"
    );
}

#[test]
fn all_that_have_as_few_runs_are_said_at_once() {
    let findings = results(&[("mlm", &CLOSE[..3]), ("replace-mlm", &NEAR[..3]), ("electra", &ABOVE[..3])]);
    assert_eq!(opening(&findings)[1], "Every objective has too few runs for a verdict, which takes five: 3.");
}

#[test]
fn the_rule_of_the_plan_is_repeated() {
    let mut study = measurements(&[("mlm", CLOSE), ("electra", ABOVE)]);
    with_auc(&mut study, |_, _| 0.9);
    let usual = markdown(&analyse(&study, &AnalysisConfig::standard()).unwrap());
    assert!(usual.contains("a discriminator with an AUC of 0.60 or more") && usual.contains("All 10 runs"));
    let threshold =
        electra_analysis::Threshold { metric: "disc_auc".into(), at_least: Some(0.75), at_most: None };
    let config = AnalysisConfig { take_off: vec![threshold], ..AnalysisConfig::standard() };
    let planned = markdown(&analyse(&study, &config).unwrap());
    assert!(planned.contains("Discriminator AUC of 0.75 or more"), "{planned}");
}

#[test]
fn a_wrong_control_or_no_gain_keeps_from_choosing() {
    let mut study = measurements(&[("mlm", CLOSE), ("electra", ABOVE)]);
    study.arms.push(facts("scratch", Role::Scratch));
    for (seed, score) in (1..=5).zip(ABOVE) {
        study.runs.push(run("scratch", seed, *score));
    }
    let said = opening(&analyse(&study, &AnalysisConfig::standard()).unwrap());
    assert_eq!(
        said.last().unwrap(),
        "Nothing here should guide a choice: ELECTRA was not found to be better than no pre-training at all."
    );
    study.arms.push(facts("again", Role::Control { arm: "electra".into(), expects: Expectation::Same }));
    for (seed, score) in (1..=5).zip(ABOVE) {
        study.runs.push(run("again", seed, score + 9.0));
    }
    let said = opening(&analyse(&study, &AnalysisConfig::standard()).unwrap());
    assert_eq!(said.last().unwrap(), "A control came out wrong, so nothing here should guide a choice.");
}
