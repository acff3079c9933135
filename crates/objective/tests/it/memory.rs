//! The memory of a softmax over the vocabulary at all positions.

use electra_objective::chunked_sum;
use electra_torch::{memory, reset_peak_memory};
use tch::{Device, Kind, Tensor};

/// At L = 128, B = 128 and V = 30,522 the logits alone would be 2 GB, and as much again for their gradient.
#[test]
fn all_positions_need_half_a_gibibyte() {
    let (positions, vocab_size, embedding) = (128 * 128, 30_522, 128);
    let random =
        |shape: [i64; 2]| (Tensor::randn(shape, (Kind::Float, Device::Cpu)) / 50).set_requires_grad(true);
    let (hidden, table) = (random([positions, embedding]), random([vocab_size, embedding]));
    let bias = Tensor::zeros([vocab_size], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let targets = Tensor::arange(positions, (Kind::Int64, Device::Cpu));
    let chunk = electra_objective::rows_in_memory(vocab_size, Device::Cpu);

    let before = memory(Device::Cpu).unwrap().current;
    reset_peak_memory(Device::Cpu).unwrap();
    let loss = chunked_sum(&[&hidden, &targets], &[&table, &bias], chunk, |rows, shared| {
        let log_p = rows[0].linear(&shared[0], Some(&shared[1])).log_softmax(-1, Kind::Float);
        -log_p.gather(1, &rows[1].unsqueeze(-1), false).sum(Kind::Float)
    });
    loss.backward();
    let added = memory(Device::Cpu).unwrap().peak.saturating_sub(before) >> 20;
    let expected = f64::from(positions as i32) * f64::from(vocab_size as i32).ln();
    assert!((loss.double_value(&[]) / expected - 1.0).abs() < 0.01, "the loss of weights near zero");
    assert!(added < 512, "{added} MiB");
}
