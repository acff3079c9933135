//! What holds whatever the numbers.

use electra_metrics::{auc, f1, matthews, pearson, spearman, squad};
use proptest::collection::vec;
use proptest::prelude::*;

/// Pairs of lists of one length.
fn pairs<T: Strategy + Clone>(values: T) -> impl Strategy<Value = (Vec<T::Value>, Vec<T::Value>)> {
    vec((values.clone(), values), 2..40).prop_map(|pairs| pairs.into_iter().unzip())
}

proptest! {
    #[test]
    fn an_area_does_not_mind_a_rising_function((scores, noise) in pairs(-5.0..5.0_f64), shift in -3.0..3.0_f64) {
        let labels: Vec<bool> = noise.iter().map(|noise| *noise > 0.0).collect();
        prop_assume!(labels.contains(&true) && labels.contains(&false));
        let before = auc(&scores, &labels).unwrap();
        let risen: Vec<f64> = scores.iter().map(|score| (score + shift).exp()).collect();
        prop_assert!((before - auc(&risen, &labels).unwrap()).abs() < 1e-12);
        let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
        prop_assert!((before + auc(&turned, &labels).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_area_counts_pairs_in_order((scores, noise) in pairs(-3..3_i32)) {
        let labels: Vec<bool> = noise.iter().map(|noise| *noise > 0).collect();
        prop_assume!(labels.contains(&true) && labels.contains(&false));
        let values = |label| {
            let both = scores.iter().zip(&labels);
            both.filter(move |(_, found)| **found == label).map(|(score, _)| score)
        };
        let (mut sum, mut pairs) = (0.0, 0.0);
        for inside in values(true) {
            for outside in values(false) {
                sum += f64::from(u8::from(inside > outside)) + 0.5 * f64::from(u8::from(inside == outside));
                pairs += 1.0;
            }
        }
        let scores: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
        prop_assert!((auc(&scores, &labels).unwrap() - sum / pairs).abs() < 1e-12);
    }

    #[test]
    fn correlations_do_not_mind_scale((x, y) in pairs(-5.0..5.0_f64), by in 0.1..9.0_f64, shift in -9.0..9.0_f64) {
        let moved: Vec<f64> = x.iter().map(|value| value * by + shift).collect();
        for of_lists in [pearson, spearman] {
            let found = of_lists(&x, &y).unwrap();
            prop_assert!((-1.0..=1.0).contains(&found));
            prop_assert!((found - of_lists(&moved, &y).unwrap()).abs() < 1e-9);
            prop_assert!((found - of_lists(&y, &x).unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn matthews_of_two_classes_is_pearsons((a, b) in pairs(0..2_usize)) {
        let numbers = |values: &[usize]| values.iter().map(|class| *class as f64).collect::<Vec<_>>();
        let expected = pearson(&numbers(&a), &numbers(&b)).unwrap();
        prop_assert!((matthews(&a, &b).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn names_of_classes_do_not_matter((a, b) in pairs(0..4_usize)) {
        let other = |values: &[usize]| values.iter().map(|class| [usize::MAX, 7, 0, 3][*class]).collect::<Vec<_>>();
        prop_assert!((matthews(&a, &b).unwrap() - matthews(&other(&a), &other(&b)).unwrap()).abs() < 1e-12);
        prop_assert_eq!(f1(&a, &b, 1), f1(&other(&a), &other(&b), 7));
    }

    #[test]
    fn answers_score_from_0_to_1(answer in "\\PC{0,12}", label in "\\PC{0,12}") {
        let labels = [label];
        let exact = squad::exact_match(&answer, &labels, &["le"]);
        let shared = squad::token_f1(&answer, &labels, &["le"]);
        prop_assert!(exact == 0.0 || exact == 1.0);
        prop_assert!(shared >= exact && shared <= 1.0);
        prop_assert_eq!(squad::exact_match(&labels[0], &labels, &["le"]), 1.0);
    }
}
