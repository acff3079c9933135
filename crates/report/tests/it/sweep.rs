//! Objectives at several values of a setting.

use std::fs;

use electra_analysis::{AnalysisConfig, Findings, Measurements, PaperOrdering, analyse};
use electra_report::{conclude, write};

use crate::render::rendered;
use crate::sentences::is_english;
use crate::sizes::{self, SETTING};
use crate::table::measurements;

const LOW: &[f64] = &[60.0, 61.0, 62.0, 60.5, 61.5];
const MIDDLE: &[f64] = &[61.0, 60.5, 62.9, 60.9, 61.2];
const HIGH: &[f64] = &[65.0, 66.1, 67.1, 65.6, 66.6];
const HIGHEST: &[f64] = &[69.0, 70.1, 71.1, 69.6, 70.6];

/// Arms with their objectives, sizes, the arms whose FLOPs they have, and scores.
type Sized<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, &'a [f64]);

fn study(arms: &[Sized<'_>]) -> Measurements {
    let scores: Vec<(&str, &[f64])> = arms.iter().map(|(name, .., scores)| (*name, *scores)).collect();
    let mut study = measurements(&scores);
    for (facts, (_, objective, size, flops_of, _)) in study.arms.iter_mut().zip(arms) {
        facts.objective = (*objective).into();
        facts.settings = [(SETTING.into(), (*size).into())].into();
        facts.flops_of = flops_of.map(Into::into);
    }
    study.plan.sweep = Some(SETTING.into());
    study
}

fn two_sizes() -> Measurements {
    study(&[
        ("mlm-64", "mlm", "64", None, LOW),
        ("mlm-64-compute", "mlm", "64", Some("electra-64"), MIDDLE),
        ("electra-64", "electra", "64", None, MIDDLE),
        ("mlm-128", "mlm", "128", None, MIDDLE),
        ("mlm-128-compute", "mlm", "128", Some("electra-128"), HIGHEST),
        ("electra-128", "electra", "128", None, HIGH),
    ])
}

fn findings(study: &Measurements) -> Findings {
    analyse(study, &AnalysisConfig { draws: 40, ..AnalysisConfig::standard() }).unwrap()
}

fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

#[test]
fn the_opening_compares_the_objectives_at_each_size_and_on_each_basis() {
    let conclusion = conclude(&findings(&two_sizes()));
    let opening: Vec<String> = conclusion.opening.iter().map(|sentence| plain(sentence)).collect();
    assert_eq!(opening.len(), 3, "{opening:?}");
    assert_eq!(
        opening[0],
        "With equal steps, ELECTRA and BERT are not distinguishable at hidden size 64 (95 % interval −2.0 to 2.6); \
         ELECTRA is better at 128, by 4.8 points."
    );
    assert_eq!(
        opening[1],
        "With equal FLOPs, ELECTRA and BERT are not distinguishable at hidden size 64 (95 % interval −2.4 to 2.4); \
         BERT is better at 128, by 4.0 points."
    );
    assert!(opening[2].starts_with("This rests on 5 runs of each"), "{}", opening[2]);
    for sentence in &opening {
        is_english(sentence).unwrap();
    }
    // The paper's ordering is of objectives at one size.
    assert_eq!((conclusion.ordering, conclusion.ordering_sentence.as_str()), (PaperOrdering::Open, ""));
}

#[test]
fn a_quote_says_what_is_equal_for_its_two_arms() {
    let findings = findings(&two_sizes());
    let quotes = conclude(&findings).quotes;
    let quote = |a: &str, b: &str| {
        let place = findings.pairs.iter().position(|pair| pair.a == a && pair.b == b).unwrap();
        plain(&quotes[place])
    };
    assert!(quote("electra-64", "mlm-64").ends_with("5 runs of each, equal steps)."));
    assert!(quote("electra-64", "mlm-64-compute").ends_with("5 runs of each, equal FLOPs)."));
    assert!(quote("electra-128", "mlm-64").ends_with("equal steps)."));
    assert!(quote("electra-128", "mlm-64-compute").ends_with("neither steps nor FLOPs equal)."));
}

#[test]
fn what_has_no_verdict_is_said_with_its_reason() {
    let few: &[f64] = &LOW[..3];
    let arms = [("mlm-64", "mlm", "64", None, few), ("electra-64", "electra", "64", None, few)];
    let opening = conclude(&findings(&study(&arms))).opening;
    assert_eq!(
        opening,
        ["With equal steps, ELECTRA and BERT have too few runs for a verdict at hidden size 64."]
    );
    let one = [("mlm-64", "mlm", "64", None, LOW), ("mlm-128", "mlm", "128", None, HIGH)];
    let opening = conclude(&findings(&study(&one))).opening;
    assert!(opening[0].starts_with("mlm-128 is better than mlm-64, by "), "{opening:?}");
}

#[test]
fn the_report_has_a_chart_by_size_and_nothing_that_takes_arms_for_objectives() {
    let results = findings(&sizes::fabricated(5));
    let page = rendered(&results);
    let folder = tempfile::tempdir().unwrap();
    write(&results, folder.path()).unwrap();
    let text = plain(&fs::read_to_string(folder.path().join("report.md")).unwrap());
    for said in [
        "## Score against hidden size\n",
        "](charts/sweep.svg)",
        "| Hidden size | BERT, equal steps | BERT, equal FLOPs | ELECTRA |\n",
        "| Hidden size | Equal | Pair | Difference | Verdict | 95 % interval | p, corrected | Runs |\n",
        "- Objectives: 2 at hidden size 64, 128 and 256\n",
        "- Equal for all: steps, but for three arms with the FLOPs of others\n",
        "\n### Every pair\n",
        "\n### Every pair on every task\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let rows = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((rows("| 64 | steps | ELECTRA − BERT |"), rows("| 256 | FLOPs | ELECTRA − BERT |")), (1, 1));
    for left_out in ["Which is the best?", "Paper's ordering", "paper's ordering", "| Paper |", "Table 5"] {
        assert!(!text.contains(left_out) && !page.contains(left_out), "{left_out}");
    }

    let chart = fs::read_to_string(folder.path().join("charts/sweep.svg")).unwrap();
    let runs = chart.matches(" seed\"").count();
    assert_eq!(runs, 9 * 5, "a mark for every run");
    assert_eq!(chart.matches("<path class=\"").count(), 3, "a line for each series");
    assert_eq!(chart.matches("<path class=\"c1 curve dashed\"").count(), 1);
    assert_eq!(
        chart.matches(" interval\" x1=").count(),
        9 + 1,
        "an interval for each mean, and one in the legend"
    );
    for value in ["64", "128", "256"] {
        assert!(chart.contains(&format!(">{value}</text>")), "{value}");
    }
    let described = chart.split("<desc id=\"d\">").nth(1).unwrap().split("</desc>").next().unwrap();
    let mean = results.arms.iter().find(|arm| arm.facts.name == "electra-128").unwrap();
    let mean = format!("{:.1} at 128", mean.score.as_ref().unwrap().mean);
    let electra = described.split("ELECTRA: ").nth(1).unwrap();
    assert!(
        described.starts_with("Mean of tasks times 100 by hidden size") && electra.contains(&mean),
        "{described}"
    );
}

#[test]
fn arms_of_one_objective_keep_its_colour_and_have_a_shape_for_each_size() {
    let page = rendered(&findings(&sizes::fabricated(2)));
    for (title, colour) in [
        ("BERT-64", "c1 lightest"),
        ("BERT-128 (equal FLOPs)", "c1 lighter"),
        ("BERT-256", "c1"),
        ("ELECTRA-64", "c5 lightest"),
    ] {
        assert!(page.contains(&format!("<span class=\"arm {colour}\">{title}</span>")), "{title}");
    }
    // The steps' line of an arm with the FLOPs of another has dots.
    assert!(page.contains("c1 lightest curve dotted\""));
    let alone = study(&[("mlm", "mlm", "64", None, LOW), ("electra", "electra", "64", None, HIGH)]);
    let page = rendered(&findings(&alone));
    assert!(
        page.contains("<span class=\"arm c1\">MLM</span>")
            && page.contains("<span class=\"arm c5\">ELECTRA</span>")
    );
}

#[test]
fn a_size_without_a_score_is_a_dash_and_nothing_at_all_no_section() {
    let mut study = two_sizes();
    study.runs.retain(|run| run.arm != "electra-128");
    let results = findings(&study);
    rendered(&results);
    let folder = tempfile::tempdir().unwrap();
    write(&results, folder.path()).unwrap();
    let text = plain(&fs::read_to_string(folder.path().join("report.md")).unwrap());
    let row = text.lines().find(|line| line.starts_with("| 128 | 61.3")).unwrap();
    assert!(row.ends_with(" | – |"), "{row}");
    study.runs.clear();
    assert!(!rendered(&findings(&study)).contains("Score against hidden size"));
}

#[test]
fn a_look_that_proves_nothing_has_the_chart_and_no_finding() {
    let mut study = two_sizes();
    study.plan.proves_nothing = Some("It is quick".into());
    let results = findings(&study);
    assert_eq!(conclude(&results).ordering_sentence, "");
    let page = plain(&rendered(&results));
    assert!(page.contains("Score against hidden size") && !page.contains("With equal steps,"));
}
