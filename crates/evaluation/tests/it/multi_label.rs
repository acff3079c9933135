//! Texts that may have several labels, from files to files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use electra_encoder::Compute;
use electra_evaluation::{Prediction, Predictor, Prober, Problem, TaskData};
use electra_tasks::{Content, Split};
use tch::Device;

use crate::support::{TestJob, encoder, task};

/// Which animals a sentence is of: `count` sentences of none, one or both from number `from` on.
fn rows(from: usize, count: usize, separator: &str) -> String {
    let mut text = "sentence\tanimals\n".to_owned();
    for number in from..from + count {
        let animals = ["cat", "dog"].into_iter().zip(["feline", "canine"]).enumerate();
        let (words, labels): (Vec<_>, Vec<_>) =
            animals.filter(|(place, _)| number >> place & 1 == 1).map(|(_, both)| both).unzip();
        let (olds, sees) = ("old ".repeat(number / 4 % 4), words.join(" sees "));
        text += &format!("the {olds}{sees} sleeps\t{}\n", labels.join(separator));
    }
    text
}

fn definition(labels: &str, separator: &str) -> String {
    format!(
        "kind = \"sequence\"\nmulti_label = true\ntext = \"sentence\"\nlabel = \"animals\"\nlabels = {labels}\n\
         separator = \"{separator}\"\n\
         metrics = [\"micro-f1\", \"macro-f1\", \"samples-f1\", \"accuracy\", \"hamming-loss\"]\n\
         [files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\n"
    )
}

fn animals(folder: &Path) -> PathBuf {
    let files = [("train.tsv", rows(0, 96, "|")), ("dev.tsv", rows(1, 40, "|"))];
    task(folder, "animals", &definition("[\"canine\", \"feline\"]", "|"), &files)
}

#[test]
fn several_labels_are_learned_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, task) = (encoder(folder.path()), animals(folder.path()));
    for head in ["paper", "transformers"] {
        let output = folder.path().join(head);
        let set = [&*format!("head={head}"), "epochs=24"];
        let scores = TestJob { set: &set, ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
        let dev = &scores.scores["dev"];
        assert!(dev["micro-f1"] >= 0.95 && dev["accuracy"] >= 0.95, "{head}: {scores:?}");
        assert!(
            dev["hamming-loss"] <= 0.05 && dev["samples-f1"] <= 0.75,
            "a quarter has no label: {scores:?}"
        );

        let config: serde_json::Value =
            serde_json::from_slice(&fs::read(output.join("model/config.json")).unwrap()).unwrap();
        assert_eq!(config["problem_type"], "multi_label_classification");
        assert_eq!(config["id2label"], serde_json::json!({ "0": "canine", "1": "feline" }));

        let written = fs::read_to_string(output.join("predictions-dev.tsv")).unwrap();
        let predictor = Predictor::read(&output.join("model"), Compute::cpu()).unwrap();
        let labels = ["canine", "feline"].map(String::from);
        assert_eq!(*predictor.problem(), Problem::MultiLabel(labels.to_vec()));
        assert_eq!(predictor.label_separator(), Some("|"));
        let text = |row: &str| Content::Sequence {
            text: row.split('\t').next().unwrap().to_owned(),
            pair: None,
            label: None,
        };
        let contents = rows(1, 40, "|").lines().skip(1).map(text).collect();
        let predictions = predictor.predict(contents, &AtomicBool::new(false)).unwrap();
        assert_eq!(written.lines().next().unwrap(), "index\tprediction\tlabel\tscore_canine\tscore_feline");
        assert_eq!(written.lines().count(), 1 + predictions.len());
        for (line, prediction) in written.lines().skip(1).zip(predictions) {
            let Prediction::MultiLabel { classes, probabilities } = prediction else {
                panic!("{prediction:?}")
            };
            let fields: Vec<&str> = line.split('\t').collect();
            let names: Vec<&str> = classes.iter().map(|&class| &*labels[class]).collect();
            assert_eq!(fields[1], names.join("|"));
            for (class, probability) in probabilities.iter().enumerate() {
                assert_eq!(classes.contains(&class), *probability > 0.5);
                assert!((probability - fields[3 + class].parse::<f32>().unwrap()).abs() < 1e-5, "{line}");
            }
        }
    }
}

#[test]
fn a_set_is_scored_whatever_the_order_of_its_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, animals) = (encoder(folder.path()), animals(folder.path()));
    let output = folder.path().join("out");
    // Half learned, so that there are errors to count.
    let scores = TestJob { set: &["epochs=2"], ..TestJob::new(&encoder, &animals, &output) }.run().unwrap();
    let predictor = Predictor::read(&output.join("model"), Compute::cpu()).unwrap();
    let scored = |name: &str, definition: &str, separator: &str| {
        let folder = task(folder.path(), name, definition, &[("dev.tsv", rows(1, 40, separator))]);
        let task = electra_tasks::find(&folder, None).unwrap();
        predictor.score(&task, &task.read(&Split::Dev).unwrap(), &AtomicBool::new(false))
    };
    let same = scored("same", &definition("[\"canine\", \"feline\"]", "|"), "|").unwrap();
    assert_eq!(same.scores.as_ref(), Some(&scores.scores["dev"]));
    let turned = scored("turned", &definition("[\"feline\", \"canine\"]", ", "), ", ").unwrap();
    let (turned_scores, same_scores) = (turned.scores.unwrap(), same.scores.unwrap());
    for (metric, score) in &same_scores {
        assert!((turned_scores[metric] - score).abs() < 1e-12, "{metric}");
    }
    assert!(turned.table.starts_with("index\tprediction\tlabel\tscore_feline\tscore_canine\n"));
    assert!(turned.table.lines().any(|line| line.split('\t').nth(2) == Some("feline, canine")));

    let error = scored("more", &definition("[\"canine\", \"feline\", \"avian\"]", "|"), "|").unwrap_err();
    assert_eq!(
        error.to_string(),
        "task more: its labels are canine, feline, avian; the model's are canine, feline"
    );
    let single = definition("[\"canine\", \"feline\"]", "|")
        .replace("multi_label = true\n", "")
        .replace("separator = \"|\"\n", "")
        .replace(
            "\"micro-f1\", \"macro-f1\", \"samples-f1\", \"accuracy\", \"hamming-loss\"",
            "\"accuracy\"",
        );
    let single =
        task(folder.path(), "single", &single, &[("dev.tsv", "sentence\tanimals\nthe cat\tfeline\n".into())]);
    let single = electra_tasks::find(&single, None).unwrap();
    let dev = single.read(&Split::Dev).unwrap();
    let error = predictor.score(&single, &dev, &AtomicBool::new(false)).unwrap_err().to_string();
    assert_eq!(
        error,
        "task single: it asks for a class of the whole; the model gives several labels of the whole"
    );
}

#[test]
fn several_labels_are_probed() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, task) = (encoder(folder.path()), animals(folder.path()));
    let data = TaskData::read(electra_tasks::find(&task, None).unwrap(), &[Split::Dev]).unwrap();
    let prober = Prober::read(&encoder, Device::Cpu).unwrap();
    let scores = prober.probe(&data, &folder.path().join("out"), &AtomicBool::new(false)).unwrap();
    assert!(scores.scores["dev"]["accuracy"] >= 0.95, "{scores:?}");
    assert_eq!(scores.metric, "micro-f1");
}
