//! What was fine-tuned and written answers as it did before.

use std::fs;
use std::sync::atomic::AtomicBool;

use electra_evaluation::{Prediction, Predictor, Problem};
use electra_tasks::Content;
use tch::Device;

use crate::support::{Asked, workplace};

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
        Asked { set: &set, ..Asked::new(&encoder, &task, &output) }.run().unwrap();
        let model = fs::read(output.join("model/model.safetensors")).unwrap();
        assert!(String::from_utf8_lossy(&model).contains(tensor), "{tensor}");

        let predictor = Predictor::read(&output.join("model"), Device::Cpu).unwrap();
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
        Asked { set: &[pooling, "epochs=2"], ..Asked::new(&encoder, &task, &output) }.run().unwrap();
        let predictor = Predictor::read(&output.join("model"), Device::Cpu).unwrap();
        let of = |contents: Vec<Content>| {
            let predictions = predictor.predict(contents, &AtomicBool::new(false)).unwrap();
            let Prediction::Class { probabilities, .. } = &predictions[0] else { panic!("{predictions:?}") };
            probabilities[0]
        };
        let alone = of(vec![text("a cat")]);
        let padded = of(vec![text("a cat"), text("the old dogs sleep near the old cats , the old dogs see")]);
        assert!((alone - padded).abs() < 1e-6, "{alone} {padded}");
    }
}

#[test]
fn a_pretrained_network_is_no_predictor() {
    let (_folder, encoder, _) = workplace();
    let error = Predictor::read(&encoder, Device::Cpu).unwrap_err().to_string();
    let expected =
        "architectures: ElectraModel; expected a fine-tuned network, such as electra finetune writes";
    assert!(error.ends_with(expected), "{error}");
}
