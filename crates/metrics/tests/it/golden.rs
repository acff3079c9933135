//! The numbers of scikit-learn, scipy, numpy and seqeval, made by `tests/golden/make_golden.py`.

use electra_metrics::{
    Scheme, accuracy, auc, entity_f1, f1, macro_f1, matthews, mean_squared_error, multi_label, pearson,
    spearman, squad,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    classes: Vec<Classes>,
    values: Vec<Values>,
    scores: Vec<Scores>,
    answers: Vec<Answer>,
    entities: Vec<Entities>,
    multi_label: Vec<MultiLabel>,
}

#[derive(Deserialize)]
struct Classes {
    predictions: Vec<usize>,
    labels: Vec<usize>,
    accuracy: f64,
    f1: f64,
    macro_f1: f64,
    matthews: f64,
}

#[derive(Deserialize)]
struct Values {
    x: Vec<f64>,
    y: Vec<f64>,
    pearson: f64,
    spearman: f64,
    mean_squared_error: f64,
}

#[derive(Deserialize)]
struct Scores {
    scores: Vec<f64>,
    labels: Vec<bool>,
    auc: f64,
}

#[derive(Deserialize)]
struct Answer {
    answer: String,
    labels: Vec<String>,
    exact_match: f64,
    token_f1: f64,
}

#[derive(Deserialize)]
struct Entities {
    scheme: Scheme,
    predictions: Vec<Vec<String>>,
    labels: Vec<Vec<String>>,
    f1: f64,
}

#[derive(Deserialize)]
struct MultiLabel {
    predictions: Vec<Vec<bool>>,
    labels: Vec<Vec<bool>>,
    accuracy: f64,
    micro_f1: f64,
    macro_f1: f64,
    samples_f1: f64,
    hamming_loss: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/golden.json")).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found} is not {expected}");
}

#[test]
fn classes_score_as_with_scikit_learn() {
    for case in golden().classes {
        close(accuracy(&case.predictions, &case.labels).unwrap(), case.accuracy);
        close(f1(&case.predictions, &case.labels, 1).unwrap(), case.f1);
        close(macro_f1(&case.predictions, &case.labels).unwrap(), case.macro_f1);
        close(matthews(&case.predictions, &case.labels).unwrap(), case.matthews);
    }
}

#[test]
fn correlations_are_those_of_scipy() {
    for case in golden().values {
        // scipy's own error where the mean is a million times the deviation.
        assert!((pearson(&case.x, &case.y).unwrap() - case.pearson).abs() < 1e-9);
        close(spearman(&case.x, &case.y).unwrap(), case.spearman);
    }
}

#[test]
fn areas_are_those_of_scikit_learn() {
    for case in golden().scores {
        close(auc(&case.scores, &case.labels).unwrap(), case.auc);
    }
}

#[test]
fn ascii_answers_score_as_with_squads_rules() {
    let articles = ["a", "an", "the"];
    for case in golden().answers {
        close(squad::exact_match(&case.answer, &case.labels, &articles), case.exact_match);
        close(squad::token_f1(&case.answer, &case.labels, &articles), case.token_f1);
    }
}

#[test]
fn entities_score_as_with_seqeval() {
    for case in golden().entities {
        close(entity_f1(&case.predictions, &case.labels, case.scheme).unwrap(), case.f1);
    }
}

#[test]
fn squared_errors_are_those_of_scikit_learn() {
    for case in golden().values {
        close(mean_squared_error(&case.x, &case.y).unwrap(), case.mean_squared_error);
    }
}

#[test]
fn several_labels_score_as_with_scikit_learn() {
    let cases = golden().multi_label;
    assert_eq!(cases.len(), 8);
    for case in cases {
        let (predictions, labels) = (&case.predictions, &case.labels);
        close(multi_label::accuracy(predictions, labels).unwrap(), case.accuracy);
        close(multi_label::micro_f1(predictions, labels).unwrap(), case.micro_f1);
        close(multi_label::macro_f1(predictions, labels).unwrap(), case.macro_f1);
        close(multi_label::samples_f1(predictions, labels).unwrap(), case.samples_f1);
        close(multi_label::hamming_loss(predictions, labels).unwrap(), case.hamming_loss);
    }
}
