//! How often the rule errs, and how often it finds: a small form of `benches/records/2026-11-30-verdicts`, through the
//! whole analysis. What is seen here is that with the error of so many studies, about .01.

use crate::scenario::{Scenario, Shares};

fn shares(scenario: &Scenario, studies: u64) -> Shares {
    scenario.judge(0..studies / 2).and(scenario.judge(studies / 2..studies)).shares()
}

fn noisy(scenario: Scenario) -> Scenario {
    Scenario { spreads: vec![5.0, 1.0, 1.0, 1.0, 1.0], ..scenario }
}

#[test]
fn one_study_in_twenty_has_a_false_verdict_and_its_intervals_hold_the_truth() {
    for runs in [5, 10] {
        for languages in [None, Some(0.0), Some(3.0)] {
            let plain = Scenario { languages, ..Scenario::plain("equal noise", 5, runs) };
            for scenario in [plain.clone(), noisy(plain)] {
                let Shares { false_verdicts, coverage, judged, .. } = shares(&scenario, 600);
                let coverage = coverage.unwrap();
                assert!(false_verdicts <= 0.05, "{scenario:?}: {false_verdicts}");
                assert!((0.93..=0.985).contains(&coverage), "{scenario:?}: {coverage}");
                assert!((judged - 1.0).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn failures_and_runs_that_do_not_take_off_make_no_false_verdicts() {
    for languages in [None, Some(1.0)] {
        let plain = Scenario { languages, ..Scenario::plain("six runs", 5, 6) };
        let failures = shares(&Scenario { failures: 0.15, ..plain.clone() }, 600);
        assert!(failures.false_verdicts <= 0.05 && failures.coverage.unwrap() >= 0.93, "{failures:?}");
        let mixture = shares(&Scenario { take_off: 0.8, ..plain.clone() }, 600);
        assert!(mixture.false_verdicts <= 0.05 && mixture.coverage.unwrap() >= 0.93, "{mixture:?}");
        // Both arms of a pair take off in all their runs with .8¹².
        assert!((mixture.judged - 0.8_f64.powi(12)).abs() < 0.02, "{mixture:?}");
        let ties = shares(&Scenario { examples: 50, ..plain }, 600);
        assert!(ties.false_verdicts <= 0.05 && ties.coverage.unwrap() >= 0.93, "{ties:?}");
    }
}

#[test]
fn test_examples_that_all_share_are_counted_once() {
    let plain = Scenario::plain("examples", 3, 5);
    let scenario = Scenario { predictions: true, examples: 150, spreads: vec![0.3, 0.1, 0.1], ..plain };
    let shares = shares(&scenario, 300);
    assert!(shares.false_verdicts <= 0.06 && (0.93..=0.99).contains(&shares.coverage.unwrap()), "{shares:?}");
}

#[test]
fn real_differences_are_found_and_equal_arms_called_the_same() {
    let means = vec![0.0, 0.0, 0.0, 0.0, 3.0];
    let plain = Scenario { means, margin: Some(3.0), ..Scenario::plain("six runs", 5, 6) };
    // With languages in the noise the power would be a third.
    for languages in [None, Some(3.0)] {
        let shares = shares(&Scenario { languages, ..plain.clone() }, 300);
        assert!(shares.false_verdicts <= 0.05 && shares.power.unwrap() > 0.75, "{shares:?}");
        assert!(shares.same.unwrap() > 0.5, "{shares:?}");
    }
}

#[test]
fn a_control_that_is_pooled_with_its_arm_makes_no_false_verdicts() {
    let scenario = Scenario { control: true, languages: Some(1.0), ..Scenario::plain("pooled", 5, 5) };
    let shares = shares(&scenario, 400);
    assert!(shares.false_verdicts <= 0.05 && shares.coverage.unwrap() >= 0.93, "{shares:?}");
}
