//! A task whose texts have several labels: `electra finetune`, `probe` and `predict`.

use std::path::Path;

use serde_json::{Value, json};

use super::finetune::bench;
use crate::plan::{self, PLAN};
use crate::support::{Bench, json_lines};

const DEFINITION: &str = "kind = \"sequence\"\nmulti_label = true\ntext = \"text\"\nlabel = \"seen\"\nseparator = \" \"\n\
    labels = [\"feline\", \"canine\"]\nmetrics = [\"micro-f1\", \"macro-f1\", \"accuracy\", \"hamming-loss\"]\n\
    [files]\ntrain = \"data.tsv\"\ndev = \"data.tsv\"\n";

/// A bench with a task: which animals a sentence is of.
fn workplace() -> Bench {
    let bench = bench();
    std::fs::create_dir(bench.path("seen")).unwrap();
    bench.write("seen/task.toml", DEFINITION);
    let rows = ["the cat\tfeline", "the dog\tcanine", "the cat sees the dog\tcanine feline", "the walk\t"];
    bench.write("seen/data.tsv", "text\tseen\n".to_owned() + &format!("{}\n", rows.join("\n")).repeat(16));
    bench
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn several_labels_are_predicted_each_with_its_probability() {
    let bench = workplace();
    let finetune = "finetune --model discriminator --task seen --output out --set threads=1 --set dropout=0 \
        --learning-rate 1e-2 --epochs 60 --set pooling=mean";
    let line = json_lines(&bench.run(&format!("{finetune} --json")).ok()).remove(0);
    assert_eq!(line["metric"], "micro-f1");
    assert!(line["median"].as_f64().unwrap() >= 0.95, "{line}");
    assert_eq!(
        read(&bench.path("out/seen/seed-1/model/config.json"))["problem_type"],
        "multi_label_classification"
    );

    let predict = "predict --model out/seen/seed-1/model";
    let input = b"the cat\nthe dog sees the cat\nthe walk\n\nthe dog\n";
    let answers = bench.run_with(predict, input).ok();
    let lines: Vec<(&str, usize)> = answers
        .lines()
        .map(|line| {
            let (labels, probabilities) = line.split_once('\t').unwrap_or((line, ""));
            let probabilities: Vec<f64> =
                probabilities.split_whitespace().map(|p| p.parse().unwrap()).collect();
            assert!(probabilities.iter().all(|probability| (0.5..=1.0).contains(probability)), "{line}");
            (labels, probabilities.len())
        })
        .collect();
    assert_eq!(lines, [("feline", 1), ("feline canine", 2), ("", 0), ("", 0), ("canine", 1)]);
    assert_eq!(answers.lines().nth(2), Some("\t"), "no label is an answer, a blank line has none");
    let input = b"{\"text\": \"the dog sees the cat\"}\n{\"text\": \"the walk\"}\n";
    let answers = json_lines(&bench.run_with(&format!("{predict} --json"), input).ok());
    assert_eq!([&answers[0]["labels"], &answers[1]["labels"]], [&json!(["feline", "canine"]), &json!([])]);
    for label in ["feline", "canine"] {
        assert!(answers[0]["probabilities"][label].as_f64().unwrap() > 0.5);
        assert!(answers[1]["probabilities"][label].as_f64().unwrap() < 0.5);
    }

    let answer = bench.run(&format!("{predict} --task seen"));
    let scores = &read(&bench.path("out/seen/results.json"))["seeds"][0]["scores"]["dev"];
    let shown = ["micro-f1", "macro-f1", "accuracy", "hamming-loss"]
        .map(|metric| format!("{metric} {:.4}", scores[metric].as_f64().unwrap()));
    assert_eq!(answer.err, format!("seen, 64 examples of the dev set: {}\n", shown.join(", ")));
    assert!(answer.ok().starts_with("index\tprediction\tlabel\tscore_feline\tscore_canine\n"));
    let lines = json_lines(&bench.run(&format!("{predict} --task seen --json")).ok());
    assert_eq!((lines.len(), &lines[2]["labels"]), (65, &json!(["feline", "canine"])));

    let probed = bench.run("probe --model discriminator --task seen --output probes --json").ok();
    assert!(json_lines(&probed)[0]["scores"]["dev"]["micro-f1"].as_f64().unwrap() >= 0.95, "{probed}");
}

#[test]
fn what_is_wrong_with_labels_is_said_with_its_line_and_leaves_nothing() {
    let bench = workplace();
    for (file, from, to, message) in [
        (
            "data.tsv",
            "canine feline",
            "canine bovine",
            "seen/data.tsv: line 4, column \"seen\": unknown label \"bovine\"; expected \"feline\" or \"canine\"",
        ),
        (
            "data.tsv",
            "canine feline",
            "canine canine",
            "seen/data.tsv: line 4, column \"seen\": expected each label once, found \"canine\" twice",
        ),
        (
            "task.toml",
            "\"canine\"",
            "\"of dogs\"",
            "seen/task.toml: line 6: labels: \"of dogs\" holds the separator \" \"; expected another separator",
        ),
        (
            "task.toml",
            "\"micro-f1\", ",
            "\"hamming-loss\", ",
            "seen/task.toml: line 7: metrics: \"hamming-loss\" comes first, but the first is the score",
        ),
    ] {
        let path = bench.path("seen").join(file);
        let right = std::fs::read_to_string(&path).unwrap();
        assert!(right.contains(from));
        std::fs::write(&path, right.replace(from, to)).unwrap();
        for command in ["finetune --set threads=1", "probe"] {
            let refused =
                bench.run(&format!("{command} --model discriminator --task seen --output out")).refused();
            assert!(refused.contains(message), "{refused}");
            assert!(!bench.path("out").exists());
        }
        std::fs::write(&path, right).unwrap();
    }
}

/// Each example is right or wrong for the one score; for the other no example has a score of its own.
#[test]
fn a_study_takes_a_task_of_several_labels() {
    let bench = plan::bench();
    let plan = PLAN
        .replace("scratch = true", "scratch = false")
        .replace("pretraining_seeds = [1, 2]", "pretraining_seeds = [1]")
        .replace("checkpoints = { shares = [0.5], pretraining_seeds = [1] }", "")
        .replace("names = [\"animals\"]", "names = [\"animals\", \"again\"], probes = [\"animals\"]");
    bench.write("plan.toml", plan);
    std::fs::create_dir(bench.path("tasks/again")).unwrap();
    for (name, metric) in [("animals", "accuracy"), ("again", "micro-f1")] {
        let definition =
            DEFINITION.replace("\"micro-f1\", \"macro-f1\", \"accuracy\"", &format!("{metric:?}"));
        let definition = definition.replace("dev = ", "test = \"data.tsv\"\ndev = ");
        bench.write(&format!("tasks/{name}/task.toml"), definition);
        let rows = "the cat sat\tfeline\nthe dog and the cat\tfeline canine\nthe mat\t\n";
        bench.write(&format!("tasks/{name}/data.tsv"), "text\tseen\n".to_owned() + &rows.repeat(5));
    }
    bench.run("ablate --plan plan.toml --output study").ok();
    let results = read(&bench.path("study/results.json"));
    assert_eq!(results["failures"], json!([]));
    for arm in results["arms"].as_array().unwrap() {
        let tasks = &arm["seeds"][0]["tasks"];
        assert!(tasks["animals"].is_number() && tasks["again"].is_number(), "{tasks}");
    }
    let predictions = read(&bench.path("study/predictions/run-0/task-0.json"));
    assert_eq!((&predictions["kind"], &predictions["labels"]), (&json!("scores"), &json!([])));
    assert!(!bench.path("study/predictions/run-0/task-1.json").exists());
}
