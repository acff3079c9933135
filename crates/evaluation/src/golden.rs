//! Against PyTorch and transformers: `tests/golden/make_golden.py` made the numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use electra_config::Schedule;
use electra_encoder::{Compute, Part, Weights};
use electra_tasks::MinimalPair;
use electra_tokenizer::Tokenizer;
use serde::Deserialize;
use tch::{Device, Kind, Tensor};

use crate::batches::TaskBatch;
use crate::config::{Preset, Recipe, TaskSize};
use crate::network::TaskNetwork;
use crate::{PairScorer, Problem, Scoring, encode, model, train};

const CLASSES: [&str; 6] = ["sequence", "multi_label", "regression", "tokens", "spans", "choice"];

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

fn json<T: for<'de> Deserialize<'de>>(path: &str) -> T {
    serde_json::from_slice(&std::fs::read(golden(path)).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct Rates {
    learning_rate: f64,
    total: u64,
    warmup: u64,
    clip: f64,
    eps: f64,
    weight_decay: f64,
    layer_decay: f64,
    factors: BTreeMap<String, f64>,
}

fn greatest_difference(first: &Tensor, other: &Tensor) -> f64 {
    assert_eq!(first.size(), other.size());
    (first.to_kind(Kind::Double) - other.to_kind(Kind::Double)).abs().max().double_value(&[])
}

/// A network of transformers with its batch. The tokenizer that it lacks plays no part.
fn case(class: &str) -> (TaskNetwork, TaskBatch, Weights) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(golden(class).join(name), folder.path().join(name)).unwrap();
    }
    std::fs::copy(golden("tokenizer/vocab.txt"), folder.path().join("vocab.txt")).unwrap();
    let network = model::read(folder.path(), Compute::cpu()).unwrap().network;
    let tensors = Weights::read(&golden(class).join("batch.safetensors")).unwrap();
    let get = |name: &str| tensors.get(name).unwrap().shallow_clone();
    let batch = TaskBatch {
        input_ids: get("input_ids"),
        attention_mask: get("attention_mask").to_kind(Kind::Bool),
        token_type_ids: get("token_type_ids"),
        slots: (class == "choice").then(|| Tensor::from_slice(&[0_i64, 1, 2, 3]).view([2, 2])),
        labels: Some(get("labels")),
    };
    (network, batch, tensors)
}

#[test]
fn logits_and_losses_are_those_of_transformers() {
    for class in CLASSES {
        let (network, batch, tensors) = case(class);
        let logits = network.forward_t(&batch, false);
        assert!(greatest_difference(&logits, tensors.get("logits").unwrap()) < 1e-5, "{class}");
        let loss = network.loss(&logits, batch.labels.as_ref().unwrap());
        assert!(greatest_difference(&loss, tensors.get("loss").unwrap()) < 1e-5, "{class}");
    }
}

#[test]
fn the_problem_is_told_by_the_configuration() {
    let problem_of = |class| case(class).0.problem;
    let labels = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect::<Vec<_>>();
    assert_eq!(problem_of("sequence"), Problem::Classes(labels(&["no", "perhaps", "yes"])));
    assert_eq!(problem_of("multi_label"), Problem::MultiLabel(labels(&["no", "perhaps", "yes"])));
    assert_eq!(problem_of("regression"), Problem::Value);
    assert_eq!(problem_of("tokens"), Problem::Words(labels(&["T0", "T1", "T2", "T3"])));
    assert_eq!(problem_of("spans"), Problem::Spans);
    assert_eq!(problem_of("choice"), Problem::Choice);
}

/// Three steps with a rate for each layer, without bias correction.
#[test]
fn steps_with_layerwise_decay_are_pytorchs() {
    let rates: Rates = json("rates.json");
    for class in CLASSES {
        let (network, batch, _) = case(class);
        let size = TaskSize { epochs: None, is_spans: false, examples: 4 };
        let recipe = Recipe {
            layer_decay: rates.layer_decay,
            weight_decay: rates.weight_decay,
            eps: rates.eps,
            clip: rates.clip,
            ..Recipe::preset(Preset::Paper, network.config(), size)
        };
        for name in network.var_store().variables().keys() {
            let factor = recipe.lr_scale(name, network.config().num_hidden_layers);
            assert!((factor - rates.factors[name]).abs() < 1e-12, "{name}: {factor}");
        }
        let warmup_steps = rates.warmup;
        let schedule =
            Schedule { learning_rate: rates.learning_rate, warmup_steps, warmup_share: 1.0, begin: 0.0 };
        let mut learner = train::learner(&network, &recipe).unwrap();
        for step in 1..=3 {
            learner.set_learning_rate(schedule.lr(step, step as f64 / rates.total as f64)).unwrap();
            let labels = batch.labels.as_ref().unwrap();
            let (loss, ()) =
                learner.learn(|| (network.loss(&network.forward_t(&batch, true), labels), ())).unwrap();
            learner.update(&loss).unwrap();
        }
        let ours = Weights::from_var_store(network.var_store(), Part::ALL);
        let theirs = Weights::read(&golden(class).join("final.safetensors")).unwrap();
        assert_eq!(ours.iter().count(), theirs.iter().count());
        for (name, tensor) in theirs.iter() {
            let difference = greatest_difference(ours.get(name).unwrap(), tensor);
            assert!(difference < 1e-5, "{class}: {name}: {difference}");
        }
    }
}

#[test]
fn rows_are_cut_as_transformers_cuts_them() {
    #[derive(Deserialize)]
    struct Case {
        first: String,
        second: Option<String>,
        max_length: usize,
        input_ids: Vec<u32>,
        token_type_ids: Vec<u32>,
    }
    let tokenizer = Tokenizer::load(golden("tokenizer")).unwrap();
    let cases: Vec<Case> = json("longest_first.json");
    for case in cases {
        let first = tokenizer.encode(&case.first);
        let second = case.second.as_ref().map(|second| tokenizer.encode(second));
        let row = encode::sequence(&tokenizer, &first, second.as_deref(), case.max_length);
        assert_eq!(row.input_ids, case.input_ids, "{} | {:?}", case.first, case.second);
        let types: Vec<u32> = (0..row.input_ids.len()).map(|place| u32::from(place >= row.second)).collect();
        assert_eq!(types, case.token_type_ids);
    }
}

#[test]
fn sentences_score_as_loops_in_python_score_them() {
    let numbers: BTreeMap<String, serde_json::Value> = json("pairs/scores.json");
    let sentences: Vec<String> = serde_json::from_value(numbers["sentences"].clone()).unwrap();
    for (folder, scoring) in [
        ("mlm", Scoring::PseudoLogLikelihood),
        ("mlm", Scoring::Unmasked),
        ("mlm", Scoring::TwoStream),
        ("discriminator", Scoring::Discriminator),
        ("discriminator", Scoring::Energy),
        ("causal", Scoring::LogLikelihood),
        ("causal", Scoring::MaskedNextToken),
    ] {
        let path = golden("pairs").join(folder);
        let scorer = PairScorer::read(&path, Some(scoring), Device::Cpu).unwrap();
        let scores = scorer.sentences(&sentences, &AtomicBool::new(false)).unwrap();
        let expected: Vec<f64> = serde_json::from_value(numbers[scoring.name()].clone()).unwrap();
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-4, "{}: {score}, not {expected}", scoring.name());
        }
        // Each sentence against the next.
        let pairs: Vec<MinimalPair> = sentences
            .windows(2)
            .map(|two| MinimalPair {
                good: two[0].clone(),
                bad: two[1].clone(),
                paradigm: "p".to_owned(),
                field: None,
                path: path.clone(),
                line: 1,
            })
            .collect();
        let right = scores.windows(2).filter(|two| two[0] > two[1]).count();
        let result = scorer.score(&pairs, &AtomicBool::new(false)).unwrap();
        assert_eq!(result.overall.accuracy, right as f64 / 4.0);
        assert_eq!(result.paradigms["p"], result.overall);
    }
}
