//! Embeddings, heads and losses against libtorch's operations.

use crate::{numbers, panics, parameter, turn, values};
use electra_torch::{Affine, EmbeddingParameters, binary_cross_entropy, detect, embed, mean, transform};
use tch::{Device, Kind, Tensor};

const F: (Kind, Device) = (Kind::Float, Device::Cpu);

fn ids(shape: [i64; 2], below: i64, seed: i64) -> Tensor {
    let count = shape[0] * shape[1];
    ((Tensor::arange(count, (Kind::Int64, Device::Cpu)) * 7 + seed) * 5).remainder(below).view(shape)
}

/// Values and gradients of `parameters` of a function, weighted so that no two elements count alike.
fn learnt(parameters: &[&Tensor], f: impl Fn() -> Tensor) -> Vec<Vec<f64>> {
    let output = f();
    (&output * numbers(&output.size(), 5, Kind::Float, Device::Cpu)).sum(Kind::Float).backward();
    let mut all = vec![values(&output)];
    for parameter in parameters {
        all.push(values(&electra_torch::grad(parameter).unwrap()));
    }
    let parameters: Vec<Tensor> = parameters.iter().map(|parameter| parameter.shallow_clone()).collect();
    electra_torch::zero_grad(&parameters).unwrap();
    all
}

/// Within 1e-5 of the largest: sums of many float32 numbers are rounded in another order.
fn near(ours: &[f64], libtorch: &[f64], what: &str) {
    let most = libtorch.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    for (index, (ours, libtorch)) in ours.iter().zip(libtorch).enumerate() {
        assert!((ours - libtorch).abs() <= 1e-5 * most, "{what}[{index}]: {ours} is not {libtorch}");
    }
}

#[test]
fn embeddings_have_the_numbers_and_gradients_of_their_operations() {
    for (b, l, v, e) in [(3, 7, 11, 16), (1, 1, 2, 5), (9, 33, 50, 32)] {
        let [word, token_type, position] = [(v, 1), (2, 2), (l + 2, 3)]
            .map(|(rows, seed)| parameter(&[rows, e], seed, Kind::Float, Device::Cpu));
        let weight = parameter(&[e], 4, Kind::Float, Device::Cpu);
        let bias = parameter(&[e], 6, Kind::Float, Device::Cpu);
        let (input_ids, types) = (ids([b, l], v, 1), ids([b, l], 2, 0));
        let all = [&word, &token_type, &position, &weight, &bias];
        let ours = learnt(&all, || {
            let layer_norm = Affine { weight: &weight, bias: &bias };
            let parameters = EmbeddingParameters {
                word: &word,
                token_type: &token_type,
                position: Some(&position),
                layer_norm,
            };
            embed(&input_ids, &types, 1e-6, 0.0, parameters)
        });
        let libtorch = learnt(&all, || {
            let look_up = |table, ids| Tensor::embedding(table, ids, -1, false, false);
            let sum = look_up(&word, &input_ids) + look_up(&token_type, &types) + position.narrow(0, 0, l);
            sum.layer_norm([e], Some(&weight), Some(&bias), 1e-6, true)
        });
        for (index, (ours, libtorch)) in ours.iter().zip(&libtorch).enumerate() {
            near(ours, libtorch, &format!("{index} of {b} × {l}"));
        }
    }
}

#[test]
fn gradients_of_embeddings_are_those_of_the_numbers_that_were_kept() {
    let _turn = turn();
    let (b, l, v, e) = (4, 6, 9, 8);
    let [word, token_type, position] =
        [(v, 1), (2, 2), (l, 3)].map(|(rows, seed)| parameter(&[rows, e], seed, Kind::Float, Device::Cpu));
    let (weight, bias) = (Tensor::ones([e], F), Tensor::zeros([e], F));
    let (input_ids, types) = (ids([b, l], v, 1), ids([b, l], 2, 0));
    let output = |word: &Tensor| {
        tch::manual_seed(3);
        let layer_norm = Affine { weight: &weight, bias: &bias };
        let parameters =
            EmbeddingParameters { word, token_type: &token_type, position: Some(&position), layer_norm };
        embed(&input_ids, &types, 1e-6, 0.3, parameters)
    };
    let weights = numbers(&[b, l, e], 5, Kind::Float, Device::Cpu);
    let loss = |word: &Tensor| (output(word) * &weights).sum(Kind::Double);
    loss(&word).backward();
    let direction = numbers(&[v, e], 8, Kind::Float, Device::Cpu);
    let loss_at = |sign: f64| tch::no_grad(|| loss(&(&word + &direction * (sign * 1e-3))).double_value(&[]));
    let measured = (loss_at(1.0) - loss_at(-1.0)) / 2e-3;
    let gradient = (word.grad() * direction).sum(Kind::Double).double_value(&[]);
    assert!((gradient - measured).abs() < 0.01 * measured.abs().max(1.0), "{gradient}, measured {measured}");
}

#[test]
fn ids_beyond_their_table_panic() {
    let (table, weight) = (Tensor::zeros([4, 8], F), Tensor::zeros([8], F));
    let layer_norm = Affine { weight: &weight, bias: &weight };
    let parameters =
        EmbeddingParameters { word: &table, token_type: &table, position: Some(&table), layer_norm };
    let (good, bad) = (ids([1, 4], 4, 0), Tensor::from_slice(&[0_i64, 1, 4, 2]).view([1, 4]));
    let error = |ids, types| panics(|| embed(ids, types, 1e-6, 0.0, parameters));
    assert!(error(&bad, &good).contains("the ids holds 4: expected 0 to 3"), "{}", error(&bad, &good));
    assert!(error(&good, &bad).contains("the token types holds 4"), "{}", error(&good, &bad));
    let long = ids([1, 5], 4, 0);
    assert!(error(&long, &long).contains("5 tokens and 4 positions"), "{}", error(&long, &long));
}

#[test]
fn the_head_has_the_numbers_and_gradients_of_its_operations() {
    for (n, d) in [(1, 1), (5, 8), (200, 48)] {
        let [x, weight] =
            [(n, 1), (d, 2)].map(|(rows, seed)| parameter(&[rows, d], seed, Kind::Float, Device::Cpu));
        let bias = parameter(&[d], 3, Kind::Float, Device::Cpu);
        let prediction = parameter(&[1, d], 4, Kind::Float, Device::Cpu);
        let shift = parameter(&[1], 5, Kind::Float, Device::Cpu);
        let all = [&x, &weight, &bias, &prediction, &shift];
        let ours = learnt(&all, || {
            let prediction = Affine { weight: &prediction, bias: &shift };
            detect(&x, Affine { weight: &weight, bias: &bias }, prediction)
        });
        let libtorch = learnt(&all, || {
            x.linear(&weight, Some(&bias)).gelu("none").linear(&prediction, Some(&shift)).squeeze_dim(-1)
        });
        for (index, (ours, libtorch)) in ours.iter().zip(&libtorch).enumerate() {
            near(ours, libtorch, &format!("{index} of {n} × {d}"));
        }
    }
}

#[test]
fn what_a_vocabulary_is_compared_with_has_the_numbers_and_gradients_of_its_operations() {
    for (b, l, d, e) in [(1, 1, 3, 5), (2, 5, 8, 3), (3, 50, 48, 33)] {
        let x = parameter(&[b, l, d], 1, Kind::Float, Device::Cpu);
        let weight = parameter(&[e, d], 2, Kind::Float, Device::Cpu);
        let [bias, scale, shift] = [3, 4, 5].map(|seed| parameter(&[e], seed, Kind::Float, Device::Cpu));
        let all = [&x, &weight, &bias, &scale, &shift];
        let ours = learnt(&all, || {
            let (dense, norm) =
                (Affine { weight: &weight, bias: &bias }, Affine { weight: &scale, bias: &shift });
            transform(&x, dense, norm, 1e-3)
        });
        let libtorch = learnt(&all, || {
            let inner = x.linear(&weight, Some(&bias)).gelu("none");
            inner.layer_norm([e], Some(&scale), Some(&shift), 1e-3, true)
        });
        for (index, (ours, libtorch)) in ours.iter().zip(&libtorch).enumerate() {
            near(ours, libtorch, &format!("{index} of {d} → {e}"));
        }
    }
}

#[test]
fn losses_have_the_numbers_and_gradients_of_their_operations() {
    let x = parameter(&[3, 40], 1, Kind::Float, Device::Cpu);
    let far = tch::no_grad(|| (&x * 30.0).detach()).set_requires_grad(true);
    let targets = numbers(&[3, 40], 2, Kind::Float, Device::Cpu).gt(0.3);
    let some = numbers(&[3, 40], 3, Kind::Float, Device::Cpu).gt(0.0);
    for x in [&x, &far] {
        for weights in [some.shallow_clone(), some.to_kind(Kind::Float) * 0.7, some.zeros_like()] {
            let float = weights.to_kind(Kind::Float);
            let whole = float.sum(Kind::Float).clamp_min(1e-6);
            let ours = learnt(&[x], || mean(x, &weights, &whole));
            let libtorch = learnt(&[x], || (x * &float).sum(Kind::Float) / &whole);
            for (ours, libtorch) in ours.iter().zip(&libtorch) {
                near(ours, libtorch, "mean");
            }
            let ours = learnt(&[x], || binary_cross_entropy(x, &targets, &weights, &whole));
            let libtorch = learnt(&[x], || {
                let no_weight: Option<&Tensor> = None;
                let loss = x.binary_cross_entropy_with_logits(
                    &targets.to_kind(Kind::Float),
                    Some(&float),
                    no_weight,
                    tch::Reduction::Sum,
                );
                loss / &whole
            });
            for (ours, libtorch) in ours.iter().zip(&libtorch) {
                near(ours, libtorch, "binary cross-entropy");
            }
        }
    }
    let total = Tensor::from(1.0_f32);
    panics(|| mean(&x, &some.narrow(1, 0, 39), &total));
    panics(|| binary_cross_entropy(&x, &targets, &some.narrow(1, 0, 39), &total));
    let learning = Tensor::from(2.0_f32).set_requires_grad(true);
    mean(&x, &some, &learning).backward();
    assert!(learning.grad().double_value(&[]) != 0.0, "the formula has its gradient");
    let nan = Tensor::from_slice(&[f32::NAN]);
    let weight = Tensor::ones([1], (Kind::Float, Device::Cpu));
    assert!(mean(&nan, &weight, &total).double_value(&[]).is_nan());
    assert!(binary_cross_entropy(&nan, &weight, &weight, &total).double_value(&[]).is_nan());
}
