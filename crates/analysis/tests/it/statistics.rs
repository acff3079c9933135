//! The numbers behind the verdicts, against numpy and scipy, and against what is known by hand.

use electra_analysis::{
    AnalysisConfig, Caveat, CheckpointFacts, Findings, Measurements, Note, Predictions, Range, Role,
    Schedule, TaskScore, TestSets, Verdict, analyse,
};
use serde_json::Value;

use crate::random::{Random, score};
use crate::table::{PAPER, facts, measurements, results, run};

fn close(found: f64, golden: &Value, tolerance: f64) {
    let golden = golden.as_f64().unwrap();
    assert!((found - golden).abs() <= tolerance * golden.abs().max(1e-3), "{found}, golden {golden}");
}

/// A study with these scores by arm; where `languages`, each seed has a language of its own.
fn table(scores: &Value, languages: bool) -> Measurements {
    let mut study = measurements(&[("mlm", &[])]);
    study.arms.clear();
    for (arm, of_arm) in scores.as_array().unwrap().iter().enumerate() {
        study.arms.push(facts(PAPER[arm].0, Role::Arm));
        for (seed, points) in (1..).zip(of_arm.as_array().unwrap()) {
            if let Some(points) = points.as_f64() {
                let mut run = run(PAPER[arm].0, seed, points);
                run.test_sets = if languages { format!("language {seed}") } else { String::new() };
                study.runs.push(run);
            }
        }
    }
    study
}

/// Compares each pair with what scipy and statsmodels give.
fn compare(results: &Findings, golden: &Value, tolerance: f64) {
    let pairs = golden.as_array().unwrap();
    assert_eq!((results.pairs.len(), pairs.len()), (10, 10));
    for golden in pairs {
        let name = |key: &str| PAPER[golden[key].as_u64().unwrap() as usize].0;
        let pair = results.pairs.iter().find(|pair| pair.a == name("high") && pair.b == name("low")).unwrap();
        let test = pair.test.as_ref().unwrap();
        let close = |found: f64, golden: &Value| {
            let golden = golden.as_f64().unwrap();
            let most = tolerance * golden.abs().max(1e-2);
            assert!((found - golden).abs() <= most, "{} − {}: {found}, golden {golden}", pair.a, pair.b);
        };
        close(pair.difference.unwrap(), &golden["difference"]);
        close(test.standard_error, &golden["standard_error"]);
        close(test.degrees, &golden["degrees"]);
        close(test.interval.low, &golden["interval"][0]);
        close(test.interval.high, &golden["interval"][1]);
        close(test.p, &golden["p"]);
        close(test.p_adjusted, &golden["p_adjusted"]);
        if golden.get("effect").is_some() {
            close(test.effect, &golden["effect"]);
            close(test.p_same.unwrap(), &golden["p_same"]);
        }
    }
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/statistics.json")).unwrap()
}

#[test]
fn intervals_with_one_test_set_are_those_of_scipy_and_statsmodels() {
    let golden = golden();
    let config = AnalysisConfig { margin: golden["margin"].as_f64(), ..AnalysisConfig::standard() };
    let results = analyse(&table(&golden["one_way"]["scores"], false), &config).unwrap();
    assert_eq!((results.test_sets, results.noise.languages), (TestSets::Shared, None));
    compare(&results, &golden["one_way"]["pairs"], 1e-6);
}

#[test]
fn intervals_with_languages_are_those_of_a_general_optimiser() {
    let golden = golden();
    let results = analyse(&table(&golden["blocks"]["scores"], true), &AnalysisConfig::standard()).unwrap();
    assert_eq!(results.test_sets, TestSets::OnePerLanguage);
    close(results.noise.languages.unwrap(), &golden["blocks"]["languages"], 1e-4);
    for ((arm, _), golden) in PAPER.iter().zip(golden["blocks"]["runs"].as_array().unwrap()) {
        close(results.noise.runs[*arm], golden, 1e-4);
    }
    compare(&results, &golden["blocks"]["pairs"], 1e-4);
}

#[test]
fn what_a_language_does_to_all_arms_alike_changes_no_interval() {
    let scores = &golden()["blocks"]["scores"];
    let intervals = |shift: f64| -> Vec<Range> {
        let mut study = table(scores, true);
        for run in &mut study.runs {
            run.checkpoints[0].scores[0].score +=
                shift * [0.05, -0.1, 0.02, -0.08, 0.07, 0.01][run.seed as usize - 1];
        }
        let results = analyse(&study, &AnalysisConfig::standard()).unwrap();
        results.pairs.iter().map(|pair| pair.test.as_ref().unwrap().interval).collect()
    };
    // Complete blocks only: where runs are missing, how much languages differ decides how gaps are filled.
    let complete = |shift| {
        let mut study = table(scores, true);
        study.runs.retain(|run| [1, 2, 4].contains(&run.seed));
        for run in &mut study.runs {
            run.checkpoints[0].scores[0].score += shift * [0.05, -0.1, 0.0, -0.08][run.seed as usize - 1];
        }
        analyse(&study, &AnalysisConfig::standard()).unwrap()
    };
    for (a, b) in complete(0.0).pairs.iter().zip(&complete(1.0).pairs) {
        assert!((a.difference.unwrap() - b.difference.unwrap()).abs() < 1e-9);
    }
    // With languages far apart, the intervals come near those of differences within languages, and stay there.
    let (far, farther) = (intervals(1.0), intervals(2.0));
    for (far, farther) in far.iter().zip(&farther) {
        let (a, b) = (far.high - far.low, farther.high - farther.low);
        assert!((a / b - 1.0).abs() < 0.1, "{far:?}, {farther:?}");
    }
}

#[test]
fn languages_that_make_no_difference_leave_the_one_way_layout() {
    // Arms that go against each other from language to language: the likelihood is greatest without languages.
    let scores = serde_json::json!([
        [60.0, 62.0, 61.0, 63.0, 60.5],
        [63.0, 60.5, 62.0, 60.0, 62.5],
        [61.0, 61.5, 60.0, 62.0, 62.0]
    ]);
    let (with, without) = (table(&scores, true), table(&scores, false));
    let of = |study: &Measurements| analyse(study, &AnalysisConfig::standard()).unwrap();
    let (with, without) = (of(&with), of(&without));
    assert_eq!((with.noise.languages, without.noise.languages), (Some(0.0), None));
    assert_eq!(with.pairs, without.pairs);
}

#[test]
fn two_arms_are_compared_within_languages() {
    let scores = serde_json::json!([[60.0, 72.0, 51.0, 63.0, 40.5], [61.0, 72.5, 52.0, 65.0, 41.5]]);
    let results = analyse(&table(&scores, true), &AnalysisConfig::standard()).unwrap();
    // scipy.stats.ttest_rel([61, 72.5, 52, 65, 41.5], [60, 72, 51, 63, 40.5]).confidence_interval()
    let interval = results.pairs[0].test.as_ref().unwrap().interval;
    assert!(
        (interval.low - 0.419_912_6).abs() < 1e-6 && (interval.high - 1.780_087_4).abs() < 1e-6,
        "{interval:?}"
    );
    // The root of numpy.cov's element off the diagonal is 12.0.
    assert!((results.noise.languages.unwrap() - 12.0).abs() < 1.0, "{:?}", results.noise);
    assert!((results.noise.runs["mlm"] - 0.387_298_3).abs() < 1e-6);
    // A gap takes its own language with it alone.
    let gap = serde_json::json!([[60.0, 72.0, 51.0, 63.0, 40.5], [61.0, null, 52.0, 65.0, 41.5]]);
    let results = analyse(&table(&gap, true), &AnalysisConfig::standard()).unwrap();
    assert!((results.pairs[0].difference.unwrap() - 1.25).abs() < 1e-9);
}

#[test]
fn runs_on_one_language_count_once() {
    let scores = serde_json::json!([[60.0, 62.0, 61.0, 63.0, 60.5], [61.0, 62.5, 62.0, 65.0, 62.5]]);
    let mut study = table(&scores, true);
    // A second run of each arm on each language, half a point off to either side: the means stay.
    for mut again in study.runs.clone() {
        again.seed += 10;
        again.checkpoints[0].scores[0].score += 0.005;
        study.runs.push(again);
    }
    study
        .runs
        .iter_mut()
        .filter(|run| run.seed < 10)
        .for_each(|run| run.checkpoints[0].scores[0].score -= 0.005);
    let of = |study: &Measurements| analyse(study, &AnalysisConfig::standard()).unwrap();
    let (once, twice) = (of(&table(&scores, true)), of(&study));
    assert_eq!((twice.pairs[0].runs, twice.arms[0].score.as_ref().unwrap().runs), ((5, 5), 10));
    let (a, b) = (once.pairs[0].test.as_ref().unwrap(), twice.pairs[0].test.as_ref().unwrap());
    assert!((a.standard_error - b.standard_error).abs() < 1e-9 && (a.degrees - b.degrees).abs() < 1e-6);
}

/// Two arms, five runs each, whose predictions are the same in all runs of both, right with a probability.
fn same_predictions(right: f64, examples: usize) -> Measurements {
    let mut study = measurements(&[("mlm", &[0.0; 5]), ("electra", &[0.0; 5])]);
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

/// Every run of ELECTRA has so many examples right that MLM has wrong.
fn gain(study: &mut Measurements, examples: usize) {
    for run in study.runs.iter_mut().filter(|run| run.arm == "electra") {
        let scored = &mut run.checkpoints[0].scores[0];
        let Some(Predictions::Classes { labels, predictions }) = &mut scored.predictions else {
            unreachable!()
        };
        let wrong: Vec<usize> =
            (0..labels.len()).filter(|example| predictions[*example] != labels[*example]).collect();
        wrong.iter().take(examples).for_each(|example| predictions[*example] = labels[*example]);
        scored.score += examples as f64 / labels.len() as f64;
    }
}

#[test]
fn the_choice_of_test_examples_is_added_where_all_share_them() {
    let study = same_predictions(0.7, 2000);
    let results = analyse(&study, &AnalysisConfig::standard()).unwrap();
    // Runs do not differ, so what is left is the binomial: √(p (1 − p) / n).
    let score = results.arms[0].score.as_ref().unwrap();
    let share = score.mean / 100.0;
    let expected = 100.0 * (share * (1.0 - share) / 2000.0).sqrt();
    assert!((score.examples.unwrap() / expected - 1.0).abs() < 0.1, "{score:?}, {expected}");
    // Both arms have the same examples right, so their difference has none of it.
    assert_eq!(results.pairs[0].test.as_ref().unwrap().examples, Some(0.0));
    assert!(!results.caveats().contains(&Caveat::WithoutExamples));

    // With units of ten examples that are right or wrong together, there are two hundred draws and not two thousand.
    let mut clustered = study;
    for run in &mut clustered.runs {
        let scored = &mut run.checkpoints[0].scores[0];
        let Some(Predictions::Classes { predictions, .. }) = &mut scored.predictions else { unreachable!() };
        let first: Vec<u32> = (0..2000).map(|example| predictions[example / 10 * 10]).collect();
        *predictions = first;
        scored.score = predictions.iter().filter(|prediction| **prediction == 0).count() as f64 / 2000.0;
    }
    let examples = |study: &Measurements| {
        let results = analyse(study, &AnalysisConfig::standard()).unwrap();
        results.arms[0].score.as_ref().unwrap().examples.unwrap()
    };
    let alone = examples(&clustered);
    clustered.tasks[0].units = Some((0..2000).map(|example| example / 10).collect());
    assert!((examples(&clustered) / alone / 10_f64.sqrt() - 1.0).abs() < 0.15);
}

#[test]
fn a_lead_that_hangs_on_a_few_examples_is_none() {
    let mut study = same_predictions(0.6, 100);
    gain(&mut study, 3);
    let results = analyse(&study, &AnalysisConfig::standard()).unwrap();
    let pair = &results.pairs[0];
    assert!((pair.difference.unwrap() - 3.0).abs() < 1e-9);
    let examples = pair.test.as_ref().unwrap().examples.unwrap();
    // Of three examples of a hundred: 100 √(.03 · .97 / 100).
    assert!((examples / 1.706 - 1.0).abs() < 0.1, "{examples}");
    assert_eq!(pair.verdict, Verdict::NotDistinguishable);
    // With test sets of their own, runs differ by the choice of examples already. These do not.
    let seeds = study.runs.iter_mut();
    seeds.for_each(|run| run.test_sets = format!("language {}", run.seed));
    let results = analyse(&study, &AnalysisConfig::standard()).unwrap();
    assert_eq!(results.pairs[0].test.as_ref().unwrap().examples, None);
    assert_eq!(results.pairs[0].verdict, Verdict::Better);
}

#[test]
fn scores_that_happen_to_be_equal_are_no_surer_than_their_last_digit() {
    let results = results(&[("mlm", &[60.0; 5]), ("electra", &[60.1; 5])]);
    let test = results.pairs[0].test.as_ref().unwrap();
    // A thousand examples: a step is .1, and its variance .1² / 12 in each of ten runs.
    assert!((test.standard_error - 0.1 / 12_f64.sqrt() * 0.4_f64.sqrt()).abs() < 1e-9);
}

#[test]
fn ranks_say_how_sure_the_best_is() {
    let results = results(&[
        ("mlm", &[60.0, 61.0, 59.0, 60.5, 59.5]),
        ("electra", &[64.0, 65.0, 63.0, 64.5, 63.5]),
        ("electra-15", &[63.8, 65.1, 62.9, 64.6, 63.4]),
    ]);
    let ranks: Vec<(&str, usize, usize, usize)> =
        results.ranks.iter().map(|rank| (rank.arm.as_str(), rank.rank, rank.best, rank.worst)).collect();
    assert_eq!(ranks, [("electra", 1, 1, 2), ("electra-15", 2, 1, 2), ("mlm", 3, 3, 3)]);
    let sum: f64 = results.ranks.iter().map(|rank| rank.p_best).sum();
    assert!((sum - 1.0).abs() < 1e-9 && (0.4..0.7).contains(&results.ranks[0].p_best), "{:?}", results.ranks);
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
    assert_eq!(seed.above_chance, None);
    assert!((seed.tasks["task"] - 52.0).abs() < 1e-9 && (seed.score - 21.0).abs() < 1e-9, "{seed:?}");
    // ELECTRA's run lacks a task, so it has no score, and the report says so.
    assert!(results.arms[1].score.is_none() && results.arms[1].tasks.contains_key("task"));
    assert_eq!(results.notes(), [Note::IncompleteRuns { arm: &results.arms[1], runs: 1 }]);
}

/// Each point as the seeds' number and mean.
fn curve(study: &Measurements) -> Vec<(f64, usize, f64)> {
    let results = analyse(study, &AnalysisConfig::standard()).unwrap();
    let curve = &results.arms[0].curve;
    curve.iter().map(|point| (point.share, point.score.runs, point.score.mean.round())).collect()
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
            families: Default::default(),
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
