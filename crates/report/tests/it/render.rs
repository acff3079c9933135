//! The files of the report.

use std::fs;
use std::path::Path;

use electra_analysis::{AnalysisConfig, Findings, Measurements, analyse};
use electra_report::{Error, conclude, read, read_measurements, write, write_measurements};

use crate::markup;
use crate::study::fabricated;
use crate::table::{measurements, results};

const CHARTS: [&str; 7] =
    ["scores", "differences", "learning", "compute-flops", "compute-steps", "tasks", "diagnostics"];

fn few_draws() -> AnalysisConfig {
    AnalysisConfig { draws: 40, ..AnalysisConfig::standard() }
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Writes, checks all files, gives the page.
pub(crate) fn rendered(results: &Findings) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(results, folder.path()).unwrap();
    let page = text(folder.path(), "report.html");
    markup::check(&page);
    markup::check_content(&page);
    for entry in fs::read_dir(folder.path().join("charts")).unwrap() {
        let chart = fs::read_to_string(entry.unwrap().path()).unwrap();
        markup::check(&chart);
        markup::check_content(&chart);
    }
    let markdown = text(folder.path(), "report.md");
    check_markdown(&markdown);
    markup::check_content(&markdown);
    // A failure would print megabytes.
    assert!(
        read(&folder.path().join("results.json")).unwrap() == *results,
        "results.json is not what was written"
    );
    page
}

/// The rows of a table have as many cells as its headline, and every picture is there.
fn check_markdown(text: &str) {
    let mut columns = None;
    for line in text.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let cells = line.replace("\\|", "").matches('|').count();
        assert_eq!(*columns.get_or_insert(cells), cells, "{line}");
    }
}

fn small() -> Measurements {
    fabricated(2, 60)
}

#[test]
fn a_whole_study_gives_all_files() {
    let results = analyse(&small(), &few_draws()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(&results, folder.path()).unwrap();
    let page = rendered(&results);
    for chart in CHARTS {
        assert!(text(folder.path(), &format!("charts/{chart}.svg")).contains("prefers-color-scheme: dark"));
        // Once: nothing is drawn anew for another width.
        assert_eq!(page.matches(&format!("aria-labelledby=\"{chart}-t {chart}-d\"")).count(), 1);
        assert!(text(folder.path(), "report.md").contains(&format!("](charts/{chart}.svg)")));
    }
    for said in [
        "ELECTRA again",
        "30 % of labels shuffled",
        "No pre-training",
        "85.0",
        "Effect size",
        "the process was ended by signal 9",
        "cargo run -p electra-report --example fabricate",
        "SHA-256",
        "learning rate",
        "How settings were chosen",
        "own schedule",
        "Replace MLM − MLM",
        "Took off",
    ] {
        assert!(page.replace('\u{a0}', " ").contains(said), "{said}");
    }
    let sentence = conclude(&results).sentence;
    assert!(text(folder.path(), "report.md").replace("\\", "").contains(sentence.as_str()));
    // Again into the same folder: the same bytes, and nothing left over.
    let before = text(folder.path(), "report.html");
    write(&read(&folder.path().join("results.json")).unwrap(), folder.path()).unwrap();
    assert_eq!(text(folder.path(), "report.html"), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn names_are_text_whatever_they_are() {
    let mut study = small();
    let hostile = "<script>alert(\"x\")</script> & 'y' | `z` \u{1} *b*";
    study.title = hostile.into();
    study.plan.settings_chosen = hostile.into();
    study.plan.file = Some(hostile.into());
    study.provenance.command = hostile.into();
    study.arms[0].title = hostile.into();
    study.arms[1].title =
        "ein sehr langer Name, der nirgends hineinpasst und darum gekürzt werden muss".into();
    study.arms[2].title = "置換トークン検出".into();
    study.tasks[0].title = hostile.into();
    study.failures[0].message = format!("{hostile}\nand a second line");
    let point = &mut study.runs[0].diagnostics[0];
    point.values.insert(hostile.into(), 1.0);
    point.values.insert("gone".into(), f64::NAN);
    point.values.insert("far".into(), f64::INFINITY);
    let page = rendered(&analyse(&study, &few_draws()).unwrap());
    assert!(page.contains("置換トークン検出") && !page.contains("<script"));
}

#[test]
fn what_is_missing_is_a_dash() {
    // Nothing came to its end.
    let nothing: &[f64] = &[];
    let page = rendered(&results(&[("mlm", nothing), ("electra", nothing)]));
    assert!(page.contains("this run shows nothing") && page.contains(">–</td>") && !page.contains("<svg"));
    // One seed, then one arm, then arms of which one has a single seed.
    rendered(&results(&[("mlm", &[60.0]), ("electra", &[61.0])]));
    rendered(&results(&[("mlm", &[60.0, 61.0])]));
    rendered(&results(&[
        ("mlm", &[60.0, 61.0, 62.0]),
        ("electra", &[61.0]),
        ("electra-15", &[0.0, 100.0, 50.0]),
    ]));
    // No noise and no difference.
    rendered(&results(&[("mlm", &[0.0, 0.0]), ("electra", &[0.0, 0.0])]));
    // A quick plan without anything.
    let mut study = measurements(&[("mlm", &[60.0, 61.0])]);
    study.plan.proves_nothing = Some("It is quick".into());
    study.runs.clear();
    let page = rendered(&analyse(&study, &few_draws()).unwrap());
    assert!(page.contains("This run proves nothing. It is quick."));
}

#[test]
fn results_json_redoes_every_figure_and_tells_its_form() {
    let study = small();
    let results = analyse(&study, &few_draws()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(&results, folder.path()).unwrap();
    let path = folder.path().join("results.json");
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(json["format"], "electra-report/2");
    let arm = &json["arms"][4];
    assert_eq!(arm["facts"]["name"], "electra");
    assert_eq!(arm["runs"][1]["seed"], 2);
    // Every single fine-tuning, and no predictions.
    let scores = arm["runs"][0]["checkpoints"][7]["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 6 * 3);
    assert!(scores.iter().all(|score| score.get("predictions").is_none() && score["score"].is_f64()));

    fs::write(&path, fs::read_to_string(&path).unwrap().replacen("electra-report/2", "electra-report/9", 1))
        .unwrap();
    let error = read(&path).unwrap_err();
    assert!(
        matches!(error, Error::Format { .. }) && error.to_string().contains("expected \"electra-report/2\""),
        "{error}"
    );
    fs::write(&path, "[]").unwrap();
    assert!(matches!(read(&path).unwrap_err(), Error::Format { .. }));
    assert!(matches!(
        read(&folder.path().join("none")).unwrap_err(),
        Error::Store(electra_store::Error::Io { .. })
    ));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = write(&results(&[("mlm", &[1.0])]), &file).unwrap_err();
    assert!(error.to_string().contains("file/charts"), "{error}");
}

#[test]
fn replacements_have_their_section_where_they_were_measured() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = small();
    let electra = study.runs.iter_mut().find(|run| run.arm == "electra").unwrap();
    let of_run = electra.replacements.as_mut().unwrap();
    // The mean with the other seed's 2.6, and with its 30 %.
    (of_run.masked_lm_loss, of_run.kinds[2].share) = (Some(2.0), 0.2);
    let whole = analyse(&study, &few_draws()).unwrap();
    let page = rendered(&whole);
    write(&whole, folder.path()).unwrap();
    let markdown = text(folder.path(), "report.md");
    let headline = "What the generator offers and what is found";
    assert!(page.contains(headline) && markdown.contains(&format!("## {headline}")));
    assert!(markdown.contains("leaves 0.600 nats open where one word alone is hidden"));
    let section = markdown.split(headline).nth(1).unwrap().split("\n## ").next().unwrap();
    let row = |start: &str, table: usize| -> Vec<&str> {
        let rows: Vec<&str> = section.lines().filter(|line| line.starts_with(start)).collect();
        rows[table].trim_matches('|').split('|').map(str::trim).collect()
    };
    assert_eq!(
        row("| Objective |", 0)[1..],
        [
            "Masked-LM loss",
            "Grammar",
            "Right",
            "Same features",
            "Same class",
            "Other class",
            "Unlisted",
            "Seeds"
        ]
    );
    assert_eq!(row("| ELECTRA |", 0)[1..], ["2.300", "0.600", "48.0", "11.0", "25.0", "10.0", "1.0", "2"]);
    assert_eq!(row("| MLM |", 0)[1..], ["2.600", "0.600", "–", "–", "–", "–", "–", "2"]);
    // There is no generator, and so no loss; nothing was pre-trained from scratch.
    assert_eq!(row("| RTD, uniform replacements |", 0)[1..3], ["–", "–"]);
    assert!(!section.contains("No pre-training"));
    let columns = row("| Objective |", 1);
    assert_eq!(columns[1..4], ["Recall, all", "Recall, same features", "Recall, same class"]);
    assert_eq!(columns[6..9], ["False alarms", "AUC, all", "AUC, same features"]);
    let found = row("| ELECTRA |", 1);
    assert_eq!((found[1], found[6], found[7], found.len()), ("40.0", "2.0", "0.750", columns.len()));
    assert!(section.contains("ELECTRA 15 % has learnt at masked positions alone"));
    assert!(section.matches("| Replace MLM |").count() == 1, "nothing in it says what was replaced");

    // A study of real text has none, and neither has a results.json from before there were any.
    let plain = results(&[("mlm", &[60.0, 61.0]), ("electra", &[61.0, 63.0])]);
    assert!(!rendered(&plain).contains(headline));
    write(&plain, folder.path()).unwrap();
    let path = folder.path().join("results.json");
    let json = text(folder.path(), "results.json");
    let before = json.replace(",\"replacements\":null", "").replace("\"language\":null,", "");
    assert!(
        before.len() < json.len() && !before.contains("\"language\"") && !before.contains("replacements")
    );
    fs::write(&path, before).unwrap();
    assert!(read(&path).unwrap() == plain);
}

#[test]
fn measurements_are_read_as_they_were_written_and_give_the_same_findings() {
    let mut study = small();
    study.tasks[1].units = Some((0..60).map(|example| example / 2).collect());
    // What was predicted on the way is not kept.
    let way = study
        .runs
        .iter_mut()
        .flat_map(|run| &mut run.checkpoints)
        .filter(|checkpoint| checkpoint.share < 1.0);
    way.flat_map(|checkpoint| &mut checkpoint.scores).for_each(|score| score.predictions = None);
    let folder = tempfile::tempdir().unwrap();
    write_measurements(&study, folder.path()).unwrap();
    assert!(read_measurements(folder.path()).unwrap() == study, "measurements are not what was written");
    // Again over it: nothing is left of what was there.
    let runs = study.runs.len();
    study.runs.truncate(1);
    write_measurements(&study, folder.path()).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("predictions")).unwrap().count(), 1);
    assert!(runs > 1 && read_measurements(folder.path()).unwrap() == study);

    let file = folder.path().join("predictions/run-0/task-0.json");
    let predicted = fs::read_to_string(&file).unwrap();
    fs::write(&file, predicted.replacen("1.0", "0.0", 1)).unwrap();
    let error = read_measurements(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("task-0.json: its SHA-256 is ") && error.ends_with(", as measurements.json has it"),
        "{error}"
    );
    fs::remove_file(&file).unwrap();
    assert!(matches!(read_measurements(folder.path()).unwrap_err(), Error::Store(_)));
    let written = text(folder.path(), "measurements.json");
    for name in ["../run-0/task-0.json", "/dev/zero", "predictions/../../x", "results.json"] {
        let led = written.replace("predictions/run-0/task-0.json", name);
        fs::write(folder.path().join("measurements.json"), led).unwrap();
        let error = read_measurements(folder.path()).unwrap_err().to_string();
        let expected = "expected a file in the folder predictions beside it";
        assert!(error.ends_with(&format!("measurements.json: predictions: {name:?}; {expected}")), "{error}");
    }
    fs::write(folder.path().join("measurements.json"), "{}").unwrap();
    let error = read_measurements(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("expected a measurements.json"), "{error}");
}

/// Found by fuzzing: a results.json may hold scores of runs that it lacks.
#[test]
fn findings_whose_parts_do_not_fit_are_a_report_all_the_same() {
    let mut findings = results(&[("mlm", &[60.0, 61.0]), ("electra", &[70.0, 71.0])]);
    findings.arms[0].runs.clear();
    let folder = tempfile::tempdir().unwrap();
    write(&findings, folder.path()).unwrap();
    assert!(text(folder.path(), "report.html").contains("ELECTRA"));
}
