//! The trial log.

use std::fs;

use electra_analysis::{AnalysisConfig, Trial, analyse};
use electra_report::write;

use crate::table::measurements;

fn trial(arm: &str, rate: &str, scores: &[f64], chosen: bool) -> Trial {
    let settings = [("optimizer.learning_rate".to_owned(), rate.to_owned())].into();
    Trial { arm: arm.into(), settings, scores: scores.to_vec(), chosen }
}

/// The section on settings.
fn section(trials: Vec<Trial>) -> String {
    let mut study = measurements(&[("mlm", &[60.0, 61.0]), ("electra", &[62.0, 63.0])]);
    study.plan.trials = trials;
    let folder = tempfile::tempdir().unwrap();
    write(&analyse(&study, &AnalysisConfig::standard()).unwrap(), folder.path()).unwrap();
    let text = fs::read_to_string(folder.path().join("report.md")).unwrap();
    let after = text.split("## How settings were chosen\n").nth(1).unwrap();
    after.split("\n## ").next().unwrap().replace('\u{a0}', " ")
}

#[test]
fn every_trial_is_in_the_table_and_edges_are_said() {
    let text = section(vec![
        trial("mlm", "0.0005", &[0.5, 0.52], false),
        trial("mlm", "0.001", &[0.54, 0.56], true),
        trial("mlm", "0.002", &[0.5, 0.5], false),
        trial("electra", "0.0005", &[0.5, 0.5], false),
        trial("electra", "0.001", &[], false),
        trial("electra", "0.002", &[0.6, 0.6], true),
    ]);
    for said in [
        "Each objective had 3 trials, with 2 runs each.",
        "One choice stands at an edge of the values that were tried, so that a value beyond may be better still: ELECTRA (learning rate 0.002, the highest).",
        "| MLM | 0.0005 | 51.0 | 50.0, 52.0 |  |\n",
        "| MLM | 0.001 | 55.0 | 54.0, 56.0 | yes |\n",
        "| ELECTRA | 0.001 | – | failed |  |\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

#[test]
fn what_differs_between_objectives_is_said() {
    let text = section(vec![
        trial("mlm", "0.0005", &[0.5], false),
        trial("mlm", "0.001", &[0.54], true),
        trial("mlm", "0.002", &[0.5], false),
        trial("electra", "0.001", &[0.5], false),
    ]);
    for said in [
        "Not all had as many trials: MLM 3 trials and ELECTRA 1 trial, with 1 run each.",
        "No choice stands at an edge of the values that were tried. Nothing was chosen for ELECTRA.",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    // What was not varied has no edge.
    let single = section(vec![trial("mlm", "0.001", &[0.5], true)]);
    assert!(single.contains("MLM had 1 trial, with 1 run each.") && single.contains("No choice stands"));
    assert!(!section(Vec::new()).contains("trial"));
}
