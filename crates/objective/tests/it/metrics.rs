//! Diagnostics against counts by hand.

use std::collections::BTreeMap;

use electra_objective::{Metric, Metrics, Over, detection, mean_here, prediction, rows_in_memory};
use tch::{Device, Kind, Tensor};

fn values(metrics: Metrics) -> BTreeMap<String, (f64, Over)> {
    let value = |Metric { name, value, over }| (name, (value.double_value(&[]), over));
    metrics.compute().into_iter().map(value).collect()
}

#[track_caller]
fn assert_values(metrics: Metrics, expected: &[(&str, f64, Over)]) {
    let found = values(metrics);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (name, expected, over) in expected {
        let (value, found_over) = &found[*name];
        assert!(
            (value - expected).abs() < 1e-6 && found_over == over,
            "{name}: {value}, expected {expected}"
        );
    }
}

/// Of a step with ten places; the last of these does not count.
#[test]
fn detection_counts_answers_at_one_half() {
    let logits = Tensor::from_slice(&[2.0_f32, -1.0, 1.0, -2.0, 0.5, 9.0]);
    let replaced = Tensor::from_slice(&[true, true, false, true, true, true]);
    let weights = Tensor::from_slice(&[true, true, true, true, true, false]);
    let metrics = detection(&logits, &replaced, &weights, &Tensor::from(10_f32), &Tensor::from(0.25_f32));
    let entropy = -(0.8 * 0.8_f64.ln() + 0.2 * 0.2_f64.ln());
    assert_values(
        metrics,
        &[
            ("disc_loss", 0.25, Over::Step),
            // The first and the fifth are right.
            ("disc_accuracy", 2.0 / 10.0, Over::Step),
            // Three are called replaced, four are, and two are both.
            ("disc_precision", 2.0 / 3.0, Over::Part),
            ("disc_recall", 2.0 / 4.0, Over::Part),
            // Of those that were replaced, one alone has more than the 1 of the one that was not.
            ("disc_auc", 1.0 / 4.0, Over::Part),
            ("disc_label_entropy", entropy, Over::Part),
        ],
    );
}

#[test]
fn where_nothing_is_replaced_or_called_so_shares_are_0() {
    let logits = Tensor::from_slice(&[-1.0_f32, -3.0]);
    let never = Tensor::from_slice(&[false, false]);
    let always = Tensor::from_slice(&[true, true]);
    let metrics = detection(&logits, &never, &always, &Tensor::from(2_f32), &Tensor::from(0_f32));
    let found = values(metrics);
    let value = |name: &str| found[name].0;
    assert_eq!((value("disc_accuracy"), value("disc_precision"), value("disc_recall")), (1.0, 0.0, 0.0));
    assert_eq!(value("disc_label_entropy"), 0.0);
    assert!(value("disc_auc").is_nan());
}

/// Of a step with four slots; the last of these is unused.
#[test]
fn predictions_have_an_accuracy_and_an_entropy() {
    let law = [[0.5_f64, 0.25, 0.25], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]];
    let logits = Tensor::from_slice2(&law.map(|row| row.map(f64::ln))).to_kind(Kind::Float) + 3.0;
    // [B, N, V], as a generator has them, and [B, N].
    let logits = logits.view([1, 3, 3]);
    let targets = Tensor::from_slice(&[0_i64, 1, 0]).view([1, 3]);
    let weights = Tensor::from_slice(&[true, true, false]).view([1, 3]);
    let metrics = prediction(&logits, &targets, &weights, &Tensor::from(4_f32), &Tensor::from(1.5_f32))
        .prefixed("its_");
    let entropy = |row: usize| -law[row].iter().map(|p| p * p.ln()).sum::<f64>();
    assert_values(
        metrics,
        &[
            ("its_masked_lm_loss", 1.5, Over::Step),
            ("its_masked_lm_accuracy", 1.0 / 4.0, Over::Step),
            ("its_masked_lm_entropy", (entropy(0) + entropy(1)) / 4.0, Over::Step),
        ],
    );
}

#[test]
fn a_mean_of_the_rows_at_hand_is_0_without_weights() {
    let mean = |weights: &[f32]| {
        mean_here(&Tensor::from_slice(&[1.0_f32, 2.0, 9.0]), &Tensor::from_slice(weights)).double_value(&[])
    };
    assert_eq!(mean(&[1.0, 3.0, 0.0]), 1.75);
    assert_eq!(mean(&[0.0; 3]), 0.0);
}

#[test]
fn chunks_have_16_mebibytes_of_logits_and_128_rows_at_least() {
    assert_eq!(rows_in_memory(1 << 10, Device::Cpu), 4096);
    assert_eq!(rows_in_memory(30_522, Device::Cpu), 137);
    assert_eq!(rows_in_memory(1 << 20, Device::Cpu), 128);
    // 1 GiB on a GPU.
    assert_eq!(rows_in_memory(1 << 20, Device::Cuda(0)), 256);
}
