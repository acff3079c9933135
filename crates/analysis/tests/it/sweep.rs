//! Objectives at several values of a setting.

use electra_analysis::{AnalysisConfig, Expectation, Findings, Matched, Measurements, Role, analyse};

use crate::table::{facts, measurements, run};

const SETTING: &str = "model.encoder.hidden_size";

/// Arms with their objectives, sizes, and the arms whose FLOPs they have.
const ARMS: [(&str, &str, &str, Option<&str>); 6] = [
    ("electra-128", "electra", "128", None),
    ("mlm-128-compute", "mlm", "128", Some("electra-128")),
    ("mlm-64-compute", "mlm", "64", Some("electra-64")),
    ("mlm-128", "mlm", "128.0", None),
    ("mlm-64", "mlm", "64", None),
    ("electra-64", "electra", "64", None),
];

/// A series by names: its objective, whether it has the FLOPs of others, its arms by value.
type Named<'a> = (&'a str, bool, Vec<(f64, &'a str)>);

fn study() -> Measurements {
    let mut study = measurements(&ARMS.map(|(name, ..)| (name, &[60.0, 61.0, 62.0, 60.5, 61.5][..])));
    for (facts, (_, objective, size, flops_of)) in study.arms.iter_mut().zip(ARMS) {
        facts.objective = objective.into();
        facts.settings = [(SETTING.into(), size.into())].into();
        facts.flops_of = flops_of.map(Into::into);
    }
    study.plan.sweep = Some(SETTING.into());
    study
}

fn findings(study: &Measurements) -> Findings {
    analyse(study, &AnalysisConfig { draws: 0, ..AnalysisConfig::standard() }).unwrap()
}

#[test]
fn series_are_of_one_objective_and_one_basis_in_the_order_of_values() {
    let mut study = study();
    let control = Role::Control { arm: "mlm-64".into(), expects: Expectation::Open };
    study.arms.push(facts("odd", control));
    study.arms[6].settings = [(SETTING.into(), "32".into())].into();
    study.arms.push(facts("scratch", Role::Scratch));
    study.runs.push(run("odd", 1, 50.0));
    let findings = findings(&study);
    let sweep = findings.sweep().unwrap();
    assert_eq!(
        (sweep.setting, &sweep.values[..]),
        (SETTING, &[64.0, 128.0][..]),
        "a control is no part of it"
    );
    let series: Vec<Named<'_>> = sweep
        .series
        .iter()
        .map(|series| {
            let arms = series.arms.iter().map(|(value, arm)| (*value, arm.facts.name.as_str()));
            (series.objective, series.by_flops_of, arms.collect())
        })
        .collect();
    assert_eq!(
        series,
        [
            ("mlm", false, vec![(64.0, "mlm-64"), (128.0, "mlm-128")]),
            ("mlm", true, vec![(64.0, "mlm-64-compute"), (128.0, "mlm-128-compute")]),
            ("electra", false, vec![(64.0, "electra-64"), (128.0, "electra-128")]),
        ]
    );
    let differences: Vec<(f64, Matched, &str, &str)> = sweep
        .differences
        .iter()
        .map(|found| (found.value, found.equal, found.pair.a.as_str(), found.pair.b.as_str()))
        .collect();
    assert_eq!(
        differences,
        [
            (64.0, Matched::Steps, "electra-64", "mlm-64"),
            (128.0, Matched::Steps, "electra-128", "mlm-128"),
            (64.0, Matched::Flops, "electra-64", "mlm-64-compute"),
            (128.0, Matched::Flops, "electra-128", "mlm-128-compute"),
        ]
    );
}

#[test]
fn what_is_equal_for_two_arms() {
    let mut study = study();
    // Two that have the FLOPs of one.
    study.arms[1].flops_of = Some("electra-64".into());
    let equal = |study: &Measurements, a: &str, b: &str| findings(study).equal(a, b);
    assert_eq!(equal(&study, "mlm-64-compute", "mlm-128-compute"), Some(Matched::Flops));
    assert_eq!(equal(&study, "mlm-64-compute", "electra-64"), Some(Matched::Flops));
    assert_eq!(equal(&study, "mlm-64-compute", "electra-128"), None);
    assert_eq!(equal(&study, "mlm-64", "electra-128"), Some(Matched::Steps));
    study.plan.matched = Matched::Flops;
    assert_eq!(equal(&study, "mlm-64-compute", "electra-128"), Some(Matched::Flops));
}

#[test]
fn a_study_of_one_size_is_no_sweep_and_a_wrong_one_is_refused() {
    let mut study = study();
    study.arms[3].settings.clear();
    let refused = |study: &Measurements| analyse(study, &AnalysisConfig::standard()).unwrap_err().to_string();
    let key = "arms[3].settings.model.encoder.hidden_size: NaN; expected a number";
    assert_eq!(refused(&study), key);
    study.arms[3].settings = [(SETTING.into(), "wide".into())].into();
    assert_eq!(refused(&study), key);
    study.plan.sweep = None;
    assert!(findings(&study).sweep().is_none());
    study.arms[1].flops_of = Some("electra-512".into());
    assert!(
        refused(&study)
            .starts_with("arms[1].flops_of: \"electra-512\" is not known; there are electra-128, ")
    );
}
