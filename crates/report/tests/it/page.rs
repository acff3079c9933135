//! What the page says in words, and what it leaves out.

use std::collections::BTreeSet;
use std::fs;

use electra_analysis::{AnalysisConfig, DiagnosticPoint, Measurements, Schedule, analyse};
use electra_report::write;

use crate::study::fabricated;
use crate::table::measurements;

fn page(study: &Measurements) -> String {
    let config = AnalysisConfig { draws: 0, ..AnalysisConfig::standard() };
    let folder = tempfile::tempdir().unwrap();
    write(&analyse(study, &config).unwrap(), folder.path()).unwrap();
    fs::read_to_string(folder.path().join("report.html")).unwrap().replace('\u{a0}', " ")
}

/// As headline of a panel, and as a row of the table.
fn shown(page: &str, title: &str) -> (bool, bool) {
    let drawn = page.split("</text>").any(|before| before.ends_with(&format!(">{title}")));
    (drawn, page.contains(&format!("<th scope=\"row\">{title}</th>")))
}

#[test]
fn diagnostics_that_say_nothing_are_not_drawn() {
    let mut study = measurements(&[("mlm", &[60.0, 61.0])]);
    let names = ["loss", "lr", "masked_rate", "of_ones_own"];
    for run in &mut study.runs {
        let point = |step| DiagnosticPoint { step, values: names.map(|name| (name.into(), 0.5)).into() };
        run.diagnostics = vec![point(1), point(2)];
    }
    let page = page(&study);
    assert_eq!(shown(&page, "Total loss"), (true, true));
    assert_eq!(shown(&page, "of_ones_own"), (true, true));
    assert_eq!(shown(&page, "Share of masked tokens"), (false, true));
    assert_eq!(shown(&page, "lr"), (false, false));
}

#[test]
fn a_single_pair_has_no_correction() {
    let scores: &[f64] = &[60.0, 61.0, 62.0];
    let one = page(&measurements(&[("mlm", scores), ("electra", scores)]));
    assert!(one.contains("It is the interval of this one pair, so") && !one.contains("All 1 intervals"));
    let three = page(&measurements(&[("mlm", scores), ("electra", scores), ("electra-15", scores)]));
    assert!(three.contains("All 3 intervals together hold the truth in at least 95 % of such studies"));
    assert!(!three.contains("The plan named the pairs"));
    let pairs = vec![["electra", "mlm"].map(str::to_owned)];
    let study = measurements(&[("mlm", scores), ("electra", scores), ("electra-15", scores)]);
    let named = analyse(&study, &AnalysisConfig { draws: 0, pairs, ..AnalysisConfig::standard() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(&named, folder.path()).unwrap();
    let named = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(named.contains("The plan named the pairs before the runs; no other pair was compared."));
    assert!(named.contains("ELECTRA − MLM") && !named.contains("ELECTRA 15 % − MLM"));
}

#[test]
fn the_page_says_of_which_seeds_the_curves_are() {
    let said = "A line joins the same seeds throughout, those that were scored at all of its points: ";
    let mut study = fabricated(2, 60);
    assert!(!page(&study).contains(said), "every seed has every point");
    let mut at_the_end_alone = |arm: &str| {
        let run = study.runs.iter_mut().find(|run| run.arm == arm && run.seed == 2).unwrap();
        run.checkpoints.retain(|checkpoint| checkpoint.schedule == Schedule::Own && checkpoint.share == 1.0);
        page(&study)
    };
    let some = at_the_end_alone("mlm");
    assert!(some.contains(&format!("{said}1 of 2 of MLM, 2 of 2 of Replace MLM, ")), "{said}");
    for arm in ["replace-mlm", "electra-15", "all-tokens-mlm"] {
        at_the_end_alone(arm);
    }
    let all = at_the_end_alone("electra");
    assert!(
        all.contains(&format!("{said}1 of 2 of each objective."))
            && all.contains("One seed alone has no band")
    );
}

/// The marks of a page as colour and shape.
fn marks(page: &str) -> BTreeSet<(String, &'static str)> {
    let shape = |mark: &str| match mark.split_once("points=\"") {
        None => "circle",
        Some((_, points)) => {
            let points: Vec<&str> = points.split('"').next().unwrap().split(' ').collect();
            match (points.len(), points[0]) {
                (4, first) if first.starts_with('-') => "square",
                (4, _) => "diamond",
                (_, first) if first.contains(",-") => "up",
                _ => "down",
            }
        }
    };
    let tags = ["<circle class=\"c", "<polygon class=\"c"];
    let marks = tags.into_iter().flat_map(|tag| page.split(tag).skip(1));
    marks
        .filter(|mark| mark.contains(" mark\""))
        .map(|mark| (mark.split(' ').next().unwrap().to_owned(), shape(mark.split('>').next().unwrap())))
        .collect()
}

#[test]
fn every_arm_has_a_mark_of_its_own() {
    const SCORES: &[f64] = &[60.0, 61.0, 62.0, 60.5, 61.5];
    let paper = ["mlm", "replace-mlm", "electra-15", "all-tokens-mlm", "electra"];
    let names: Vec<String> =
        paper.iter().map(ToString::to_string).chain((0..14).map(|n| format!("other-{n}"))).collect();
    let mut arms: Vec<(&str, &[f64])> = names.iter().map(|name| (name.as_str(), SCORES)).collect();
    arms.extend([("mlm-again", SCORES), ("mlm-rates", SCORES), ("electra-more", SCORES)]);
    let mut study = measurements(&arms);
    for arm in &mut study.arms {
        let objective =
            arm.name.split_once('-').filter(|_| !names.contains(&arm.name)).map(|(first, _)| first);
        arm.objective = objective.unwrap_or(&arm.name).to_owned();
    }
    let found = marks(&page(&study));
    assert_eq!(found.len(), arms.len(), "{found:?}");
    // Arms of one objective share its colour.
    let of_mlm = found.iter().filter(|(colour, _)| colour == "1").count();
    assert!(of_mlm >= 3, "{found:?}");
}
