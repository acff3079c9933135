//! What was fine-tuned and written answers as it did before.

use std::fs;
use std::sync::atomic::AtomicBool;

use electra_encoder::Compute;
use electra_evaluation::{Prediction, Predictor, Problem};
use electra_tasks::{Content, Split};

use crate::support::{TestJob, encoder, task, workplace};

fn text(text: &str) -> Content {
    Content::Sequence { text: text.to_owned(), pair: None, label: None }
}

/// The paper's head is written in the form of transformers', mean pooling under names of its own.
#[test]
fn every_form_of_head_comes_back() {
    let (folder, encoder, task) = workplace();
    for (head, pooling, tensor) in [
        ("paper", "cls", "classifier.dense.weight"),
        ("paper", "mean", "mean_classifier.dense.weight"),
        ("transformers", "cls", "classifier.out_proj.weight"),
        ("transformers", "mean", "mean_classifier.out_proj.weight"),
    ] {
        let output = folder.path().join(format!("{head}-{pooling}"));
        let set = [&*format!("head={head}"), &*format!("pooling={pooling}"), "epochs=4"];
        TestJob { set: &set, ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
        let model = fs::read(output.join("model/model.safetensors")).unwrap();
        assert!(String::from_utf8_lossy(&model).contains(tensor), "{tensor}");

        let predictor = Predictor::read(&output.join("model"), Compute::cpu()).unwrap();
        let Problem::Classes(labels) = predictor.problem().clone() else {
            panic!("{:?}", predictor.problem())
        };
        assert_eq!(labels, ["canine", "feline"]);
        let dev = fs::read_to_string(task.join("dev.tsv")).unwrap();
        let contents = dev.lines().skip(1).map(|line| text(line.split('\t').next().unwrap())).collect();
        let predictions = predictor.predict(contents, &AtomicBool::new(false)).unwrap();
        let written = fs::read_to_string(output.join("predictions-dev.tsv")).unwrap();
        assert_eq!(written.lines().count(), 1 + predictions.len());
        for (line, prediction) in written.lines().skip(1).zip(predictions) {
            let Prediction::Class { class, probabilities } = prediction else { panic!("{prediction:?}") };
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields[1], labels[class]);
            let score: f32 = fields[3].parse().unwrap();
            assert!((score - probabilities[0]).abs() < 1e-5, "{line}: {probabilities:?}");
        }
    }
}

#[test]
fn company_in_a_batch_changes_nothing() {
    let (folder, encoder, task) = workplace();
    for pooling in ["pooling=cls", "pooling=mean"] {
        let output = folder.path().join(pooling);
        TestJob { set: &[pooling, "epochs=2"], ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
        let predictor = Predictor::read(&output.join("model"), Compute::cpu()).unwrap();
        let predict = |contents: Vec<Content>| {
            let predictions = predictor.predict(contents, &AtomicBool::new(false)).unwrap();
            let Prediction::Class { probabilities, .. } = &predictions[0] else { panic!("{predictions:?}") };
            probabilities[0]
        };
        let alone = predict(vec![text("a cat")]);
        let padded =
            predict(vec![text("a cat"), text("the old dogs sleep near the old cats , the old dogs see")]);
        assert!((alone - padded).abs() < 1e-6, "{alone} {padded}");
    }
}

#[test]
fn a_pretrained_network_is_no_predictor() {
    let (_folder, encoder, _) = workplace();
    let error = Predictor::read(&encoder, Compute::cpu()).unwrap_err().to_string();
    let expected =
        "architectures: ElectraModel; expected a fine-tuned network, such as electra finetune writes";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn a_set_of_a_task_is_scored_whatever_the_order_of_its_labels() {
    let (folder, encoder, animals) = workplace();
    let output = folder.path().join("out");
    let scores = TestJob { set: &["epochs=2"], ..TestJob::new(&encoder, &animals, &output) }.run().unwrap();
    let predictor = Predictor::read(&output.join("model"), Compute::cpu()).unwrap();
    assert_eq!(predictor.takes_pairs(), Some(false));
    let never = AtomicBool::new(false);
    let scored = |folder: &std::path::Path| {
        let task = electra_tasks::find(folder.to_str().unwrap(), None).unwrap();
        predictor.score(&task, &task.read(&Split::Dev).unwrap(), &never)
    };
    let same = scored(&animals).unwrap();
    assert_eq!(same.scores.as_ref(), Some(&scores.scores["dev"]));
    assert_eq!(same.table.lines().next().unwrap(), "index\tprediction\tlabel\tscore_canine\tscore_feline");

    let change = |from: &str, to: &str| {
        let definition = fs::read_to_string(animals.join("task.toml")).unwrap();
        assert!(definition.contains(from));
        let dev = fs::read_to_string(animals.join("dev.tsv")).unwrap();
        let rest = definition.split_once('\n').unwrap().1.replace(from, to);
        task(folder.path(), "other", &rest, &[("dev.tsv", dev)])
    };
    let turned = scored(&change("[\"canine\", \"feline\"]", "[\"feline\", \"canine\"]")).unwrap();
    assert_eq!(turned.scores, same.scores);
    let words = |table: &str| -> Vec<String> {
        table.lines().skip(1).map(|line| line.split('\t').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(words(&turned.table), words(&same.table));
    assert!(turned.table.starts_with("index\tprediction\tlabel\tscore_feline\tscore_canine\n"));

    for (from, to, message) in [
        (
            "\"feline\"]",
            "\"feline\", \"bovine\"]",
            "task other: its labels are canine, feline, bovine; the model's are canine, feline",
        ),
        (
            "[\"sentence\"]",
            "[\"sentence\", \"label\"]",
            "task other: its examples are pairs of texts; the model was fine-tuned on one each",
        ),
    ] {
        assert_eq!(scored(&change(from, to)).unwrap_err().to_string(), message);
    }
}

#[test]
fn choices_have_the_names_that_their_files_have() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let rows = |from: usize, count: usize| {
        let row = |number: usize| {
            let choices = if number.is_multiple_of(2) { "the dog\ta cat\tA" } else { "a cat\tthe dog\tB" };
            format!("what walk\t{choices}\n")
        };
        "text\tone\tother\tlabel\n".to_owned() + &(from..from + count).map(row).collect::<String>()
    };
    let definition = "kind = \"choice\"\ntext = \"text\"\nchoices = [\"one\", \"other\"]\nlabel = \"label\"\n\
        labels = [\"A\", \"B\"]\n[files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\n";
    let which =
        task(folder.path(), "which", definition, &[("train.tsv", rows(0, 32)), ("dev.tsv", rows(0, 8))]);
    let output = folder.path().join("out");
    TestJob { set: &["epochs=1"], ..TestJob::new(&encoder, &which, &output) }.run().unwrap();
    let predictions = fs::read_to_string(output.join("predictions-dev.tsv")).unwrap();
    assert!(predictions.starts_with("index\tprediction\tlabel\tscore_A\tscore_B\n"), "{predictions}");
    for line in predictions.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        assert!(fields[1..3].iter().all(|field| ["A", "B"].contains(field)), "{line}");
    }
    let predictor = Predictor::read(&output.join("model"), Compute::cpu()).unwrap();
    assert_eq!(predictor.choice_labels(), ["A", "B"]);
    assert_eq!(predictor.takes_pairs(), None);
}
