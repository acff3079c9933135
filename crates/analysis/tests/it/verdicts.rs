//! The verdicts and what stands before them. How often they err is in `simulation.rs`.

use std::collections::BTreeMap;

use electra_analysis::{
    AnalysisConfig, Caveat, DiagnosticPoint, Expectation, Findings, Measurements, PaperOrdering, Role,
    RunFacts, Threshold, Verdict, analyse,
};

use crate::table::{facts, measurements, results, run};

fn with_margin(study: &Measurements, margin: f64) -> Findings {
    analyse(study, &AnalysisConfig { margin: Some(margin), ..AnalysisConfig::standard() }).unwrap()
}

const MLM: [f64; 5] = [60.0, 60.4, 59.7, 60.2, 59.7];

#[test]
fn a_verdict_follows_from_the_interval_alone() {
    let verdict = |electra: &[f64; 5], margin: Option<f64>| {
        let study = measurements(&[("mlm", &MLM), ("electra", electra)]);
        let config = AnalysisConfig { margin, ..AnalysisConfig::standard() };
        let pair = analyse(&study, &config).unwrap().pairs.remove(0);
        let interval = pair.test.as_ref().unwrap().interval;
        match pair.verdict {
            Verdict::Better => assert!(interval.low > 0.0),
            Verdict::Worse => assert!(interval.high < 0.0),
            Verdict::Same => {
                assert!(interval.low.min(-interval.high) > -margin.unwrap() && !interval.excludes_0());
            }
            Verdict::NotDistinguishable => assert!(!interval.excludes_0()),
            other => panic!("{other:?}"),
        }
        pair.verdict
    };
    let moved = |by: f64| MLM.map(|score| score + by);
    assert_eq!(verdict(&moved(2.0), Some(1.0)), Verdict::Better);
    assert_eq!(verdict(&moved(-2.0), None), Verdict::Worse);
    assert_eq!(verdict(&moved(0.1), None), Verdict::NotDistinguishable);
    assert_eq!(verdict(&moved(0.1), Some(1.0)), Verdict::Same);
    assert_eq!(verdict(&moved(0.1), Some(0.4)), Verdict::NotDistinguishable);
    // A difference that is found is not called the same, however small it is.
    assert_eq!(verdict(&moved(0.6), Some(5.0)), Verdict::Better);
}

#[test]
fn fewer_than_five_runs_get_an_interval_and_no_verdict() {
    let found =
        |count: usize| results(&[("mlm", &MLM), ("electra", &[80.0, 80.1, 80.2, 80.3, 80.4][..count])]);
    let pair = &found(4).pairs[0];
    assert_eq!((pair.verdict, pair.runs), (Verdict::TooFewRuns, (4, 5)));
    assert!(pair.test.as_ref().unwrap().interval.low > 0.0);
    assert_eq!(found(5).pairs[0].verdict, Verdict::Better);
    let single = &found(1);
    assert_eq!((single.pairs[0].verdict, &single.pairs[0].test), (Verdict::TooFewRuns, &None));
    assert!((single.pairs[0].difference.unwrap() - 20.0).abs() < 1e-9);
    assert!(single.caveats().contains(&Caveat::OneRun));
}

#[test]
fn pairs_that_the_plan_names_are_a_family_of_their_own() {
    let moved = |by: f64| MLM.map(|score| score + by);
    let (electra, all_tokens) = (moved(0.9), moved(-0.2));
    let study = measurements(&[("mlm", &MLM), ("all-tokens-mlm", &all_tokens), ("electra", &electra)]);
    let asked = |pairs: &[[&str; 2]]| {
        let pairs = pairs.iter().map(|pair| pair.map(str::to_owned)).collect();
        analyse(&study, &AnalysisConfig { pairs, ..AnalysisConfig::standard() }).unwrap().pairs
    };
    let every = asked(&[]);
    assert_eq!(every.len(), 3);
    let named = asked(&[["mlm", "electra"]]);
    let alone = results(&[("mlm", &MLM), ("electra", &electra)]).pairs;
    assert_eq!((named.len(), named[0].a.as_str(), named[0].b.as_str()), (1, "mlm", "electra"));
    // Turned as the plan has it, and as narrow as in a study of these two.
    let interval = named[0].test.as_ref().unwrap().interval;
    let of_two = alone[0].test.as_ref().unwrap().interval;
    assert!((interval.low + of_two.high).abs() < 1e-9 && (interval.high + of_two.low).abs() < 1e-9);
    let of_three = every.iter().find(|pair| (&*pair.a, &*pair.b) == ("electra", "mlm")).unwrap();
    let of_three = of_three.test.as_ref().unwrap().interval;
    assert!(of_three.high - of_three.low > interval.high - interval.low + 0.1);
    // An arm that is not there makes no pair.
    assert_eq!(asked(&[["electra", "mlm"], ["electra", "rts"]]).len(), 1);
}

/// A run whose last diagnostic is this.
fn diagnosed(mut run: RunFacts, metric: &str, value: f64) -> RunFacts {
    let point = |step, value| DiagnosticPoint { step, values: BTreeMap::from([(metric.to_owned(), value)]) };
    // What was before does not count.
    run.diagnostics = vec![point(50, 0.5), point(90, value), point(100, value)];
    run.unigram_loss = Some(6.0);
    run
}

#[test]
fn of_an_arm_that_took_off_in_some_runs_only_there_is_no_verdict() {
    let mut study = measurements(&[("mlm", &MLM), ("electra", &[80.0, 81.0, 79.0, 40.0, 80.5])]);
    for run in &mut study.runs {
        let (metric, value) = match (run.arm.as_str(), run.seed) {
            ("electra", 4) => ("disc_auc", 0.55),
            ("electra", _) => ("disc_auc", 0.7),
            _ => ("masked_lm_loss", 4.0),
        };
        *run = diagnosed(run.clone(), metric, value);
    }
    let found = analyse(&study, &AnalysisConfig::standard()).unwrap();
    assert_eq!((found.pairs[0].verdict, &found.pairs[0].test), (Verdict::NotAllTookOff, &None));
    let electra = found.arms[1].take_off.as_ref().unwrap();
    assert_eq!((electra.took_off, electra.runs, electra.score.as_ref().unwrap().mean), (4, 5, 80.125));
    // statsmodels.stats.proportion.proportion_confint(4, 5, method="beta")
    assert!(
        (electra.share.low - 0.283_581_6).abs() < 1e-6 && (electra.share.high - 0.994_949_3).abs() < 1e-6
    );
    assert!(
        matches!(&found.caveats()[..], [Caveat::NotAllTookOff(arms), ..] if arms[0].facts.name == "electra")
    );
    // Such an arm has no rank either.
    assert!(found.ranks.is_empty());

    // A plan's own threshold comes first, and of several the first that the run has a diagnostic of.
    let thresholds = |auc| {
        let threshold =
            |metric: &str, at_least, at_most| Threshold { metric: metric.into(), at_least, at_most };
        vec![threshold("disc_auc", Some(auc), None), threshold("masked_lm_loss", None, Some(4.5))]
    };
    let with = |auc| {
        let config = AnalysisConfig { take_off: thresholds(auc), ..AnalysisConfig::standard() };
        analyse(&study, &config).unwrap()
    };
    assert_eq!(with(0.5).pairs[0].verdict, Verdict::NotDistinguishable);
    assert_eq!(with(0.6).pairs[0].verdict, Verdict::NotAllTookOff);
    assert_eq!(with(0.6).arms[0].take_off.as_ref().unwrap().took_off, 5);
    // Without a loss of token frequencies there is nothing to compare a masked-LM loss with.
    study.runs.iter_mut().for_each(|run| run.unigram_loss = None);
    let found = analyse(&study, &AnalysisConfig::standard()).unwrap();
    assert_eq!(found.arms[0].take_off, None);
    study.runs.iter_mut().for_each(|run| run.unigram_loss = Some(4.5));
    let found = analyse(&study, &AnalysisConfig::standard()).unwrap();
    assert_eq!(found.arms[0].take_off.as_ref().unwrap().took_off, 0);
}

#[test]
fn an_arm_of_which_no_run_took_off_has_scores_of_one_kind() {
    let mut study = measurements(&[("mlm", &MLM), ("electra", &[40.0, 41.0, 39.0, 40.0, 40.5])]);
    for run in &mut study.runs {
        let auc = if run.arm == "electra" { 0.5 } else { 0.7 };
        *run = diagnosed(run.clone(), "disc_auc", auc);
    }
    let found = analyse(&study, &AnalysisConfig::standard()).unwrap();
    assert_eq!((found.pairs[0].a.as_str(), found.pairs[0].verdict), ("electra", Verdict::Worse));
    assert!(
        matches!(&found.caveats()[..], [Caveat::NoneTookOff(arms), ..] if arms[0].facts.name == "electra")
    );
}

#[test]
fn a_control_that_is_the_same_counts_as_its_arm_once_it_came_out() {
    let mut study = measurements(&[("mlm", &MLM), ("electra", &[62.0, 62.4, 61.7, 62.2, 61.7])]);
    let control = |expects| Role::Control { arm: "electra".into(), expects };
    study.arms.push(facts("again", control(Expectation::Same)));
    study.arms.push(facts("broken", control(Expectation::Worse)));
    for seed in 1..=5 {
        study.runs.push(run("again", 10 + seed, 61.5 + 0.2 * seed as f64));
        study.runs.push(run("broken", seed, 55.0 + 0.2 * seed as f64));
    }
    let found = with_margin(&study, 3.0);
    let passed: Vec<_> =
        found.controls.iter().map(|control| (control.comparison.verdict, control.passed)).collect();
    assert_eq!(passed, [(Verdict::Same, Some(true)), (Verdict::Worse, Some(true))]);
    let electra = &found.arms[1];
    assert_eq!(
        (electra.pooled.as_slice(), electra.seeds.len(), electra.runs.len()),
        (&["again".to_owned()][..], 10, 5)
    );
    assert!((electra.score.as_ref().unwrap().mean - 62.05).abs() < 1e-9);
    assert_eq!(found.pairs[0].runs, (10, 5));
    assert!(found.arms[2].pooled.is_empty() && found.notes().is_empty());
    // One that did not come out counts for itself.
    study
        .runs
        .iter_mut()
        .filter(|run| run.arm == "again")
        .for_each(|run| run.checkpoints[0].scores[0].score -= 0.1);
    let found = with_margin(&study, 3.0);
    assert_eq!(found.controls[0].passed, Some(false));
    assert!(found.arms[1].pooled.is_empty() && found.pairs[0].runs == (5, 5));
}

#[test]
fn a_tie_of_the_paper_that_is_told_apart_is_said() {
    let apart = results(&[("mlm", &MLM), ("replace-mlm", &MLM.map(|score| score + 3.0))]);
    assert_eq!(apart.ordering().answer, PaperOrdering::TiesApart);
    let tie = results(&[("mlm", &MLM), ("replace-mlm", &MLM.map(|score| score + 0.1))]);
    assert_eq!((tie.ordering().answer, tie.ordering().ties.len()), (PaperOrdering::Open, 1));
}

#[test]
fn the_score_is_also_said_above_chance() {
    let mut study = measurements(&[("mlm", &MLM), ("electra", &[75.0; 5])]);
    study.tasks[0].chance = Some(0.5);
    let found = analyse(&study, &AnalysisConfig::standard()).unwrap();
    let electra = found.arms[1].above_chance.as_ref().unwrap();
    assert!(
        (electra.mean - 50.0).abs() < 1e-9
            && (found.arms[0].above_chance.as_ref().unwrap().mean - 20.0).abs() < 1e-9
    );
}
