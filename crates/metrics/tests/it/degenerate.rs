//! What a formula has no number for.

use electra_metrics::{
    Error, Metric, Scheme, accuracy, auc, entity_f1, f1, macro_f1, matthews, mean_squared_error, multi_label,
    pearson, spearman,
};

#[test]
fn one_class_tells_nothing() {
    for (predictions, labels) in [([2, 2, 2], [0, 2, 1]), ([0, 2, 1], [1, 1, 1]), ([1, 1, 1], [1, 1, 1])] {
        assert_eq!(matthews(&predictions, &labels), Ok(0.0));
    }
    assert_eq!(f1(&[0, 0], &[1, 0], 1), Ok(0.0));
    assert_eq!(f1(&[0, 0], &[0, 0], 1), Ok(0.0));
    assert_eq!(macro_f1(&[0, 0], &[1, 0]), Ok(1.0 / 3.0));
    assert_eq!(auc(&[0.1, 0.2], &[true, true]), Err(Error::OneClass { count: 2, label: true }));
    assert_eq!(
        auc(&[0.1], &[false]).unwrap_err().to_string(),
        "all 1 labels are false; the area under the curve needs both classes"
    );
}

#[test]
fn sentences_without_entities_score_nothing() {
    let outside = [vec!["O", "O"]];
    assert_eq!(entity_f1(&outside, &outside, Scheme::Conll), Ok(0.0));
    let error = entity_f1(&outside, &[vec!["O"]], Scheme::Iob2).unwrap_err().to_string();
    assert_eq!(error, "2 predictions of a sentence and 1 labels; expected as many of both");
    for (scheme, label, known) in [
        (Scheme::Iob2, "B-PER", true),
        (Scheme::Iob2, "E-PER", false),
        (Scheme::Bioes, "S-PER", true),
        (Scheme::Conll, "PER", false),
        (Scheme::Conll, "B-", false),
        (Scheme::Conll, "O-PER", false),
        (Scheme::Iob1, "O", true),
    ] {
        assert_eq!(scheme.knows(label), known, "{label}");
    }
}

#[test]
fn a_constant_correlates_with_nothing() {
    // The mean of these three is not 0.1 when rounded.
    for constant in [[0.1; 3], [0.0; 3], [-0.7; 3]] {
        for of_lists in [pearson, spearman] {
            assert_eq!(of_lists(&constant, &[1.0, 2.0, 4.0]), Ok(0.0));
            assert_eq!(of_lists(&[1.0, 2.0, 4.0], &constant), Ok(0.0));
        }
    }
    for of_lists in [pearson, spearman] {
        assert_eq!(of_lists(&[1.0], &[2.0]), Ok(0.0));
    }
}

#[test]
fn great_and_small_numbers_correlate_too() {
    let great = [1e300, -1e300, 5e299, 1.7e308];
    let small: Vec<f64> = great.iter().map(|value| value * 1e-300 * 1e-200).collect();
    assert!((pearson(&great, &great).unwrap() - 1.0).abs() < 1e-15);
    assert!((pearson(&great, &small).unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn nothing_is_an_error() {
    let empty = Error::Empty { what: "predictions" };
    assert_eq!(empty.to_string(), "there are no predictions; expected at least one");
    assert_eq!(accuracy(&[], &[]), Err(empty.clone()));
    assert_eq!(f1(&[], &[], 1), Err(empty.clone()));
    assert_eq!(matthews(&[], &[]), Err(empty));
    assert!(matches!(pearson(&[], &[]), Err(Error::Empty { .. })));
    assert!(matches!(spearman(&[], &[]), Err(Error::Empty { .. })));
    assert!(matches!(auc(&[], &[]), Err(Error::Empty { .. })));
}

#[test]
fn lists_of_different_lengths_are_an_error() {
    assert_eq!(
        accuracy(&[1, 2, 3], &[1, 2]).unwrap_err().to_string(),
        "3 predictions and 2 labels; expected as many of both"
    );
    assert!(matches!(f1(&[1], &[], 1), Err(Error::Lengths { first: 1, second: 0, .. })));
    assert!(matches!(matthews(&[], &[1]), Err(Error::Lengths { first: 0, second: 1, .. })));
    assert!(matches!(pearson(&[1.0], &[1.0, 2.0]), Err(Error::Lengths { .. })));
    assert!(matches!(spearman(&[1.0], &[1.0, 2.0]), Err(Error::Lengths { .. })));
    assert!(matches!(auc(&[1.0], &[true, false]), Err(Error::Lengths { .. })));
}

#[test]
fn what_is_no_number_is_an_error() {
    let (good, bad) = ([1.0, 2.0], [1.0, f64::NAN]);
    assert_eq!(
        pearson(&good, &bad).unwrap_err().to_string(),
        "second list: number 1 (from 0) is NaN; expected a finite number"
    );
    assert!(matches!(pearson(&[f64::INFINITY, 0.0], &good), Err(Error::Value { index: 0, .. })));
    assert!(matches!(spearman(&bad, &good), Err(Error::Value { index: 1, .. })));
    assert!(matches!(auc(&bad, &[true, false]), Err(Error::Value { index: 1, .. })));
}

#[test]
fn infinite_scores_have_ranks() {
    let scores = [f64::NEG_INFINITY, 0.0, f64::INFINITY];
    assert_eq!(auc(&scores, &[false, true, true]), Ok(1.0));
    assert!((spearman(&scores, &[1.0, 2.0, 3.0]).unwrap() - 1.0).abs() < 1e-15);
}

#[test]
fn rows_of_labels_are_of_one_length() {
    let (one, two) = (vec![true], vec![true, false]);
    for score in [
        multi_label::accuracy,
        multi_label::micro_f1,
        multi_label::macro_f1,
        multi_label::samples_f1,
        multi_label::hamming_loss,
    ] {
        assert_eq!(score(&[], &[]), Err(Error::Empty { what: "predictions" }));
        assert_eq!(
            score(&[vec![]], &[vec![]]).unwrap_err().to_string(),
            "there are no labels of an example; expected at least one"
        );
        for rows in [[one.clone(), two.clone()], [two.clone(), one.clone()]] {
            assert_eq!(
                score(&rows[..1], &rows[1..]).unwrap_err().to_string().split(';').next(),
                Some(&*format!(
                    "{} labels of an example and {} labels of the first",
                    rows[0].len(),
                    rows[1].len()
                ))
            );
        }
        assert!(matches!(
            score(std::slice::from_ref(&two), &[]),
            Err(Error::Lengths { first: 1, second: 0, .. })
        ));
    }
}

#[test]
fn squares_are_finite_or_an_error() {
    assert_eq!(mean_squared_error(&[1.0, 2.0], &[1.0, 4.0]), Ok(2.0));
    // Their sum is not finite, their mean is.
    assert_eq!(mean_squared_error(&[1e154, 1e154], &[0.0, 0.0]).map(|mean| mean / 1e308), Ok(1.0));
    assert_eq!(
        mean_squared_error(&[0.0, 1e200], &[0.0, -1e200]).unwrap_err().to_string(),
        "squared errors: number 1 (from 0) is inf; expected a finite number"
    );
    assert!(matches!(mean_squared_error(&[f64::NAN], &[0.0]), Err(Error::Value { index: 0, .. })));
    assert!(matches!(mean_squared_error(&[], &[]), Err(Error::Empty { .. })));
}

#[test]
fn losses_are_no_scores() {
    let losses = ["hamming-loss", "mean-squared-error"].map(|name| Metric::from_name(name).unwrap());
    assert!(losses.into_iter().all(Metric::is_loss));
    assert!(
        !["micro-f1", "accuracy"]
            .map(|name| Metric::from_name(name).unwrap())
            .into_iter()
            .any(Metric::is_loss)
    );
}
