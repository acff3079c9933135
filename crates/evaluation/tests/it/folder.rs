//! A seed's folder: whole or not there, computed once.

use std::fs;
use std::path::Path;

use electra_evaluation::{Event, Keep, Prepared, Pretrained, Recipe, TaskData, write_results};
use electra_tasks::Split;

use crate::support::{TestJob, files, workplace};

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_result_is_complete_and_is_not_computed_again() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("animals").join("seed-1");
    let job = TestJob {
        set: &["epochs=2"],
        evaluate: &[Split::Dev, Split::Test],
        ..TestJob::new(&encoder, &task, &output)
    };
    let scores = job.run().unwrap();
    let whole = names(&output);
    for name in [
        "config.toml",
        "curve.jsonl",
        "model/config.json",
        "model/model.safetensors",
        "model/vocab.txt",
        "predictions-dev.tsv",
        "predictions-test.tsv",
        "scores.json",
    ] {
        assert!(whole.iter().any(|found| found == name), "{name} of {whole:?}");
    }
    // A test set without labels is predicted and not scored.
    assert_eq!(scores.scores.keys().collect::<Vec<_>>(), ["dev"]);
    assert_eq!(scores.examples["test"], 10);
    let test = fs::read_to_string(output.join("predictions-test.tsv")).unwrap();
    assert_eq!(test.lines().next().unwrap(), "index\tprediction\tlabel\tscore_canine\tscore_feline");
    assert_eq!(test.lines().nth(1).unwrap().split('\t').nth(2).unwrap(), "");

    let mut reused = false;
    let again = job.watched(&mut |event| reused |= *event == Event::Reused).unwrap();
    assert!(reused);
    assert_eq!(again, scores);
}

#[test]
fn the_model_can_be_left_out() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("out");
    let set = ["epochs=1", "score_epochs=false"];
    TestJob { keep: Keep::Predictions, set: &set, ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
    assert_eq!(names(&output), ["config.toml", "curve.jsonl", "predictions-dev.tsv", "scores.json"]);
}

#[test]
fn other_settings_are_refused_key_by_key() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("out");
    let job = TestJob { set: &["epochs=1"], ..TestJob::new(&encoder, &task, &output) };
    job.run().unwrap();
    let before = files(&output);
    let error =
        TestJob { set: &["epochs=1", "dropout=0"], keep: Keep::Predictions, ..job }.run().unwrap_err();
    let expected = format!(
        "{}: holds a result of other settings; name another folder, or set \
         keep = \"model\" (wanted: \"predictions\"); recipe.dropout = 0.1 (wanted: 0.0)",
        output.display()
    );
    assert_eq!(error.to_string(), expected);
    // Another encoder or other examples are other settings too.
    fs::write(task.join("dev.tsv"), crate::support::animals(2, 40)).unwrap();
    let error = TestJob { set: &["epochs=1"], ..TestJob::new(&encoder, &task, &output) }.run().unwrap_err();
    assert!(error.to_string().contains("set data = "), "{error}");
    assert_eq!(files(&output), before);
}

#[test]
fn what_a_killed_process_left_is_begun_anew() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("out");
    let left = folder.path().join(".out.partial-abc");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("config.toml"), "").unwrap();
    TestJob { set: &["epochs=1"], ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
    assert!(!left.exists());
    assert!(output.join("scores.json").exists());
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("out");
    fs::create_dir(&output).unwrap();
    fs::write(output.join("thesis.tex"), "").unwrap();
    let error = TestJob::new(&encoder, &task, &output).run().unwrap_err().to_string();
    assert!(
        error.ends_with("holds files but no config.toml, so it is not a result; name a new folder"),
        "{error}"
    );
    assert_eq!(names(&output), ["thesis.tex"]);
}

#[test]
fn results_have_all_seeds_and_their_median() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("animals");
    let run = |seed, set: &[&str]| {
        let folder = output.join(format!("seed-{seed}"));
        TestJob { seed, set, ..TestJob::new(&encoder, &task, &folder) }.run().unwrap()
    };
    let seeds: Vec<_> = (1..=3).map(|seed| run(seed, &["epochs=1"])).collect();
    // Of other settings, so it is not one of them.
    run(4, &["epochs=1", "dropout=0"]);
    let pretrained = Pretrained::read(&encoder).unwrap();
    let data =
        TaskData::read(electra_tasks::find(task.to_str().unwrap(), None).unwrap(), &[Split::Dev]).unwrap();
    let recipe = Recipe::paper(pretrained.config(), data.size());
    let prepared = Prepared::new(&pretrained, &data, &recipe).unwrap();
    // The other two are found in their folders, as if an earlier command had made them.
    let result = write_results(&output, &prepared, &seeds[1..2]).unwrap();

    let mut scores: Vec<f64> = seeds.iter().map(|seed| seed.scores["dev"]["accuracy"]).collect();
    scores.sort_by(f64::total_cmp);
    assert_eq!((result.seeds, result.median), (vec![1, 2, 3], Some(scores[1])));
    let text = fs::read(output.join("results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(results["metric"], "accuracy");
    assert_eq!(results["median"], scores[1]);
    let numbers: Vec<_> = results["seeds"].as_array().unwrap().iter().map(|seed| &seed["seed"]).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(results["seeds"][0]["scores"]["dev"]["accuracy"], seeds[0].scores["dev"]["accuracy"]);
}
