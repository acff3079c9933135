//! What the layer and the embeddings drop: read off outputs that show it.

use crate::layers::{open, parameters, settings, with_settings};
use crate::{panics, turn};
use electra_torch::{
    Affine, Attention, EmbeddingParameters, LayerSettings, Select, at_each_kernel_level, embed,
    encoder_layers, set_num_threads,
};
use tch::{Device, Kind, Tensor};

const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

/// Embeddings that are 1 before dropout, so that what is left shows where it struck: `[B, L, E]` of 0 and 1 / (1 − rate).
fn ones_left(seed: i64, rate: f64, b: i64, l: i64, e: i64) -> Tensor {
    tch::manual_seed(seed);
    let ids = Tensor::zeros([b, l], (Kind::Int64, Device::Cpu));
    let (table, weight, bias) = (Tensor::zeros([l, e], CPU), Tensor::ones([e], CPU), Tensor::ones([e], CPU));
    let layer_norm = Affine { weight: &weight, bias: &bias };
    let parameters =
        EmbeddingParameters { word: &table, token_type: &table, position: Some(&table), layer_norm };
    embed(&ids, &ids, 1e-12, rate, parameters)
}

/// How many standard deviations a count of `n` trials lies from what probability `p` has one expect.
fn deviations(count: f64, n: f64, p: f64) -> f64 {
    (count - n * p) / (n * p * (1.0 - p)).sqrt()
}

#[test]
fn each_number_is_kept_with_its_probability_and_scaled() {
    let _turn = turn();
    at_each_kernel_level("each_number_is_kept_with_its_probability_and_scaled", |_| {
        for rate in [0.1, 0.5, 0.9, 1e-3] {
            let left = ones_left(1, rate, 16, 64, 128);
            let left_over = left.gt(0.0);
            assert!((left.max().double_value(&[]) - 1.0 / (1.0 - rate)).abs() < 1e-6 / (1.0 - rate));
            let n = left.numel() as f64;
            let all = left_over.sum(Kind::Double).double_value(&[]);
            assert!(deviations(all, n, 1.0 - rate).abs() < 5.0, "{rate}: {all} of {n}");
            // In no column, position or example more often than chance has it: 208 sums, each within six deviations.
            for dimension in 0..3 {
                let others: Vec<i64> = (0..3).filter(|&other| other != dimension).collect();
                let counts =
                    Vec::<f64>::try_from(left_over.sum_dim_intlist(others, false, Kind::Double)).unwrap();
                let each = n / counts.len() as f64;
                for count in &counts {
                    assert!(deviations(*count, each, 1.0 - rate).abs() < 6.0, "{rate}: {count} of {each}");
                }
            }
        }
    });
}

#[test]
fn neighbours_are_dropped_independently() {
    let _turn = turn();
    let dropped = |seed| ones_left(seed, 0.5, 16, 64, 128).eq(0.0).to_kind(Kind::Double);
    let first = dropped(7);
    // Of two independent places both are dropped in a quarter of cases.
    let both = |a: &Tensor, b: &Tensor, what: &str| {
        let n = a.numel() as f64;
        let count = (a * b).sum(Kind::Double).double_value(&[]);
        assert!(deviations(count, n, 0.25).abs() < 5.0, "{what}: {count} of {n}");
    };
    for (dimension, length) in [(0, 16), (1, 64), (2, 128)] {
        for lag in [1, 2, 8] {
            let n = length - lag;
            both(
                &first.narrow(dimension, 0, n),
                &first.narrow(dimension, lag, n),
                &format!("{dimension}+{lag}"),
            );
        }
    }
    both(&first, &dropped(8), "another seed");
}

#[test]
fn what_is_dropped_is_a_function_of_the_seed_and_not_of_threads() {
    let _turn = turn();
    let before = electra_torch::num_threads().unwrap();
    let first = ones_left(3, 0.1, 8, 64, 64);
    set_num_threads(3).unwrap();
    let three = ones_left(3, 0.1, 8, 64, 64);
    set_num_threads(before).unwrap();
    assert_eq!(first, three);
    assert_ne!(first, ones_left(4, 0.1, 8, 64, 64));
}

/// A layer in which a sub-layer adds 1 to everything before its dropout, and the rest adds nothing.
fn branch_of_ones(rate: f64, seed: i64, rows: i64, d: i64) -> Tensor {
    tch::manual_seed(seed);
    let zeros = |shape: &[i64]| Tensor::zeros(shape, CPU);
    let (square, wide, high) = (zeros(&[d, d]), zeros(&[4 * d, d]), zeros(&[d, 4 * d]));
    let (no_bias, inner, ones) = (zeros(&[d]), zeros(&[4 * d]), Tensor::ones([d], CPU));
    let nothing = Affine { weight: &square, bias: &no_bias };
    let norm = Affine { weight: &ones, bias: &no_bias };
    let parameters = electra_torch::LayerParameters {
        query: nothing,
        key: nothing,
        value: nothing,
        attention_output: Affine { weight: &square, bias: &ones },
        attention_layer_norm: norm,
        intermediate: Affine { weight: &wide, bias: &inner },
        output: Affine { weight: &high, bias: &no_bias },
        layer_norm: norm,
    };
    let settings =
        LayerSettings { heads: 1, eps: 1e-12, hidden_dropout: rate, attention_dropout: 0.0, rotary: None };
    let (x, mask) = (zeros(&[1, rows, d]), open(1, rows));
    encoder_layers(&x, Attention::Keys(&mask), Select::All, settings, &[parameters])
}

#[test]
fn a_layer_drops_of_what_a_sub_layer_adds() {
    let _turn = turn();
    at_each_kernel_level("a_layer_drops_of_what_a_sub_layer_adds", |_| {
        for rate in [0.1, 0.5] {
            let left_over = branch_of_ones(rate, 5, 512, 64).gt(0.0); // above its row's mean
            let (count, n) = (left_over.sum(Kind::Double).double_value(&[]), left_over.numel() as f64);
            assert!(deviations(count, n, 1.0 - rate).abs() < 5.0, "{rate}: {count} of {n}");
        }
    });
}

#[test]
fn a_layer_drops_probabilities_of_its_attention() {
    let _turn = turn();
    at_each_kernel_level("a_layer_drops_probabilities_of_its_attention", |_| {
        tch::manual_seed(9);
        // All scores are equal and V is the identity, so that row i is what is left of the probabilities of i.
        let (l, rate) = (64, 0.3);
        let zeros = |shape: &[i64]| Tensor::zeros(shape, CPU);
        let (nothing, wide, high) = (zeros(&[l, l]), zeros(&[4 * l, l]), zeros(&[l, 4 * l]));
        let (no_bias, inner, ones) = (zeros(&[l]), zeros(&[4 * l]), Tensor::ones([l], CPU));
        let identity = Tensor::eye(l, CPU);
        let affine = |weight, bias| Affine { weight, bias };
        let parameters = electra_torch::LayerParameters {
            query: affine(&nothing, &no_bias),
            key: affine(&nothing, &no_bias),
            value: affine(&identity, &no_bias),
            attention_output: affine(&identity, &no_bias),
            attention_layer_norm: affine(&ones, &no_bias),
            intermediate: affine(&wide, &inner),
            output: affine(&high, &no_bias),
            layer_norm: affine(&ones, &no_bias),
        };
        let settings = LayerSettings {
            heads: 1,
            eps: 1e-12,
            hidden_dropout: 0.0,
            attention_dropout: rate,
            rotary: None,
        };
        let b = 40;
        let x = identity.unsqueeze(0).expand([b, l, l], false);
        let keys = open(b, l);
        let output = encoder_layers(&x, Attention::Keys(&keys), Select::All, settings, &[parameters]);
        // Off the diagonal, where x adds nothing, a row has two values.
        let off = identity.logical_not().unsqueeze(0).expand([b, l, l], false);
        let least = output.masked_fill(&off.logical_not(), f64::INFINITY).amin([2], true);
        let most = output.masked_fill(&off.logical_not(), f64::NEG_INFINITY).amax([2], true);
        let left_over = output.gt_tensor(&((least + most) / 2.0)).masked_select(&off);
        let (count, n) = (left_over.sum(Kind::Double).double_value(&[]), left_over.numel() as f64);
        assert!(deviations(count, n, 1.0 - rate).abs() < 5.0, "{count} of {n}");
    });
}

#[test]
fn gradients_are_those_of_the_numbers_that_were_kept() {
    let _turn = turn();
    at_each_kernel_level("gradients_are_those_of_the_numbers_that_were_kept", |_| {
        tch::manual_seed(11);
        let (b, l, d) = (3, 10, 16);
        let p = parameters(d);
        let (x, direction) = (Tensor::randn([b, l, d], CPU), Tensor::randn([b, l, d], CPU));
        let mask = open(b, l);
        let weights = Tensor::randn([b, l, d], CPU);
        let loss = |x: &Tensor, p: &[[Tensor; 2]]| {
            tch::manual_seed(12);
            let output = with_settings(x, &mask, settings(2, 0.2), p);
            (output * &weights).sum(Kind::Double)
        };
        let leaf = x.copy().set_requires_grad(true);
        loss(&leaf, &p).backward();
        // Along a direction of the input, then of each parameter: central differences.
        let step = 1e-3;
        let check = |what: &str, gradient: f64, plus: f64, minus: f64| {
            let measured = (plus - minus) / (2.0 * step);
            assert!(
                (gradient - measured).abs() < 0.02 * measured.abs().max(0.5),
                "{what}: {gradient}, measured {measured}"
            );
        };
        let dot = |a: &Tensor, b: &Tensor| (a * b).sum(Kind::Double).double_value(&[]);
        let loss_at =
            |sign: f64| tch::no_grad(|| loss(&(&x + &direction * (sign * step)), &p).double_value(&[]));
        check("input", dot(&leaf.grad(), &direction), loss_at(1.0), loss_at(-1.0));
        for (index, parameter) in p.iter().flatten().enumerate() {
            let direction = Tensor::randn_like(parameter);
            let moved = |sign: f64| {
                tch::no_grad(|| {
                    let q: Vec<[Tensor; 2]> =
                        p.iter().map(|pair| pair.each_ref().map(Tensor::shallow_clone)).collect();
                    let mut flat: Vec<Tensor> = q.into_iter().flatten().collect();
                    flat[index] = &flat[index] + &direction * (sign * step);
                    let mut flat = flat.into_iter();
                    let q: Vec<[Tensor; 2]> =
                        std::iter::from_fn(|| Some([flat.next()?, flat.next()?])).collect();
                    loss(&x, &q).double_value(&[])
                })
            };
            let gradient = electra_torch::grad(parameter).unwrap();
            check(&format!("parameter {index}"), dot(&gradient, &direction), moved(1.0), moved(-1.0));
        }
    });
}

#[test]
fn a_rate_beyond_its_range_panics() {
    let p = parameters(8);
    let (x, mask) = (Tensor::randn([2, 3, 8], CPU), open(2, 3));
    for rate in [-0.1, 1.0, f64::NAN] {
        let error = panics(|| with_settings(&x, &mask, settings(2, rate), &p));
        assert_eq!(error, format!("hidden_dropout {rate}: expected from 0 to below 1"));
    }
}
