//! The plan that ships as the default, on the language that the program generates.

use serde_json::Value;

use crate::support::Bench;

fn results(bench: &Bench) -> Value {
    serde_json::from_slice(&std::fs::read(bench.path("study/results.json")).unwrap()).unwrap()
}

/// The score of an arm's first seed on a task, times 100.
fn score(results: &Value, arm: &str, task: &str) -> f64 {
    let arms = results["arms"].as_array().unwrap();
    let found = arms.iter().find(|found| found["facts"]["name"] == arm).unwrap();
    found["seeds"][0]["tasks"][task].as_f64().unwrap()
}

/// The default study with one objective and one seed: that the other objectives help, and which of them, is for the whole
/// study to say.
#[test]
fn each_task_is_solved_better_by_an_encoder_that_electra_pretrained() {
    let bench = Bench::new();
    let only_electra = "--set objectives=[\"electra\"] --set baseline=electra --set budget.steps=8000 \
                        --set pretraining_seeds=[1] --set curves.shares=[0.5]";
    bench.run(&format!("ablate --plan default {only_electra} --output study")).ok();
    let results = results(&bench);
    // In points of a hundred, about half of what was seen.
    for (task, by) in [
        ("acceptability", 25.0),
        ("polarity", 10.0),
        ("paraphrase", 8.0),
        ("entailment", 4.0),
        ("similarity", 35.0),
        ("topic", 20.0),
    ] {
        let [electra, scratch] = ["electra", "scratch"].map(|arm| score(&results, arm, task));
        println!("{task}: {electra} with pre-training, {scratch} without");
        assert!(electra > scratch + by, "{task}: {electra} with pre-training, {scratch} without");
    }
}

#[test]
fn the_quick_form_goes_every_step_of_the_way_and_says_that_it_proves_nothing() {
    let bench = Bench::new();
    let out = bench.run("ablate --plan default --quick --output study").ok();
    assert!(out.contains("This run proves nothing"), "{out}");
    assert_eq!(results(&bench)["arms"].as_array().unwrap().len(), 6);
    let page = std::fs::read_to_string(bench.path("study/report.html")).unwrap();
    assert!(page.contains("This run proves nothing"));
    assert!(page.contains("What the generator offers and what is found"));
}
