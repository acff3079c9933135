//! What a step of each objective costs, worked out by hand for sizes of which no two are the same.
//!
//! Training is two passes as the paper counts and three as a computer executes them. One operation is one
//! addition, multiplication, comparison or function value; so a product of a row of m numbers with an m × n matrix
//! is 2·m·n, and a bias n more. For each number, dropout is 4, a softmax is 5, LayerNorm 5, GELU 8.

use electra_config::{Convention, StepShape};
use electra_encoder::EncoderConfig;
use electra_masking::{MaskRate, MaskingConfig};
use electra_objective::ModelConfig;

use crate::support::{model, names};

/// Rows, tokens in a row, masked positions in a row.
const B: u64 = 3;
const L: u64 = 7;
const N: u64 = 2;
/// The vocabulary and the embedding size, which both networks have.
const V: u64 = 11;
const E: u64 = 4;
/// The main network's hidden size, feed-forward size, heads and layers.
const D: u64 = 10;
const F: u64 = 14;
const H: u64 = 5;
const LAYERS: u64 = 2;
/// The generator's.
const GEN_D: u64 = 6;
const GEN_F: u64 = 9;
const GEN_H: u64 = 2;
const GEN_LAYERS: u64 = 3;

/// One layer at one token.
const fn layer(d: u64, f: u64, h: u64) -> u64 {
    let query_key_value = 3 * (2 * d * d + d);
    let scores = h * L * (2 * (d / h) + 1); // at each head and key: a product of vectors, a scale
    let weights = h * L * (5 + 4); // softmax, dropout
    let context = h * (d / h) * (2 * L); // at each head, each of its numbers: a weighted sum over keys
    let attention_output = 2 * d * d + d;
    let attention_end = 4 * d + d + 5; // dropout, residual; the reference has 5 for its LayerNorm, not 5·d
    let inner = 2 * d * f + f + 8 * f; // GELU
    let output = 2 * f * d + d;
    let end = 4 * d + d + 5 * d; // dropout, residual, LayerNorm
    query_key_value + scores + weights + context + attention_output + attention_end + inner + output + end
}

/// Embeddings at one token without looking them up: two additions, LayerNorm, dropout, the projection to `d`.
const fn embeddings(d: u64) -> u64 {
    2 * E + 5 * E + 4 * E + (2 * E * d + d)
}

/// The paper's way to look an embedding up: one-hot vectors of the word, the position and the token type, times
/// their tables.
const LOOK_UP: u64 = 2 * V * E + 2 * L * E + 2 * 2 * E;

/// A vocabulary head at one position: dense d → E, GELU, LayerNorm, the product with the word table; softmax over
/// V; the target's number by a one-hot vector. Output biases are not counted.
const fn vocabulary_head(d: u64) -> u64 {
    (2 * d * E + E) + 8 * E + 5 * E + 2 * E * V + 5 * V + 2 * V
}

/// A head that says "replaced", at one position: dense D → D, GELU, dense D → 1.
const REPLACED_HEAD: u64 = (2 * D * D + D) + 8 * D + 2 * D;
/// The copy gate at one position.
const GATE: u64 = 2 * D;

/// What one row costs in one pass, without looking embeddings up.
const ENCODER: u64 = L * (LAYERS * layer(D, F, H) + embeddings(D));
const GENERATOR: u64 =
    L * (GEN_LAYERS * layer(GEN_D, GEN_F, GEN_H) + embeddings(GEN_D)) + N * vocabulary_head(GEN_D);

/// The name; whether it has a generator; what the main network's heads cost for one row; a step as the paper counts,
/// and as a computer executes it.
const STEPS: [(&str, bool, u64, u64, u64); 15] = [
    ("mlm", false, N * vocabulary_head(D), 210_924, 306_306),
    ("replace-mlm", true, N * vocabulary_head(D), 353_256, 509_724),
    ("electra-15", true, N * REPLACED_HEAD, 353_364, 509_886),
    ("all-tokens-mlm", true, L * (vocabulary_head(D) + GATE), 363_126, 524_529),
    ("electra", true, L * REPLACED_HEAD, 362_664, 523_836),
    ("clm", false, L * vocabulary_head(D), 219_954, 319_851),
    ("rts", false, L * REPLACED_HEAD, 220_332, 320_418),
    ("coco-clm", true, N * vocabulary_head(D) + L * GATE, 354_096, 510_984),
    ("electra-gdes", true, L * REPLACED_HEAD, 362_664, 523_836),
    ("mlm-85-15", false, N * vocabulary_head(D), 210_924, 306_306),
    ("all-tokens-mlm-no-gate", true, L * vocabulary_head(D), 362_286, 523_269),
    ("rtd-unigram", false, L * REPLACED_HEAD, 220_332, 320_418),
    ("rtd-uniform", false, L * REPLACED_HEAD, 220_332, 320_418),
    ("electra-shuffled", true, L * REPLACED_HEAD, 362_664, 523_836),
    ("electra-shuffled-all", true, L * REPLACED_HEAD, 362_664, 523_836),
];

/// Those of which a step is not a pass of the kept encoder and one of a generator.
const OTHERS: [&str; 3] = ["permutation-lm", "gpt-bert", "electric"];

/// What of a layer one query of a second stream does not compute: a key and a value.
const KEY_AND_VALUE: u64 = 2 * (2 * D * D + D);

#[test]
fn a_step_of_two_streams_costs_a_pass_and_queries_at_the_predicted_positions() {
    let queries = N * (LAYERS * (layer(D, F, H) - KEY_AND_VALUE) + embeddings(D));
    let row = ENCODER + queries + N * vocabulary_head(D);
    let paper = 2 * B * (row + (L + N) * LOOK_UP);
    assert_eq!((paper, 3 * B * row), (260_076, 377_154), "the numbers and their derivation");
    assert_counted("permutation-lm", 260_076.0, 377_154.0);
}

#[test]
fn of_sixteen_rows_one_is_predicted_at_all_positions() {
    // Of sixteen rows.
    let rows = 16 * ENCODER + 15 * N * vocabulary_head(D) + L * vocabulary_head(D);
    let paper = 2 * B * (rows + 16 * L * LOOK_UP);
    assert_eq!((paper, 3 * B * rows), (3_383_814, 4_914_441), "the numbers and their derivation");
    assert_counted("gpt-bert", 3_383_814.0 / 16.0, 4_914_441.0 / 16.0);
}

#[test]
fn two_towers_have_a_head_of_twice_their_width() {
    let tower = L * (GEN_LAYERS * layer(GEN_D, GEN_F, GEN_H) + embeddings(GEN_D));
    let row = 2 * tower + L * vocabulary_head(2 * GEN_D) + ENCODER + L * REPLACED_HEAD;
    let paper = 2 * B * (row + 3 * L * LOOK_UP);
    assert_eq!((paper, 3 * B * row), (511_854, 737_541), "the numbers and their derivation");
    assert_counted("electric", 511_854.0, 737_541.0);
}

fn assert_counted(name: &str, paper: f64, executed: f64) {
    let (model, shape) = (sizes(), StepShape { batch: B, length: L, masked: N as f64 });
    let info = &electra_ablations::objective(name).unwrap().info;
    let found = |convention| info.flops(&model, shape, convention);
    assert_eq!(found(Convention::Paper), paper, "{name}, as the paper counts");
    assert_eq!(found(Convention::Executed), executed, "{name}, as executed");
}

fn sizes() -> ModelConfig {
    let encoder = |[d, f, h, layers]: [u64; 4]| EncoderConfig {
        vocab_size: V as i64,
        embedding_size: E as i64,
        hidden_size: d as i64,
        intermediate_size: f as i64,
        num_attention_heads: h as i64,
        num_hidden_layers: layers as i64,
        ..model().encoder
    };
    ModelConfig {
        encoder: encoder([D, F, H, LAYERS]),
        generator: encoder([GEN_D, GEN_F, GEN_H, GEN_LAYERS]),
        ..model()
    }
}

#[test]
fn a_step_of_each_objective_costs_what_a_count_by_hand_gives() {
    assert!(names().filter(|name| !OTHERS.contains(name)).eq(STEPS.map(|(name, ..)| name)));
    let (model, shape) = (sizes(), StepShape { batch: B, length: L, masked: N as f64 });
    for (name, has_generator, heads, paper, executed) in STEPS {
        let looked_up = if has_generator { 2 } else { 1 };
        let row = ENCODER + heads + if has_generator { GENERATOR } else { 0 };
        assert_eq!(2 * B * (row + looked_up * L * LOOK_UP), paper, "{name}: the number and its derivation");
        assert_eq!(3 * B * row, executed, "{name}: the number and its derivation");
        let info = &electra_ablations::objective(name).unwrap().info;
        let found = |convention| info.flops(&model, shape, convention);
        assert_eq!(found(Convention::Paper), paper as f64, "{name}, as the paper counts");
        assert_eq!(found(Convention::Executed), executed as f64, "{name}, as executed");
    }
}

/// A rate of masks that changes, or that each example draws, counts with its mean.
#[test]
fn a_step_counts_the_expected_number_of_masked_positions() {
    let (model, length) = (sizes(), 40);
    let info = &electra_ablations::objective("mlm").unwrap().info;
    let step = |masked: f64| info.flops(&model, StepShape { batch: B, length, masked }, Convention::Executed);
    let of_rate = |mask_prob| step(MaskingConfig { mask_prob, ..MaskingConfig::bert() }.expected_count(40));
    // 0.15 · 40 and 0.30 · 40 are whole: of ⌈40 p⌉ for p from 0.30 to 0.15 each of 7, …, 12 stands for a sixth of the run.
    let linear = of_rate(MaskRate::Linear { from: 0.30, to: 0.15 });
    let by_hand = [7.0, 8.0, 9.0, 10.0, 11.0, 12.0].map(step).iter().sum::<f64>() / 6.0;
    assert!((linear / by_hand - 1.0).abs() < 1e-4, "{linear}, by hand {by_hand}");
    // 1, …, 40 tokens alike.
    let by_hand = (1..=40).map(|count| step(f64::from(count))).sum::<f64>() / 40.0;
    let uniform = of_rate(MaskRate::Uniform);
    assert!((uniform / by_hand - 1.0).abs() < 1e-9, "{uniform}, by hand {by_hand}");
    assert_eq!(of_rate(MaskRate::Fixed(0.15)), step(6.0));
}
