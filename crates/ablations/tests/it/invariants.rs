//! What must hold of the objectives whatever their weights are.

use electra_ablations::copy_log_likelihood;
use electra_config::{Head, Positions};
use electra_objective::{DeviceBatch, Electra, Given, Objective};
use electra_torch::{KernelLevel, with_kernel_level};
use tch::{Device, Kind, Tensor, nn};

use crate::support::{
    OF_POSITIONS, OF_ROWS, OF_SLOTS, VOCAB, batch, build, given, metric, model, names, objective,
    write_corpus,
};

const WITH_GENERATOR: [&str; 6] =
    ["electra", "electra-15", "replace-mlm", "all-tokens-mlm", "all-tokens-mlm-no-gate", "coco-clm"];

/// The gradients of `loss` by parameter name, undefined ones left out.
fn gradients(parameters: &nn::VarStore, loss: &Tensor) -> Vec<(String, Tensor)> {
    for (_, parameter) in parameters.variables() {
        electra_torch::zero_grad(&[parameter]).unwrap();
    }
    loss.backward();
    let variables = parameters.variables().into_iter();
    variables.filter_map(|(name, parameter)| Some((name, electra_torch::grad(&parameter)?))).collect()
}

/// A batch of some of a batch's rows.
fn rows(batch: &DeviceBatch, first: i64, count: i64) -> DeviceBatch {
    let cut = |tensor: &Tensor| tensor.narrow(0, first, count);
    let rows = DeviceBatch::from_tensors(
        cut(&batch.input_ids),
        cut(&batch.attention_mask),
        cut(&batch.token_type_ids),
    );
    let names = OF_POSITIONS.into_iter().chain(OF_SLOTS).chain(OF_ROWS);
    names.fold(rows, |rows, name| rows.with(name, cut(batch.column(name))))
}

#[test]
fn samples_do_not_depend_on_the_rows_beside_them() {
    let (_parameters, electra) = objective("electra");
    let whole = batch(4, 2);
    let corrupted = |batch: &DeviceBatch| electra.inspect(batch).unwrap().corrupted_ids.unwrap();
    let (all, original) = (corrupted(&whole), &whole.input_ids);
    for row in 0..4 {
        let (here, text) = (all.narrow(0, row, 1), original.narrow(0, row, 1));
        assert!(corrupted(&rows(&whole, row, 1)).equal(&here), "row {row} alone has other samples");
        assert!(!here.equal(&text), "row {row}: no sample differs from the text");
    }
    assert!(corrupted(&rows(&whole, 1, 3)).equal(&all.narrow(0, 1, 3)));
}

#[test]
fn the_main_loss_reaches_the_generator_through_shared_embeddings_only() {
    for name in WITH_GENERATOR {
        let mut config = model();
        config.gen_weight = 0.0;
        let parameters = nn::VarStore::new(Device::Cpu);
        let network = build(name, &parameters.root(), &config);
        electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
        let loss = network.forward_t(&batch(3, 1), true).loss;
        let mut shared = 0;
        for (parameter, gradient) in gradients(&parameters, &loss) {
            let norm = gradient.norm().double_value(&[]);
            if parameter.starts_with("generator.electra.embeddings.") {
                shared += usize::from(norm > 0.0);
            } else if parameter.starts_with("generator.") {
                assert_eq!(norm, 0.0, "{name}: {parameter}");
            }
        }
        assert_eq!(
            shared, 5,
            "{name}: all of word, position, token type, LayerNorm learn from the main loss"
        );
    }
}

/// What the gate of corrective language modelling learns, it learns from its own loss.
#[test]
fn no_gradient_of_the_correction_goes_through_the_gate() {
    let config = electra_objective::ModelConfig { disc_weight: 0.0, ..model() };
    let parameters = nn::VarStore::new(Device::Cpu);
    let network = build("coco-clm", &parameters.root(), &config);
    electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
    let loss = network.forward_t(&batch(3, 1), true).loss;
    for (parameter, gradient) in gradients(&parameters, &loss) {
        let norm = gradient.norm().double_value(&[]);
        assert!(!parameter.starts_with("main.gate.") || norm == 0.0, "{parameter}: {norm}");
        assert!(!parameter.starts_with("main.generator_predictions.") || norm > 0.0, "{parameter}");
    }
}

/// The generator's tables learn from the generator's loss alone, and what is added to them from the main loss alone.
#[test]
fn disentangled_embeddings_take_no_gradient_of_each_other() {
    for (gen_weight, disc_weight) in [(0.0, 50.0), (1.0, 0.0)] {
        let config = electra_objective::ModelConfig { gen_weight, disc_weight, ..model() };
        let parameters = nn::VarStore::new(Device::Cpu);
        let network = build("electra-gdes", &parameters.root(), &config);
        electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
        let deltas: Vec<_> =
            parameters.variables().into_iter().filter(|(name, _)| name.ends_with(".delta")).collect();
        assert_eq!(deltas.len(), 3);
        assert!(deltas.iter().all(|(_, delta)| delta.abs().max().double_value(&[]) == 0.0), "begin at 0");
        let loss = network.forward_t(&batch(3, 1), true).loss;
        let mut learns = 0;
        for (parameter, gradient) in gradients(&parameters, &loss) {
            let norm = gradient.norm().double_value(&[]);
            let is_trained = parameter.starts_with("main.") == (gen_weight == 0.0);
            assert!(is_trained || norm == 0.0, "{parameter} with weights {gen_weight} and {disc_weight}");
            let is_table = parameter.contains("embeddings.") && !parameter.contains("LayerNorm");
            learns += usize::from(is_table && norm > 0.0);
        }
        assert_eq!(learns, 3, "the tables that learn with weights {gen_weight} and {disc_weight}");
    }
}

#[test]
fn objectives_that_predict_with_the_table_refuse_disentangled_embeddings() {
    let config =
        electra_objective::ModelConfig { tied: electra_encoder::Tied::GradientDisentangled, ..model() };
    for name in WITH_GENERATOR {
        let spec = electra_ablations::objective(name).unwrap();
        let masking = (spec.info.masking)();
        let built = (spec.build)(&nn::VarStore::new(Device::Cpu).root(), &given(&config, &masking));
        let is_detector = ["electra", "electra-15"].contains(&name);
        let refused = built.err().map(|error| error.to_string());
        assert_eq!(refused.is_none(), is_detector, "{name}: {refused:?}");
        let begins = |error: String| error.starts_with("model.tied: gradient-disentangled; expected ");
        assert!(refused.is_none_or(begins), "{name}");
    }
}

#[test]
fn the_generators_loss_does_not_reach_the_main_network() {
    for name in WITH_GENERATOR {
        let config = electra_objective::ModelConfig { disc_weight: 0.0, softmax_weight: 0.0, ..model() };
        let parameters = nn::VarStore::new(Device::Cpu);
        let network = build(name, &parameters.root(), &config);
        electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
        let loss = network.forward_t(&batch(3, 1), true).loss;
        let mut learns = 0;
        for (parameter, gradient) in gradients(&parameters, &loss) {
            let norm = gradient.norm().double_value(&[]);
            if parameter.starts_with("main.") {
                assert_eq!(norm, 0.0, "{name}: {parameter}");
            } else {
                learns += usize::from(norm > 0.0);
            }
        }
        assert!(learns > 20, "{name}: the generator does not learn");
    }
}

#[test]
fn right_samples_are_labelled_original() {
    for name in ["electra", "electra-15"] {
        let (_parameters, network) = objective(name);
        let mut batch = batch(3, 1);
        let targets = batch.targets();
        batch = batch.with("sampled_ids", targets);
        let output = network.forward_t(&batch, false);
        assert_eq!(metric(output, "replaced_rate"), 0.0);
        let output = network.forward_t(&batch, false);
        assert!(metric(output, "disc_auc").is_nan(), "nothing was replaced, so there is nothing to find");
        // One wrong sample: exactly one label of 43 tokens.
        let wrong = batch.targets();
        let _ = wrong.get(0).get(0).fill_(if wrong.int64_value(&[0, 0]) == 7 { 8 } else { 7 });
        batch = batch.with("sampled_ids", wrong);
        let rate = metric(network.forward_t(&batch, false), "replaced_rate");
        assert!((rate - 1.0 / 43.0).abs() < 1e-6, "{rate}");
    }
}

#[test]
fn padding_and_unused_slots_do_not_count() {
    for name in names() {
        let (_parameters, network) = objective(name);
        let loss = |batch: &DeviceBatch| network.forward_t(batch, false).loss.double_value(&[]);
        let short = batch(1, 1);
        let nines = short.targets().full_like(9);
        let short = short.with("sampled_ids", nines);
        let wider =
            |tensor: &Tensor, cells: i64| Tensor::cat(&[tensor, &tensor.narrow(1, 0, cells).zeros_like()], 1);
        let places = Tensor::arange(23, (Kind::Int64, Device::Cpu)).view([1, 23]);
        let padded = DeviceBatch::from_tensors(
            wider(&short.input_ids, 7),
            wider(&short.attention_mask, 7),
            wider(&short.token_type_ids, 7),
        )
        .with("label_positions", places);
        let cells = OF_POSITIONS.map(|name| (name, 7)).into_iter();
        let cells = cells.chain(OF_SLOTS.map(|name| (name, 2))).chain([("sampled_ids", 2)]);
        let padded = OF_ROWS.iter().fold(padded, |padded, name| padded.with(name, short.column(name).copy()));
        let padded =
            cells.fold(padded, |padded, (name, cells)| padded.with(name, wider(short.column(name), cells)));
        let (short, padded) = (loss(&short), loss(&padded));
        assert!((short - padded).abs() < 1e-4 * short.abs(), "{name}: {short} without, {padded} with");
    }
}

#[test]
fn a_batch_without_masks_has_a_finite_loss_and_gradients() {
    for name in names() {
        let (parameters, network) = objective(name);
        let batch = ["masked_valid", "masked_distinct", "masked_positions"].into_iter().fold(
            batch(2, 1),
            |batch, name| {
                let zeros = batch.column(name).zeros_like();
                batch.with(name, zeros)
            },
        );
        let loss = network.forward_t(&batch, true).loss;
        let value = loss.double_value(&[]);
        // Without masks there is nothing to learn at masked positions; elsewhere every token is the original one.
        let is_masked_alone =
            ["mlm", "mlm-85-15", "replace-mlm", "electra-15", "permutation-lm"].contains(&name);
        assert!(
            if is_masked_alone { value == 0.0 } else { value.is_finite() && value > 0.0 },
            "{name}: {value}"
        );
        for (parameter, gradient) in gradients(&parameters, &loss) {
            assert_eq!(gradient.isfinite().all().int64_value(&[]), 1, "{name}: {parameter}");
        }
    }
}

#[test]
fn positions_drawn_twice_count_once_where_positions_count() {
    let (_parameters, network) = objective("electra-15");
    let once = batch(2, 1);
    let nines = once.targets().full_like(9);
    let once = once.with("sampled_ids", nines);
    let doubled = |tensor: &Tensor| Tensor::cat(&[&tensor.narrow(1, 0, 1), tensor], 1);
    let twice = ["masked_positions", "masked_valid", "sampled_ids", "uniforms"]
        .into_iter()
        .fold(batch(2, 1), |twice, name| twice.with(name, doubled(once.column(name))));
    let distinct = Tensor::from_slice(&[true, false, true, true]).expand([2, 4], false).contiguous();
    let twice = twice.with("masked_distinct", distinct);
    let disc_loss = |batch: &DeviceBatch| metric(network.forward_t(batch, false), "disc_loss");
    assert!((disc_loss(&once) - disc_loss(&twice)).abs() < 1e-6);
}

#[test]
fn the_copy_gate_is_stable() {
    let z = Tensor::from_slice(&[-100.0f32, -5.0, 0.0, 5.0, 100.0]).set_requires_grad(true);
    for ell in [-100.0f32, -12.0, -0.5, -1e-6] {
        for copied in [true, false] {
            let log_p = copy_log_likelihood(
                &z,
                &z.detach().full_like(f64::from(ell)),
                &z.full_like(f64::from(u8::from(copied))).to_kind(Kind::Bool),
            );
            for index in 0..5 {
                let gate = z.double_value(&[index]);
                // log σ(z) = −log(1 + e^−z), in double precision.
                let log_sigma = |z: f64| -(-z).exp().ln_1p();
                let softmax = log_sigma(-gate) + f64::from(ell);
                let expected = if copied {
                    let (a, b) = (log_sigma(gate), softmax);
                    a.max(b) + (-(a - b).abs()).exp().ln_1p()
                } else {
                    softmax
                };
                let found = log_p.double_value(&[index]);
                let error = (found - expected).abs() / expected.abs().max(1.0);
                assert!(error < 1e-5, "z = {gate}, ℓ = {ell}, copied {copied}: {found}, expected {expected}");
            }
            electra_torch::zero_grad(&[z.shallow_clone()]).unwrap();
            log_p.sum(Kind::Float).backward();
            assert!(
                z.grad().isfinite().all().int64_value(&[]) == 1,
                "ℓ = {ell}, copied {copied}: the gradient"
            );
        }
    }
}

#[test]
fn fixed_replacements_follow_their_distribution() {
    let parameters = nn::VarStore::new(Device::Cpu);
    let only = Tensor::from_slice(&(0..VOCAB).map(|id| f64::from(u8::from(id == 9))).collect::<Vec<_>>());
    let network = Electra::with_fixed(&parameters.root(), &model(), &only);
    electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
    assert!(parameters.variables().keys().all(|name| name.starts_with("main.")));
    let batch = batch(3, 1);
    let nines = batch.targets().eq(9).sum(Kind::Int64).int64_value(&[]);
    let rate = metric(network.forward_t(&batch, false), "replaced_rate");
    assert!((rate - (9 - nines) as f64 / 43.0).abs() < 1e-6, "all but the nines are replaced by 9: {rate}");
}

/// Of numbers that lie evenly in [0, 1) each token comes as often as its law has it, to within one.
#[test]
fn controls_draw_tokens_alike_or_as_often_as_the_corpus_has_them() {
    let rows = 80;
    let slots = rows * 3;
    let uniforms = (Tensor::arange(slots, (Kind::Float, Device::Cpu)) + 0.5) / slots as f64;
    let batch = batch(rows, 1).with("uniforms", uniforms.view([rows, 3]));
    // Token 5 stands in this corpus once, the next twice, and so on.
    let (_folder, corpus) =
        write_corpus(&(5..VOCAB as usize).map(|id| vec![id as u32; id - 4]).collect::<Vec<_>>());
    let counts: Vec<f64> = (0..VOCAB).map(|id| (id - 4).max(0) as f64).collect();
    for (name, law) in
        [("rtd-uniform", vec![1.0; counts.len()]), ("rts", vec![1.0; counts.len()]), ("rtd-unigram", counts)]
    {
        let spec = electra_ablations::objective(name).unwrap();
        let (model, masking) = (model(), (spec.info.masking)());
        let given = Given { corpus: &corpus, ..given(&model, &masking) };
        let parameters = nn::VarStore::new(Device::Cpu);
        let network = (spec.build)(&parameters.root(), &given).unwrap();
        electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
        let ids = network.inspect(&batch).unwrap().corrupted_ids.unwrap();
        let sampled = ids.gather(1, batch.column("masked_positions"), false);
        let whole: f64 = law.iter().sum();
        for (id, weight) in law.iter().enumerate() {
            let found = sampled.eq(id as i64).sum(Kind::Int64).int64_value(&[]) as f64;
            let expected = slots as f64 * weight / whole;
            assert!((found - expected).abs() < 1.01, "{name}: token {id} came {found} times, not {expected}");
        }
    }
}

/// What a GPU computes of a step: formulas under autocast.
#[test]
fn a_step_calls_the_same_whatever_the_batch_and_says_whether_it_waits() {
    for name in names() {
        let (parameters, network) = objective(name);
        let learning: Vec<Tensor> = parameters.variables().into_values().collect();
        let calls = |seed: i64| {
            let batch = batch(3, seed);
            let ((), calls) = electra_torch::operations(|| {
                let forward = || network.forward_t(&batch, true).loss;
                let narrow = || electra_torch::autocast(Device::Cpu, Kind::BFloat16, true, forward).unwrap();
                with_kernel_level(KernelLevel::Formula, || narrow().backward()).unwrap();
            })
            .unwrap();
            electra_torch::zero_grad(&learning).unwrap();
            calls
        };
        let waits = |calls: &[String]| {
            let looks = ["_local_scalar_dense", "masked_select", "is_nonzero", "equal "];
            calls.iter().any(|call| looks.iter().any(|look| call.contains(look)))
        };
        let (first, second) = (calls(1), calls(2));
        assert_eq!(waits(&first), network.waits_for_device(), "{name}");
        // Who predicts a token at every position looks for those that count, but only on the CPU, where that is free.
        let looks = first.iter().any(|call| call.starts_with("aten::nonzero "));
        let model = model();
        let networks = (electra_ablations::info(name).unwrap().networks)(&model);
        let mut heads = networks.iter().flat_map(|network| network.heads);
        let is_everywhere = |head: &Head| match head {
            Head::Vocabulary(positions) | Head::TwoTowers(positions) => *positions != Positions::Masked,
            Head::Discriminator(_) | Head::Gate(_) => false,
        };
        assert_eq!(looks, heads.any(is_everywhere), "{name}");
        if !network.waits_for_device() {
            assert_eq!(first, second, "{name}");
        }
    }
}
