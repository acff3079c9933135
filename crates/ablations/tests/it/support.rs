//! What the tests share.

use electra_encoder::EncoderConfig;
use electra_objective::{Batch, ModelConfig, Objective};
use tch::{Device, Kind, Tensor, nn};

/// ‖a − b‖ / max(‖b‖, floor)
pub(crate) fn relative_error(found: &Tensor, expected: &Tensor, floor: f64) -> f64 {
    assert_eq!(found.size(), expected.size());
    let norm = |tensor: &Tensor| tensor.to_kind(Kind::Double).norm().double_value(&[]);
    let (found, expected) = (found.detach().to_kind(Kind::Double), expected.to_kind(Kind::Double));
    norm(&(found - &expected)) / norm(&expected).max(floor)
}

pub(crate) const VOCAB: i64 = 60;

pub(crate) fn model() -> ModelConfig {
    let encoder = EncoderConfig {
        vocab_size: VOCAB,
        hidden_size: 32,
        embedding_size: 16,
        num_attention_heads: 2,
        intermediate_size: 48,
        max_position_embeddings: 32,
        ..EncoderConfig::tiny().without_dropout()
    };
    ModelConfig::paper(encoder, 0.5)
}

/// An objective with initialised parameters.
pub(crate) fn objective(name: &str) -> (nn::VarStore, Box<dyn Objective>) {
    let parameters = nn::VarStore::new(Device::Cpu);
    let unigram: Vec<u64> = (0..VOCAB as u64).map(|id| if id < 5 { 0 } else { id }).collect();
    let objective = electra_ablations::build(name, &parameters.root(), &model(), &unigram).unwrap();
    electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
    (parameters, objective)
}

/// Ids, which are real, masked positions.
type Row = (Vec<i64>, Vec<bool>, Vec<i64>);

/// Rows of 16 tokens, the last row shorter, three masked positions in each; every number from `seed`.
pub(crate) fn batch(rows: i64, seed: i64) -> Batch {
    let data = |row: i64| -> Row {
        let n = if row + 1 == rows { 11 } else { 16 };
        let mut ids: Vec<i64> =
            (0..16).map(|at| if at < n { 5 + (row * 7 + at * 13 + seed) % (VOCAB - 5) } else { 0 }).collect();
        ids[0] = 2;
        ids[n as usize - 1] = 3;
        (ids, (0..16).map(|at| at < n).collect(), vec![2, 5, 9])
    };
    let rows: Vec<_> = (0..rows).map(data).collect();
    let stack = |pick: &dyn Fn(&Row) -> Tensor| Tensor::stack(&rows.iter().map(pick).collect::<Vec<_>>(), 0);
    let input_ids = stack(&|row| Tensor::from_slice(&row.0));
    let masked_positions = stack(&|row| Tensor::from_slice(&row.2));
    let masks = masked_positions.full_like(4);
    let mut rng = electra_masking::Stream::SAMPLE.rng(seed as u64, 0, 0);
    let uniforms: Vec<f32> =
        (0..masked_positions.numel()).map(|_| (rng.next_u32() >> 8) as f32 / (1 << 24) as f32).collect();
    Batch {
        attention_mask: stack(&|row| Tensor::from_slice(&row.1)),
        token_type_ids: input_ids.zeros_like(),
        masked_input_ids: input_ids.scatter(1, &masked_positions, &masks),
        masked_valid: masked_positions.ones_like().to_kind(Kind::Bool),
        uniforms: Tensor::from_slice(&uniforms).view_as(&masked_positions),
        masked_positions,
        input_ids,
        sampled_ids: None,
    }
}

/// A metric of an output.
pub(crate) fn metric(output: electra_objective::Output, name: &str) -> f64 {
    let metrics = output.metrics.compute();
    let (_, value) =
        metrics.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no metric {name}"));
    value.double_value(&[])
}
