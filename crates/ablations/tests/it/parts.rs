//! A step in parts is the step: losses, gradients, metrics and what three updates make of the parameters.

use std::collections::BTreeMap;

use electra_ablations::OBJECTIVES;
use electra_data::{Loader, View};
use electra_masking::{MaskRate, MaskingConfig, Weighting};
use electra_objective::{DeviceBatch, Metric, ModelConfig, Objective, Over, Spec};
use electra_torch::{AdamW, AdamWConfig, Group, clip_grad_norm};
use tch::{Device, Tensor, nn};

use crate::support::{build, given, model, modernbert, relative_error, uneven_corpus};

const ROWS: usize = 16;
const STEPS: u64 = 3;

/// What a step was known by: the loss, the norm of the gradients, every metric, and the gradients by name.
struct Taken {
    numbers: BTreeMap<String, f64>,
    gradients: Vec<(String, Tensor)>,
}

/// The step's loss and metrics as the trainer puts them together; its gradients lie with the parameters.
fn take(network: &dyn Objective, parts: &[electra_data::Batch]) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::new();
    for part in parts {
        let output = network.forward_t(&DeviceBatch::new(part, Device::Cpu), true);
        output.loss.backward();
        *numbers.entry("loss".to_owned()).or_insert(0.0) += output.loss.double_value(&[]);
        for Metric { name, value, .. } in
            output.metrics.compute().into_iter().filter(|metric| metric.over == Over::Step)
        {
            *numbers.entry(name).or_insert(0.0) += value.double_value(&[]);
        }
    }
    numbers
}

/// Three steps of an objective in so many parts; gives them, and the parameters afterwards.
fn train(
    spec: &Spec,
    model: &ModelConfig,
    masking: &MaskingConfig,
    parts: usize,
) -> (Vec<Taken>, BTreeMap<String, Tensor>) {
    let mut given = given(model, masking);
    given.corpus = uneven_corpus();
    let view: Box<dyn View> = (spec.view)(&given).unwrap();
    let loader = Loader::new(given.corpus, &*view, ROWS, given.seed).unwrap();
    let parameters = nn::VarStore::new(Device::Cpu);
    let network = build(spec.info.name, &parameters.root(), model);
    electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
    let variables: BTreeMap<String, Tensor> = parameters.variables().into_iter().collect();
    let group = Group {
        parameters: variables.values().map(Tensor::shallow_clone).collect(),
        weight_decay: 0.01,
        lr_scale: 1.0,
    };
    let mut optimizer = AdamW::new(vec![group], AdamWConfig::paper()).unwrap();
    let mut batches = loader.empty_parts(parts).unwrap();
    let mut taken = Vec::new();
    for step in 0..STEPS {
        loader.fill(step, &mut batches).unwrap();
        let mut numbers = take(&*network, &batches);
        let gradients = variables.iter();
        let gradients = gradients
            .filter_map(|(name, parameter)| Some((name.clone(), electra_torch::grad(parameter)?.copy())))
            .collect();
        let clip = clip_grad_norm(optimizer.parameters(), 1.0).unwrap();
        numbers.insert("grad_norm".to_owned(), clip.norm().double_value(&[]));
        optimizer.step(1e-3, &clip).unwrap();
        optimizer.zero_grad().unwrap();
        taken.push(Taken { numbers, gradients });
    }
    (taken, variables)
}

#[test]
fn parts_of_unequal_rows_are_the_step_for_every_objective() {
    for spec in OBJECTIVES {
        check(spec, &model(), &(spec.info.masking)());
    }
}

#[test]
fn parts_of_unequal_rows_are_the_step_for_every_objective_on_modernbert() {
    for spec in OBJECTIVES {
        let masking = (spec.info.masking)();
        if spec.info.name == "permutation-lm" {
            let refused =
                (spec.build)(&nn::VarStore::new(Device::Cpu).root(), &given(&modernbert(), &masking));
            let message = refused.err().unwrap().to_string();
            assert!(message.contains("position_embedding_type: rotary; expected absolute"), "{message}");
            continue;
        }
        check(spec, &modernbert(), &masking);
    }
}

#[test]
fn parts_are_the_step_where_each_row_has_a_rate_and_a_weight_of_its_own() {
    for spec in OBJECTIVES {
        let (mask_prob, weighting) = (MaskRate::Uniform, Weighting::InverseRate);
        let rates = MaskingConfig { mask_prob, ..(spec.info.masking)() };
        let weights = MaskingConfig { weighting, ..rates.clone() };
        if ["permutation-lm", "gpt-bert", "electric"].contains(&spec.info.name) {
            let message = (spec.view)(&given(&model(), &weights)).err().unwrap().to_string();
            assert!(message.contains("masking.weighting: inverse-rate; expected equal"), "{message}");
            check(spec, &model(), &rates);
        } else {
            check(spec, &model(), &weights);
        }
    }
}

fn check(spec: &Spec, model: &ModelConfig, masking: &MaskingConfig) {
    let name = spec.info.name;
    let (whole, whole_parameters) = train(spec, model, masking, 1);
    assert!(whole[0].numbers.len() >= 3, "{name}: {:?}", whole[0].numbers);
    for parts in [2, 8] {
        let (taken, parameters) = train(spec, model, masking, parts);
        for (step, (taken, whole)) in taken.iter().zip(&whole).enumerate() {
            let place = format!("{name}, {parts} parts, step {step}");
            assert!(taken.numbers.keys().eq(whole.numbers.keys()), "{place}");
            for (key, expected) in &whole.numbers {
                let found = taken.numbers[key];
                let error = (found - expected).abs() / expected.abs().max(1e-2);
                assert!(error < 1e-5, "{place}: {key} is {found}, of the whole {expected}");
            }
            // A key's bias has a gradient of 0 but for rounding, whose size is the whole gradient's.
            let floor = 1e-2 * whole.numbers["grad_norm"];
            assert_eq!(taken.gradients.len(), whole.gradients.len(), "{place}");
            for ((name, found), (_, expected)) in taken.gradients.iter().zip(&whole.gradients) {
                let error = relative_error(found, expected, floor);
                assert!(error < 1e-5, "{place}: the gradient of {name} is off by {error:e}");
            }
        }
        // A key's bias begins at 0, and rounding alone moves it.
        for (parameter, found) in &parameters {
            let error = relative_error(found, &whole_parameters[parameter], 0.1);
            assert!(error < 1e-5, "{name}, {parts} parts: {parameter} is off by {error:e}");
        }
    }
}
