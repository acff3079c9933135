//! The numbers behind the verdicts, against numpy and scipy, and against what is known by hand.

use electra_analysis::{
    AnalysisConfig, CheckpointFacts, Findings, Measurements, Note, Predictions, Schedule, TaskScore, Verdict,
    analyse,
};
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::random::{Random, score};
use crate::table::{PAPER, measurements, results};

fn close(found: f64, golden: &Value) {
    let golden = golden.as_f64().unwrap();
    assert!((found - golden).abs() <= 1e-6 * golden.abs().max(1e-3), "{found}, golden {golden}");
}

#[test]
fn tests_and_intervals_are_those_of_scipy() {
    let golden: Value = serde_json::from_str(include_str!("../golden/golden.json")).unwrap();
    let scores: Vec<Vec<f64>> = serde_json::from_value(golden["scores"].clone()).unwrap();
    let arms: Vec<(&str, &[f64])> =
        PAPER.iter().zip(&scores).map(|((name, _), scores)| (*name, scores.as_slice())).collect();
    let results = results(&arms);
    let noise = results.noise.unwrap();
    close(noise.standard_deviation, &golden["noise"]["standard_deviation"]);
    close(noise.degrees, &golden["noise"]["degrees"]);
    for (arm, golden) in results.arms.iter().zip(golden["intervals"].as_array().unwrap()) {
        let interval = arm.score.as_ref().unwrap().interval.unwrap();
        close(interval.low, &golden[0]);
        close(interval.high, &golden[1]);
    }
    let pairs = golden["pairs"].as_array().unwrap();
    assert_eq!((results.pairs.len(), pairs.len()), (10, 10));
    for golden in pairs {
        let name = |key: &str| PAPER[golden[key].as_u64().unwrap() as usize].0;
        let pair = results.pairs.iter().find(|pair| pair.a == name("high") && pair.b == name("low")).unwrap();
        let test = pair.test.as_ref().unwrap();
        close(pair.difference.unwrap(), &golden["difference"]);
        close(test.interval.low, &golden["interval"][0]);
        close(test.interval.high, &golden["interval"][1]);
        close(test.p, &golden["p"]);
        close(test.p_holm, &golden["p_holm"]);
        close(test.p_sign_flip.unwrap(), &golden["p_sign_flip"]);
        close(test.detectable, &golden["detectable"]);
        assert_eq!(test.sign_flip_floor, Some(0.125));
    }
}

#[test]
fn seeds_needed_are_enough_and_one_fewer_are_not() {
    let results = results(&[("mlm", &[60.0, 61.0, 59.0, 60.5]), ("electra", &[60.4, 61.9, 59.1, 61.6])]);
    let (pair, test) = (&results.pairs[0], results.pairs[0].test.as_ref().unwrap());
    let seeds = test.seeds_needed.unwrap();
    // Of the four seeds that there are: the standard error shrinks with the root of the seeds, and degrees of freedom
    // grow with the seeds but one.
    let detectable = |seeds: f64| {
        let t = StudentsT::new(0.0, 1.0, test.degrees * (seeds - 1.0) / 3.0).unwrap();
        (t.inverse_cdf(0.975) + t.inverse_cdf(0.8)) * test.standard_error * (4.0 / seeds).sqrt()
    };
    let difference = pair.difference.unwrap();
    assert!(detectable(seeds as f64) <= difference && detectable(seeds as f64 - 1.0) > difference, "{seeds}");
    assert!((detectable(4.0) / test.detectable - 1.0).abs() < 1e-9 && seeds > 4, "{seeds}");
    let equal = results_of_equal();
    assert_eq!(equal.pairs[0].test.as_ref().unwrap().seeds_needed, None);
}

fn results_of_equal() -> Findings {
    results(&[("mlm", &[60.0, 61.0, 62.0]), ("electra", &[61.0, 62.0, 60.0])])
}

/// Two arms whose runs all predict the same, right with a probability.
fn same_predictions(right: f64, examples: usize) -> Measurements {
    let mut study = measurements(&[("mlm", &[0.0, 0.0]), ("electra", &[0.0, 0.0])]);
    let mut random = Random::new(&[7]);
    let labels = vec![0; examples];
    let predictions: Vec<u32> = (0..examples).map(|_| u32::from(random.uniform() > right)).collect();
    study.tasks[0].examples = examples;
    for run in &mut study.runs {
        let predictions = Predictions::Classes { labels: labels.clone(), predictions: predictions.clone() };
        let scored = &mut run.checkpoints[0].scores[0];
        scored.score = score(study.tasks[0].metric, &predictions);
        scored.predictions = Some(predictions);
    }
    study
}

#[test]
fn the_bootstrap_counts_the_chance_of_test_examples() {
    let results = analyse(&same_predictions(0.7, 2000), &AnalysisConfig::standard()).unwrap();
    // Seeds do not differ, so what is left is the binomial: 1.96 · √(p (1 − p) / n).
    let score = results.arms[0].score.as_ref().unwrap();
    let (share, range) = (score.mean / 100.0, score.bootstrap.unwrap());
    let half = 196.0 * (share * (1.0 - share) / 2000.0).sqrt();
    assert!(((range.high - range.low) / 2.0 / half - 1.0).abs() < 0.12, "{range:?}, {half}");
    assert!(range.low < score.mean && score.mean < range.high);
    // Both arms see the same draw, so the difference has no noise at all.
    let difference = results.pairs[0].test.as_ref().unwrap().bootstrap.unwrap();
    assert_eq!((difference.low, difference.high), (0.0, 0.0));
}

#[test]
fn a_lead_that_hangs_on_a_few_examples_is_none() {
    // Every seed of ELECTRA gets the same 3 of 100 examples right that MLM gets wrong: no noise over seeds, much over examples.
    let mut study = same_predictions(0.6, 100);
    for run in study.runs.iter_mut().filter(|run| run.arm == "electra") {
        let scored = &mut run.checkpoints[0].scores[0];
        let Some(Predictions::Classes { labels, predictions }) = &mut scored.predictions else {
            unreachable!()
        };
        let wrong: Vec<usize> =
            (0..100).filter(|example| predictions[*example] != labels[*example]).collect();
        wrong.iter().take(3).for_each(|example| predictions[*example] = labels[*example]);
        scored.score += 0.03;
    }
    let results = analyse(&study, &AnalysisConfig::standard()).unwrap();
    let pair = &results.pairs[0];
    assert!((pair.difference.unwrap() - 3.0).abs() < 1e-9);
    let test = pair.test.as_ref().unwrap();
    assert!(test.p_holm < 0.05 && !test.bootstrap.unwrap().excludes_0(), "{test:?}");
    assert_eq!(pair.verdict, Verdict::NotDistinguishable);
}

#[test]
fn the_median_over_fine_tunings_and_the_mean_over_tasks_make_the_score() {
    let mut study = measurements(&[("mlm", &[50.0]), ("electra", &[70.0])]);
    let mut other = study.tasks[0].clone();
    other.name = "other".into();
    study.tasks.push(other);
    let scores = &mut study.runs[0].checkpoints[0].scores;
    let first = scores[0].clone();
    for (finetune_seed, score) in [(2, 0.9), (3, 0.52)] {
        scores.push(TaskScore { finetune_seed, score, ..first.clone() });
    }
    scores.push(TaskScore { task: "other".into(), score: -0.1, ..first });
    let results = analyse(&study, &AnalysisConfig::standard()).unwrap();
    let seed = &results.arms[0].seeds[0];
    assert!((seed.tasks["task"] - 52.0).abs() < 1e-9 && (seed.score - 21.0).abs() < 1e-9, "{seed:?}");
    // ELECTRA's run lacks a task, so it has no score, and the report says so.
    assert!(results.arms[1].score.is_none() && results.arms[1].tasks.contains_key("task"));
    assert_eq!(results.notes(), [Note::IncompleteRuns { arm: &results.arms[1], runs: 1 }]);
}

/// Each point as the seeds' number and mean.
fn curve(study: &Measurements) -> Vec<(f64, usize, f64)> {
    let results = analyse(study, &AnalysisConfig::standard()).unwrap();
    let curve = &results.arms[0].curve;
    curve.iter().map(|point| (point.share, point.score.seeds, point.score.mean.round())).collect()
}

#[test]
fn a_curve_is_of_the_same_seeds_at_every_point() {
    let mut study = measurements(&[("mlm", &[60.0, 70.0, 80.0])]);
    let mut add = |run: usize, share: f64, points: f64| {
        let run = &mut study.runs[run];
        let mut score = run.checkpoints[0].scores[0].clone();
        score.score = points / 100.0;
        let schedule = Schedule::Truncated;
        let scores = vec![score];
        run.checkpoints.push(CheckpointFacts {
            share,
            schedule,
            step: 50,
            scores,
            ..run.checkpoints[0].clone()
        });
        curve(&study)
    };
    // One seed alone was scored on the way: the line ends at its score, 60, and not at the mean of three.
    assert_eq!(add(0, 0.5, 50.0), [(0.5, 1, 50.0), (1.0, 1, 60.0)]);
    assert_eq!(add(2, 0.5, 54.0), [(0.5, 2, 52.0), (1.0, 2, 70.0)]);
    // A seed that lacks a point of another is on no part of the line.
    assert_eq!(add(0, 0.25, 40.0), [(0.25, 1, 40.0), (0.5, 1, 50.0), (1.0, 1, 60.0)]);
    // Of seeds that lack each another's, the fullest decides, and of equals the first.
    assert_eq!(add(1, 0.75, 66.0), [(0.25, 1, 40.0), (0.5, 1, 50.0), (1.0, 1, 60.0)]);
    assert_eq!(curve(&measurements(&[("mlm", &[60.0, 70.0])])), [(1.0, 2, 65.0)]);
}
