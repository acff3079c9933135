//! Heads that attend to a token's neighbours from the start.
//!
//! A Transformer with learned positions does not know at first which tokens are next to each other, and learns it only during
//! most of a short run. This initialization gives it that knowledge. It changes nothing else: the network computes what
//! ELECTRA computes, every parameter is trained, and a checkpoint has the same tensors.
//!
//! E embedding size, D hidden size, A head size, F frequencies; σ is the standard deviation of the word table as drawn.

use std::f64::consts::SQRT_2;

use electra_config::EncoderConfig;
use tch::{Tensor, nn};

use crate::Error;

/// Standard deviation of a normal distribution of standard deviation 1 that is cut at ±2.
const TRUNCATED: f64 = 0.879_625_66;
/// The largest and the smallest frequency, in radians a token: wavelengths of 2.1 and of 126 tokens. The fastest waves of
/// Vaswani et al. (2017) are 6.3 tokens long, which does not distinguish a neighbour from the token after it.
const FREQUENCIES: (f64, f64) = (3.0, 0.05);
/// The score of the position that a head attends to; the others' scores are below.
const PEAK: f64 = 6.0;
/// Of the embeddings' columns the heads take one in this many at most, as words have nothing to say in them at first.
const SHARE: i64 = 4;

const POSITIONS: &str = "embeddings.position_embeddings.weight";
/// The tables whose first columns are 0 at first, so that words do not disturb the heads.
const WORDS: [&str; 2] = ["embeddings.word_embeddings.weight", "embeddings.token_type_embeddings.weight"];
const PROJECTION: &str = "embeddings_project.weight";
const QUERY: &str = "encoder.layer.0.attention.self.query.weight";
const KEY: &str = "encoder.layer.0.attention.self.key.weight";

/// Gives `config.neighbour_heads` heads of the first layer of each encoder in `var_store` first values with which they
/// attend to the tokens at −1, +1, −2, +2 and so on. An encoder that has fewer heads has as many of them as it has heads.
///
/// `config` is the kept encoder's. Everything is a function of it, and what is not named here stays as
/// [`initialise`](crate::initialise()) drew it. With ω(f) = 3 (0.05 / 3)^(f / (E/2 − 1)) for f = 0 … E/2 − 1:
///
/// * Positions: P\[p, 2f\] = σ √2 sin(ω(f) p), P\[p, 2f + 1\] = σ √2 cos(ω(f) p), which is as large as the word table.
/// * Words and token types: 0 in the first 2 F columns, where F = min(A/2, E/8).
/// * `embeddings_project`: its first 2 F rows are those of the identity.
/// * A head of offset δ: its keys 2f and 2f + 1 are g times the columns 2f and 2f + 1 of its input, its queries g times
///   the same columns turned by δ ω(f); other columns have no part in them. Rows beyond 2 F stay as they were drawn.
///
/// The score of position i for j is then (g² α² / √A) Σ cos(ω(f) (j − i − δ)), where α is what the embeddings'
/// LayerNorm makes of a wave's amplitude, and g is such that it is 6 at j = i + δ.
///
/// # Errors
/// If libtorch fails.
pub fn initialise_neighbour_heads(var_store: &nn::VarStore, config: &EncoderConfig) -> Result<(), Error> {
    if config.neighbour_heads == 0 {
        return Ok(());
    }
    let waves = Waves::new(config);
    for (name, mut parameter) in var_store.variables() {
        let ends = |ending: &str| name == ending || name.ends_with(&format!(".{ending}"));
        let size = parameter.size();
        let [rows, columns] = size[..] else { continue };
        let mut values = Vec::<f32>::try_from(parameter.detach().f_flatten(0, -1)?)?;
        let mut matrix: Vec<&mut [f32]> = values.chunks_exact_mut(columns as usize).collect();
        if ends(POSITIONS) {
            waves.write_positions(&mut matrix);
        } else if WORDS.iter().any(|ending| ends(ending)) {
            matrix.iter_mut().for_each(|row| row[..waves.columns()].fill(0.0));
        } else if ends(PROJECTION) {
            waves.write_projection(&mut matrix);
        } else if ends(QUERY) {
            waves.write_heads(&mut matrix, config.heads(rows), offset);
        } else if ends(KEY) {
            waves.write_heads(&mut matrix, config.heads(rows), |_| 0.0);
        } else {
            continue;
        }
        let values = Tensor::f_from_slice(&values)?.f_view(size.as_slice())?;
        tch::no_grad(|| parameter.f_copy_(&values))?;
    }
    Ok(())
}

/// Where a head attends to, from the token itself: −1, +1, −2, +2, …
fn offset(head: usize) -> f64 {
    let distance = (head / 2 + 1) as f64;
    if head.is_multiple_of(2) { -distance } else { distance }
}

/// The quantities that the initialization is made from.
struct Waves {
    /// How many heads have an offset.
    heads: usize,
    /// ω, E / 2 of them, the largest first.
    frequencies: Vec<f64>,
    /// F, those that the heads look at.
    seen: usize,
    /// Of the waves in the table of positions.
    amplitude: f64,
    /// α, of the waves after the embeddings' LayerNorm.
    normed: f64,
}

impl Waves {
    fn new(config: &EncoderConfig) -> Self {
        let half = (config.embedding_size / 2) as usize;
        let head_size = config.hidden_size / config.num_attention_heads;
        let seen = (head_size / 2).min(config.embedding_size / (2 * SHARE));
        let (fast, slow) = FREQUENCIES;
        let step = |index: usize| index as f64 / (half - 1).max(1) as f64;
        let frequencies = (0..half).map(|index| fast * (slow / fast).powf(step(index))).collect();
        // The variance of the embeddings' sum over that of the word table: the waves have the word table's; words and
        // token types have nothing in the heads' columns.
        let others = 2.0 * (1.0 - 2.0 * seen as f64 / config.embedding_size as f64);
        Self {
            heads: config.neighbour_heads as usize,
            frequencies,
            seen: seen as usize,
            amplitude: TRUNCATED * config.initializer_range * SQRT_2,
            normed: SQRT_2 / (1.0 + others).sqrt(),
        }
    }

    fn columns(&self) -> usize {
        2 * self.seen
    }

    fn write_positions(&self, table: &mut [&mut [f32]]) {
        for (position, row) in table.iter_mut().enumerate() {
            for (pair, frequency) in row.chunks_exact_mut(2).zip(&self.frequencies) {
                let (sin, cos) = (frequency * position as f64).sin_cos();
                pair.copy_from_slice(&[(self.amplitude * sin) as f32, (self.amplitude * cos) as f32]);
            }
        }
    }

    fn write_projection(&self, matrix: &mut [&mut [f32]]) {
        for (index, row) in matrix.iter_mut().take(self.columns()).enumerate() {
            row.fill(0.0);
            row[index] = 1.0;
        }
    }

    /// Of queries or keys: each head's columns, turned by `offset` of its number.
    fn write_heads(&self, matrix: &mut [&mut [f32]], heads: i64, offset: fn(usize) -> f64) {
        let head_size = matrix.len() / heads as usize;
        let seen = self.seen.min(head_size / 2);
        let gain = (PEAK * (head_size as f64).sqrt() / seen as f64).sqrt() / self.normed;
        for (head, rows) in matrix.chunks_exact_mut(head_size).take(self.heads).enumerate() {
            let pairs = rows.chunks_exact_mut(2).zip(&self.frequencies).take(seen);
            for (index, (pair, frequency)) in pairs.enumerate() {
                let (sin, cos) = (frequency * offset(head)).sin_cos();
                let (first, second) = ((gain * cos) as f32, (gain * sin) as f32);
                for (row, values) in pair.iter_mut().zip([[first, second], [-second, first]]) {
                    row.fill(0.0);
                    row[2 * index..2 * index + 2].copy_from_slice(&values);
                }
            }
        }
    }
}
