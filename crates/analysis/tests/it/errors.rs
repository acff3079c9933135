//! Measurements that cannot be.

use electra_analysis::{
    AnalysisConfig, DetectionFacts, Expectation, KindFacts, LanguageFacts, Measurements, Predictions,
    ReplacementFacts, Role, Threshold, analyse,
};

use crate::table::{facts, measurements};

fn message(change: impl FnOnce(&mut Measurements)) -> String {
    let mut study = measurements(&[("mlm", &[60.0, 61.0]), ("electra", &[61.0, 62.0])]);
    study.tasks[0].examples = 3;
    change(&mut study);
    analyse(&study, &AnalysisConfig::standard()).unwrap_err().to_string()
}

#[test]
fn each_is_named_with_its_place() {
    assert_eq!(message(|study| study.tasks.clear()), "tasks: none; expected at least one");
    assert_eq!(message(|study| study.arms.clear()), "arms: none; expected at least one");
    assert_eq!(
        message(|study| study.arms[1].name = "mlm".into()),
        "arms: \"mlm\" is there twice; expected each once"
    );
    assert_eq!(
        message(|study| study.runs[1].seed = 1),
        "runs: \"mlm, seed 1\" is there twice; expected each once"
    );
    assert_eq!(
        message(|study| study.runs[3].arm = "bert".into()),
        "runs[3].arm: \"bert\" is not known; there are mlm, electra"
    );
    assert_eq!(
        message(|study| study.plan.baseline = "bert".into()),
        "plan.baseline: \"bert\" is not known; there are mlm, electra"
    );
    assert_eq!(
        message(|study| study
            .arms
            .push(facts("x", Role::Control { arm: "y".into(), expects: Expectation::Same }))),
        "arms[2].role.of: \"y\" is not known; there are mlm, electra, x",
    );
    assert_eq!(
        message(|study| study.runs[0].checkpoints[0].scores[0].task = "other".into()),
        "runs[0].checkpoints[0].scores[0].task: \"other\" is not known; there are task",
    );
    for score in [61.0, f64::NAN] {
        assert_eq!(
            message(|study| study.runs[0].checkpoints[0].scores[0].score = score),
            format!(
                "runs[0].checkpoints[0].scores[0].score: {score}; expected a share from -1 to 1, not times 100"
            ),
        );
    }
    assert_eq!(
        message(|study| study.runs[0].checkpoints[0].share = 0.0),
        "runs[0].checkpoints[0].share: 0; expected above 0 and at most 1",
    );
    let kind =
        |name: &str, share| KindFacts { kind: name.into(), count: 1, share, recall: None, auc: Some(0.5) };
    let replacements = |kinds: Vec<KindFacts>| {
        let detection = Some(DetectionFacts {
            recall: Some(1.0),
            auc: None,
            false_alarms: Some(2.0),
            masked_auc: None,
            class_auc: None,
            excess: None,
        });
        Some(ReplacementFacts { masked: 1, masked_lm_loss: Some(1.0), kinds, detection })
    };
    assert_eq!(
        message(|study| study.runs[0].replacements = replacements(vec![kind("right", 50.0)])),
        "runs[0].replacements.kinds.right.share: 50; expected a share from 0 to 1",
    );
    assert_eq!(
        message(
            |study| study.runs[0].replacements = replacements(vec![kind("right", 0.5), kind("right", 0.5)])
        ),
        "runs[0].replacements.kinds: \"right\" is there twice; expected each once",
    );
    assert_eq!(
        message(|study| study.runs[0].replacements = replacements(vec![])),
        "runs[0].replacements.detection.false_alarms: 2; expected a share from 0 to 1",
    );
    assert_eq!(
        message(|study| study.language = Some(LanguageFacts { entropy: -1.0, certain: 0.5 })),
        "language.entropy: -1; expected a number of at least 0",
    );
    assert_eq!(
        message(|study| study.runs[2].flops_paper = f64::NAN),
        "runs[2].flops_paper: NaN; expected a number of at least 0"
    );
    assert_eq!(
        message(|study| {
            let again = study.runs[0].checkpoints[0].clone();
            study.runs[0].checkpoints.push(again);
        }),
        "runs[0].checkpoints: \"the end\" is there twice; expected each once",
    );
}

#[test]
fn predictions_have_to_give_the_score() {
    let with = |predictions: Predictions, score: f64| {
        message(|study| {
            let scored = &mut study.runs[0].checkpoints[0].scores[0];
            (scored.predictions, scored.score) = (Some(predictions), score);
        })
    };
    let classes =
        |predictions: &[u32]| Predictions::Classes { labels: vec![1, 0, 1], predictions: predictions.into() };
    assert_eq!(
        with(classes(&[1, 0]), 0.5),
        "runs[0].checkpoints[0].scores[0].predictions: 3 labels and 2 predictions; expected one of each for every example of task",
    );
    assert_eq!(
        with(classes(&[1, 0, 1]), 0.5),
        "mlm, seed 1: predictions of task: they give accuracy 1; expected the score beside them, 0.5",
    );
    let values = Predictions::Values { labels: vec![1.0; 3], predictions: vec![1.0; 3] };
    assert_eq!(
        with(values, 1.0),
        "predictions of task: they are not of the kind that accuracy is computed from"
    );
    let other = Predictions::Classes { labels: vec![0, 0, 1], predictions: vec![0, 0, 1] };
    assert_eq!(
        message(|study| {
            for (run, predictions) in [(0, classes(&[1, 0, 1])), (2, other)] {
                let scored = &mut study.runs[run].checkpoints[0].scores[0];
                (scored.predictions, scored.score) = (Some(predictions), 1.0);
            }
        }),
        "electra, seed 1: predictions of task: other labels than those of mlm, seed 1; expected the same ones, as both have test_sets \"\"",
    );
    let gone = Predictions::Scores(vec![0.0, f64::NAN, 1.0]);
    assert_eq!(with(gone, 0.5), "runs[0].checkpoints[0].scores[0].predictions: not all are numbers");
}

#[test]
fn settings_are_in_their_range() {
    let message = |change: fn(&mut AnalysisConfig)| {
        let mut config = AnalysisConfig::standard();
        change(&mut config);
        analyse(&measurements(&[("mlm", &[60.0])]), &config).unwrap_err().to_string()
    };
    let share = "expected above 0 and below 1";
    assert_eq!(message(|config| config.level = 0.0), format!("level: 0; {share}"));
    assert_eq!(message(|config| config.level = 95.0), format!("level: 95; {share}"));
    assert_eq!(message(|config| config.power = f64::NAN), format!("power: NaN; {share}"));
    assert_eq!(message(|config| config.margin = Some(0.0)), "margin: 0; expected a number of points above 0");
    assert_eq!(message(|config| config.draws = 1_000_001), "draws: 1000001; expected at most 1000000");
    let threshold = |at_least, at_most| Threshold { metric: "disc_auc".into(), at_least, at_most };
    for wrong in [threshold(None, None), threshold(Some(0.9), Some(0.9))] {
        let config = AnalysisConfig { take_off: vec![wrong], ..AnalysisConfig::standard() };
        let error = analyse(&measurements(&[("mlm", &[60.0])]), &config).unwrap_err().to_string();
        assert!(
            error.starts_with("take_off[0].disc_auc: ")
                && error.ends_with("expected one of at_least and at_most"),
            "{error}"
        );
    }
}
