//! The softmax over a vocabulary against libtorch's operations.

use crate::{assert_close, numbers, panics, parameter, values};
use electra_torch::{log_likelihood, log_likelihood_alone, sample};
use tch::{Device, Kind, Tensor};

const CPU: Device = Device::Cpu;

fn targets(rows: i64, vocab_size: i64) -> Tensor {
    (Tensor::arange(rows, (Kind::Int64, CPU)) * 37 + 5).remainder(vocab_size)
}

#[test]
fn likelihoods_have_the_numbers_and_gradients_of_their_operations() {
    for (rows, e, v) in [(1, 1, 1), (5, 8, 3), (50, 16, 700)] {
        let x = parameter(&[rows, e], 1, Kind::Float, CPU);
        let table = parameter(&[v, e], 2, Kind::Float, CPU);
        let bias = parameter(&[v], 3, Kind::Float, CPU);
        let ids = targets(rows, v);
        // Some rows do not count, as unused slots do not.
        let weights = numbers(&[rows], 4, Kind::Float, CPU).relu();
        let learnt = |log_p: Tensor| {
            (&log_p * &weights).sum(Kind::Float).backward();
            let gradients = [&x, &table, &bias].map(|p| values(&electra_torch::grad(p).unwrap()));
            electra_torch::zero_grad(&[&x, &table, &bias].map(Tensor::shallow_clone)).unwrap();
            (values(&log_p), gradients)
        };
        let logits = x.linear(&table, Some(&bias));
        let plain = logits.log_softmax(-1, Kind::Float).gather(1, &ids.unsqueeze(-1), false).squeeze_dim(-1);
        let libtorch = learnt(plain);
        let ours = log_likelihood(&x, &table, &bias, &ids);
        let logits_before = values(&ours.logits);
        assert_close(&logits_before, &values(&logits), 1e-5, "logits");
        assert!(!ours.logits.requires_grad());
        let with_logits = learnt(ours.log_p);
        assert_eq!(logits_before, values(&ours.logits), "the backward pass left them");
        let alone = learnt(log_likelihood_alone(&x, &table, &bias, &ids));
        assert_eq!(with_logits, alone);
        assert_close(&with_logits.0, &libtorch.0, 1e-5, "log p");
        for (index, (ours, libtorch)) in with_logits.1.iter().zip(&libtorch.1).enumerate() {
            assert_close(ours, libtorch, 1e-4, &format!("gradient {index} of {rows} × {v}"));
        }
    }
}

#[test]
fn a_likelihood_of_far_logits_is_finite_and_one_of_none_is_not_a_number() {
    let log_p = |x: f32| {
        let x = Tensor::from_slice(&[x]).view([1, 1]);
        let (table, bias) =
            (Tensor::from_slice(&[1_f32, -1.0]).view([2, 1]), Tensor::zeros([2], (Kind::Float, CPU)));
        let ids = Tensor::from_slice(&[1_i64]);
        log_likelihood_alone(&x, &table, &bias, &ids).double_value(&[0])
    };
    assert_eq!(log_p(1e4), -2e4);
    assert_eq!(log_p(-1e4), 0.0);
    assert!(log_p(f32::NAN).is_nan() && log_p(f32::INFINITY).is_nan());
}

#[test]
fn targets_outside_the_vocabulary_panic() {
    let zeros = |shape: &[i64]| Tensor::zeros(shape, (Kind::Float, CPU));
    for (bad, said) in [(3_i64, "target 1 is 3: expected 0 to 2"), (-1, "target 1 is -1")] {
        let ids = Tensor::from_slice(&[0, bad]);
        let error = panics(|| log_likelihood(&zeros(&[2, 4]), &zeros(&[3, 4]), &zeros(&[3]), &ids));
        assert!(error.contains(said), "{error}");
    }
    let ids = Tensor::from_slice(&[0_i64]);
    panics(|| log_likelihood(&zeros(&[2, 4]), &zeros(&[3, 4]), &zeros(&[3]), &ids));
    panics(|| log_likelihood(&zeros(&[1, 4]), &zeros(&[3, 5]), &zeros(&[3]), &ids));
}

#[test]
fn a_sample_is_the_first_token_beyond_the_number() {
    let probabilities = [0.1_f64, 0.0, 0.2, 0.3, 0.4];
    let logits = Tensor::from_slice(&probabilities.map(|p| p.ln() as f32)).view([1, 5]);
    for (uniform, expected) in [
        (0.0_f32, 0),
        (0.0999, 0),
        (0.1001, 2),
        (0.2999, 2),
        (0.3001, 3),
        (0.5999, 3),
        (0.6001, 4),
        (0.99999, 4),
    ] {
        let found = sample(&logits, &Tensor::from_slice(&[uniform]));
        assert_eq!(found.int64_value(&[0]), expected, "{uniform}");
    }
}

#[test]
fn samples_are_those_of_a_search_in_the_cumulative_sum() {
    let (rows, v) = (4000, 997); // not whole blocks
    let logits = numbers(&[rows, v], 1, Kind::Float, CPU) * 3.0;
    let uniforms = Tensor::arange(rows, (Kind::Float, CPU)) / rows as f64;
    let ours = sample(&logits, &uniforms);
    let cumulative = logits.softmax(-1, Kind::Double).cumsum(-1, Kind::Double);
    let no_sorter: Option<&Tensor> = None;
    let thresholds = uniforms.to_kind(Kind::Double).unsqueeze(-1);
    let searched = thresholds.searchsorted(&cumulative, false, true, "right", no_sorter).squeeze_dim(-1);
    let apart = (&ours - searched).abs();
    // Sums that are rounded differently put a few numbers on the other side of a boundary, never further.
    assert!(apart.max().int64_value(&[]) <= 1);
    assert!(apart.sum(Kind::Int64).int64_value(&[]) <= rows / 500);
}
