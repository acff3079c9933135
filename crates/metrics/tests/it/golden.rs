//! The numbers of scikit-learn, scipy and numpy, made by `tests/golden/make_golden.py`.

use electra_metrics::{
    Bootstrap, Comparison, Design, Interval, Seeds, accuracy, auc, f1, holm, matthews,
    minimum_detectable_difference, multi_bootstrap, multi_bootstrap_difference, pearson, seeds_needed,
    sign_flip_test, spearman, squad, summary,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    classes: Vec<Classes>,
    values: Vec<Values>,
    scores: Vec<Scores>,
    answers: Vec<Answer>,
    summaries: Vec<OfSummary>,
    sign_flips: Vec<SignFlip>,
    corrections: Vec<Correction>,
    power: Vec<Power>,
    bootstrap: OfBootstrap,
}

#[derive(Deserialize)]
struct Classes {
    predictions: Vec<usize>,
    labels: Vec<usize>,
    accuracy: f64,
    f1: f64,
    matthews: f64,
}

#[derive(Deserialize)]
struct Values {
    x: Vec<f64>,
    y: Vec<f64>,
    pearson: f64,
    spearman: f64,
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
struct OfSummary {
    values: Vec<f64>,
    mean: f64,
    median: f64,
    standard_deviation: Option<f64>,
}

#[derive(Deserialize)]
struct SignFlip {
    differences: Vec<f64>,
    p: f64,
}

#[derive(Deserialize)]
struct Correction {
    p: Vec<f64>,
    corrected: Vec<f64>,
}

#[derive(Deserialize)]
struct Power {
    design: Design,
    alpha: f64,
    power: f64,
    seeds: usize,
    detectable: f64,
    true_power: f64,
}

#[derive(Deserialize)]
struct OfBootstrap {
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
    one: Drawn,
    paired: Drawn,
    unpaired: Drawn,
}

#[derive(Deserialize)]
struct Drawn {
    estimate: f64,
    low: f64,
    high: f64,
    deviation: f64,
    p: f64,
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
fn summaries_are_those_of_numpy() {
    for case in golden().summaries {
        let found = summary(&case.values).unwrap();
        close(found.mean, case.mean);
        close(found.median, case.median);
        assert_eq!(found.standard_deviation.is_some(), case.standard_deviation.is_some());
        close(found.standard_deviation.unwrap_or(0.0), case.standard_deviation.unwrap_or(0.0));
    }
}

#[test]
fn sign_flips_are_those_of_scipy() {
    for case in golden().sign_flips {
        let found = sign_flip_test(&case.differences, 3).unwrap();
        if case.differences.len() <= 16 {
            close(found, case.p);
        } else {
            // Both are drawn: four standard errors of 99,999 draws.
            let error = (case.p * (1.0 - case.p) / 1e5).sqrt();
            assert!((found - case.p).abs() < 4.0 * error, "{found} is not {}", case.p);
        }
    }
}

#[test]
fn corrections_are_those_of_numpy() {
    for case in golden().corrections {
        for (found, expected) in holm(&case.p).unwrap().into_iter().zip(case.corrected) {
            close(found, expected);
        }
    }
}

#[test]
fn detectable_differences_are_those_of_scipys_quantiles() {
    for Power { design, alpha, power, seeds, detectable, true_power } in golden().power {
        let comparison = Comparison { design, alpha, power };
        let found = minimum_detectable_difference(0.57, seeds, &comparison).unwrap();
        // statrs's quantiles lose digits as degrees of freedom grow.
        let tolerance = if seeds > 1000 { 1e-6 } else { 1e-8 };
        assert!((found / detectable - 1.0).abs() < tolerance, "{found} is not {detectable}: {seeds} seeds");
        assert_eq!(seeds_needed(0.57, found, &comparison).unwrap(), Some(seeds));
        assert_eq!(seeds_needed(0.57, found * 0.999_999_9, &comparison).unwrap(), Some(seeds + 1));
        // What the documentation says of the approximation.
        if seeds >= 10 && alpha == 0.05 {
            assert!((true_power - power).abs() < 0.002);
        }
    }
}

#[test]
fn bootstraps_are_those_of_numpy() {
    let OfBootstrap { first, second, one, paired, unpaired } = golden().bootstrap;
    let config = Bootstrap { draws: 20_000, ..Bootstrap::usual(5) };
    let score = |arm: &[Vec<f64>]| {
        let arm = arm.to_vec();
        move |seed: usize, examples: &[Vec<usize>]| {
            let sum: f64 = examples[0].iter().map(|example| arm[seed][*example]).sum();
            Ok(sum / examples[0].len() as f64)
        }
    };
    // A quantile of 20,000 draws has an error of 0.02 standard deviations.
    let alike = |found: &Interval, drawn: &Drawn| {
        close(found.estimate, drawn.estimate);
        for (found, expected) in [(found.low, drawn.low), (found.high, drawn.high)] {
            assert!((found - expected).abs() < 0.08 * drawn.deviation, "{found} is not {expected}");
        }
    };
    let (seeds, examples) = (first.len(), [first[0].len()]);
    alike(&multi_bootstrap(seeds, &examples, &config, score(&first)).unwrap(), &one);
    for (seeds, drawn) in [(Seeds::Paired(seeds), paired), (Seeds::Unpaired(seeds, seeds), unpaired)] {
        let found =
            multi_bootstrap_difference(seeds, &examples, &config, score(&first), score(&second)).unwrap();
        alike(&found.interval, &drawn);
        assert!((found.p - drawn.p).abs() < 0.03, "{} is not {}", found.p, drawn.p);
    }
}
