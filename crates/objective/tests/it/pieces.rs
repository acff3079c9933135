//! The pieces against their definitions.

use std::cell::RefCell;

use electra_encoder::EncoderConfig;
use electra_objective::{DeviceBatch, Generator, binary_cross_entropy, chunked_sum};
use electra_torch::sample_cumulative;
use statrs::distribution::{ChiSquared, ContinuousCDF};
use tch::{Device, Kind, Tensor, nn};

const VOCAB: i64 = 60;

/// Two rows of eight tokens, three of them masked.
fn batch() -> DeviceBatch {
    let input_ids = Tensor::arange(16, (Kind::Int64, Device::Cpu)).view([2, 8]) + 7;
    let masked_positions = Tensor::from_slice(&[1i64, 3, 6, 2, 4, 5]).view([2, 3]);
    let attention_mask = input_ids.ones_like().to_kind(Kind::Bool);
    DeviceBatch::from_tensors(input_ids.copy(), attention_mask, input_ids.zeros_like())
        .with("masked_input_ids", input_ids.scatter(1, &masked_positions, &masked_positions.full_like(4)))
        .with("masked_valid", masked_positions.ones_like().to_kind(Kind::Bool))
        .with("masked_positions", masked_positions)
}

fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    ((found - expected).norm() / expected.norm()).double_value(&[])
}

#[test]
fn samples_follow_the_generators_softmax() {
    let parameters = nn::VarStore::new(Device::Cpu);
    let config = EncoderConfig { vocab_size: VOCAB, hidden_size: 32, ..EncoderConfig::tiny() };
    let generator = Generator::new(&(parameters.root() / "generator"), &config, 1.0);
    electra_encoder::initialise(&parameters, 0.4, 3).unwrap();
    let batch = batch();
    let logits = tch::no_grad(|| generator.logits_t(&batch, false));
    let law = logits.softmax(-1, Kind::Double);
    let cumulative = logits.softmax(-1, Kind::Float).cumsum(-1, Kind::Float);
    let trials = 40_000;
    let mut rng = electra_masking::Stream::SAMPLE.rng(5, 0, 0);
    let mut counts = Tensor::zeros([2, 3, VOCAB], (Kind::Double, Device::Cpu));
    for _ in 0..trials {
        let uniforms: Vec<f32> = (0..6).map(|_| (rng.next_u32() >> 8) as f32 / (1 << 24) as f32).collect();
        let sampled = sample_cumulative(&cumulative, &Tensor::from_slice(&uniforms).view([2, 3]));
        counts += sampled.one_hot(VOCAB).to_kind(Kind::Double);
    }
    for row in 0..2 {
        for slot in 0..3 {
            // Rare tokens are taken together, so that every cell expects five or more.
            let (mut statistic, mut freedom, mut rare) = (0.0, -1.0, (0.0, 0.0));
            for token in 0..VOCAB {
                let expected = law.double_value(&[row, slot, token]) * f64::from(trials);
                let count = counts.double_value(&[row, slot, token]);
                if expected < 5.0 {
                    rare = (rare.0 + expected, rare.1 + count);
                } else {
                    statistic += (count - expected).powi(2) / expected;
                    freedom += 1.0;
                }
            }
            if rare.0 > 0.0 {
                statistic += (rare.1 - rare.0).powi(2) / rare.0;
                freedom += 1.0;
            }
            let p = ChiSquared::new(freedom).unwrap().sf(statistic);
            assert!(p > 1e-8, "row {row}, slot {slot}: chi-square {statistic} of {freedom}, p = {p:e}");
        }
    }
}

#[test]
fn extreme_numbers_still_give_tokens() {
    let cumulative = Tensor::from_slice(&[0.0f32, 0.25, 0.25, 1.0]).view([1, 1, 4]);
    for (uniform, token) in [(0.0f32, 1), (0.2499, 1), (0.25, 3), (0.999_999_94, 3)] {
        let uniform = Tensor::from_slice(&[uniform]).view([1, 1]);
        assert_eq!(sample_cumulative(&cumulative, &uniform).int64_value(&[0, 0]), token);
    }
}

#[test]
fn sums_in_chunks_have_the_values_and_gradients_of_plain_sums() {
    tch::manual_seed(1);
    let rows = Tensor::randn([37, 6], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let table = Tensor::randn([11, 6], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let targets = Tensor::arange(37, (Kind::Int64, Device::Cpu)).remainder(11);
    let loss = |rows: &Tensor, table: &Tensor, targets: &Tensor| {
        -rows
            .linear(table, None::<&Tensor>)
            .log_softmax(-1, Kind::Float)
            .gather(1, &targets.unsqueeze(-1), false)
            .sum(Kind::Float)
    };
    let plain = loss(&rows, &table, &targets) * 3.0;
    let expected = Tensor::run_backward(&[&plain], &[&rows, &table], true, false);
    for chunk in [1, 5, 37, 100] {
        let handed = RefCell::new(Vec::new());
        let sum = chunked_sum(&[&rows, &targets], &[&table], chunk, |rows, shared| {
            handed.borrow_mut().push(rows[0].size()[0]);
            loss(&rows[0], &shared[0], &rows[1])
        }) * 3.0;
        let handed = handed.into_inner();
        assert!(handed.iter().all(|count| *count <= chunk) && handed.iter().sum::<i64>() == 37, "{handed:?}");
        assert!((sum.double_value(&[]) - plain.double_value(&[])).abs() < 1e-3);
        let found = Tensor::run_backward(&[&sum], &[&rows, &table], true, false);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(relative_error(found, expected) < 1e-5, "chunks of {chunk}");
        }
        let value = tch::no_grad(|| {
            chunked_sum(&[&rows, &targets], &[&table], chunk, |rows, shared| {
                loss(&rows[0], &shared[0], &rows[1])
            })
        });
        assert!(
            !value.requires_grad() && (value.double_value(&[]) * 3.0 - plain.double_value(&[])).abs() < 1e-3
        );
    }
}

#[test]
fn rows_of_one_number_have_gradients_too() {
    let rows = Tensor::from_slice(&[1.0_f32, -2.0, 3.0]).set_requires_grad(true);
    let sum = chunked_sum(&[&rows], &[], 2, |rows, _| rows[0].square().sum(Kind::Float));
    sum.backward();
    assert_eq!(sum.double_value(&[]), 14.0);
    assert!(rows.grad().equal(&Tensor::from_slice(&[2.0_f32, -4.0, 6.0])));
}

#[test]
fn areas_under_the_curve() {
    let auc = |scores: &[f32], positive: &[bool]| {
        electra_objective::auc(&Tensor::from_slice(scores), &Tensor::from_slice(positive)).double_value(&[])
    };
    assert_eq!(auc(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]), 1.0);
    assert_eq!(auc(&[1.0, 2.0, 3.0, 4.0], &[true, true, false, false]), 0.0);
    assert_eq!(auc(&[1.0, 1.0, 1.0], &[true, false, true]), 0.5, "ties count one half");
    // Pairs (positive, negative): (2, 1) won, (2, 2) tied, (3, 1) and (3, 2) won: 3.5 of 4.
    assert_eq!(auc(&[2.0, 1.0, 2.0, 3.0], &[true, false, false, true]), 0.875);
    assert!(auc(&[1.0, 2.0], &[true, true]).is_nan());
}

#[test]
fn losses_are_means() {
    let logits = Tensor::from_slice(&[2.0f32, -1.0, 30.0, -200.0]);
    let labels = Tensor::from_slice(&[1.0f32, 1.0, 0.0, 0.0]);
    let weights = Tensor::from_slice(&[1.0f32, 1.0, 1.0, 0.0]);
    let expected = ((-2f64).exp().ln_1p() + 1f64.exp().ln_1p() + 30.0) / 3.0;
    let found =
        |total: f32| binary_cross_entropy(&logits, &labels, &weights, &Tensor::from(total)).double_value(&[]);
    assert!((found(3.0) - expected).abs() < 1e-5, "{}, expected {expected}", found(3.0));
    // A part of a step of 12: a quarter of its loss.
    assert!((found(12.0) - expected / 4.0).abs() < 1e-5, "{}", found(12.0));
}
