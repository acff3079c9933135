//! Families of scores beside the study's own: shown by themselves, and never mixed into the others.

use electra_analysis::{AnalysisConfig, FamilyFacts, Findings, Measurements, Verdict, analyse};
use electra_report::{conclude, read_measurements, write, write_measurements};

use crate::study::fabricated;

fn findings(measurements: &Measurements) -> Findings {
    analyse(measurements, &AnalysisConfig { draws: 40, ..AnalysisConfig::standard() }).unwrap()
}

/// The fabricated study with two of its tasks as probes.
fn with_probes() -> Measurements {
    let mut study = fabricated(5, 60);
    let tasks = study.tasks[..2].to_vec();
    for checkpoint in study.runs.iter_mut().flat_map(|run| &mut run.checkpoints) {
        let is_probed = |task: &str| tasks.iter().any(|other| other.name == task);
        let mut scores = checkpoint.scores.clone();
        scores.retain(|score| is_probed(&score.task));
        checkpoint.families.insert("probes".into(), scores);
    }
    study.families = vec![FamilyFacts { name: "probes".into(), title: "Frozen probes".into(), tasks }];
    study
}

#[test]
fn a_family_is_analysed_by_itself_and_changes_nothing_else() {
    let (plain, study) = (fabricated(5, 60), with_probes());
    let (alone, mut both) = (findings(&plain), findings(&study));
    let family = both.families.remove(0);
    assert_eq!(conclude(&alone), conclude(&both));
    for (arm, probed) in both.arms.iter().zip(&family.findings.arms) {
        let of_arm = alone.arms.iter().find(|other| other.facts == arm.facts).unwrap();
        assert_eq!((&of_arm.score, &of_arm.curve), (&arm.score, &arm.curve));
        let (score, probes) = (arm.score.as_ref().unwrap(), probed.score.as_ref().unwrap());
        assert_eq!(probes.runs, score.runs);
        let names: Vec<&String> = probed.tasks.keys().collect();
        assert_eq!(names.len(), 2);
        for name in names {
            assert_eq!(probed.tasks[name], arm.tasks[name], "{name}");
        }
        let mean = probed.tasks.values().map(|task| task.mean).sum::<f64>() / 2.0;
        assert!(
            (probes.mean - mean).abs() < 1e-9 && (score.mean - mean).abs() > 1e-3,
            "of two tasks, not of all"
        );
        assert!(probed.runs.is_empty(), "the study has them");
    }
    assert_eq!(both.pairs, alone.pairs);
    assert_eq!(family.findings.pairs.len(), both.pairs.len());
    assert!(family.findings.pairs.iter().any(|pair| pair.verdict != Verdict::TooFewRuns));
}

#[test]
fn a_family_is_in_the_report_with_its_curves_and_in_the_files() {
    let mut study = with_probes();
    // What was predicted on the way is not kept.
    let checkpoints = study.runs.iter_mut().flat_map(|run| &mut run.checkpoints);
    for checkpoint in checkpoints.filter(|checkpoint| checkpoint.share < 1.0) {
        let families = checkpoint.families.values_mut().flatten();
        checkpoint.scores.iter_mut().chain(families).for_each(|score| score.predictions = None);
    }
    let folder = tempfile::tempdir().unwrap();
    write(&findings(&study), folder.path()).unwrap();
    let text = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(
        text.contains("## Without fine-tuning") && text.contains("Frozen probes: the encoder stays as it is"),
        "{text}"
    );
    let chart =
        |name: &str| std::fs::read_to_string(folder.path().join(format!("charts/{name}.svg"))).unwrap();
    assert!(chart("steps-probes").contains("Frozen probes against steps"));
    assert!(chart("learning").contains("Frozen probes (mean × 100)"), "a line for each run");
    write_measurements(&study, folder.path()).unwrap();
    assert!(read_measurements(folder.path()).unwrap() == study, "measurements are not what was written");
    let unknown = {
        let mut study = study;
        study.families.clear();
        analyse(&study, &AnalysisConfig::standard()).unwrap_err().to_string()
    };
    assert!(unknown.contains("families") && unknown.contains("probes"), "{unknown}");
}
