//! What a training step costs in floating-point operations.
//!
//! One operation is one addition, multiplication, comparison or function value; a multiply-add is two. L length
//! of a row, N masked positions in it, V vocabulary, E embedding size, D hidden size, F feed-forward size,
//! H heads. The terms are those of the reference's `flops_computation.py`.

use serde::{Deserialize, Serialize};

use crate::{Backbone, EncoderConfig, PositionEmbeddingType};

/// For each element: draw, compare, multiply by the mask, scale.
const DROPOUT: f64 = 4.0;
/// For each element: mean, variance (square and sum), add, scale.
const LAYER_NORM: f64 = 5.0;
/// For each element, of the tanh approximation.
const GELU: f64 = 8.0;
/// For each element of queries and keys: two multiplications and an addition.
const ROTARY: f64 = 3.0;
/// For each element: maximum, subtraction, exp, sum, division.
const SOFTMAX: f64 = 5.0;

/// How operations are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// As the paper's tables: training is 2 × forward, and looking an embedding up is a product of a one-hot
    /// vector with the table.
    Paper,
    /// As a computer that trains executes them: training is 3 × forward, a product having two gradients, and
    /// looking up is free. What is computed twice to save memory is counted once, and what a program knows to
    /// leave out (padding, the last layer at positions that nobody asks for) is counted too.
    Executed,
}

/// The shape of the batch of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepShape {
    /// B, rows.
    pub batch: u64,
    /// L, tokens in a row, padding included.
    pub length: u64,
    /// N, masked positions in a row; their mean where it differs from row to row or from step to step
    /// ([`MaskingConfig::expected_count`](electra_masking::MaskingConfig::expected_count)).
    pub masked: f64,
}

/// The positions that a head is computed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Positions {
    /// Every position.
    All,
    /// The masked ones.
    Masked,
    /// Every position of one row in so many, and the masked ones of the others.
    AllOfOneRowIn(u32),
}

/// What is computed from an encoder's last hidden states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Dense D → E, GELU, LayerNorm, product with the word table, softmax over V.
    Vocabulary(Positions),
    /// Dense D → D, GELU, dense D → 1. On `ModernBERT` a LayerNorm follows the GELU.
    Discriminator(Positions),
    /// Dense D → 1: the copy gate of All-Tokens MLM.
    Gate(Positions),
    /// As [`Vocabulary`](Self::Vocabulary), of the outputs of two networks of this size side by side: dense 2 D → E first.
    TwoTowers(Positions),
}

/// An encoder and its heads.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// The encoder.
    pub encoder: &'a EncoderConfig,
    /// Its heads.
    pub heads: &'a [Head],
    /// The positions that go through its layers. Where they are not all, keys and values are those of another pass, and
    /// each position attends to all of a row.
    pub positions: Positions,
}

impl Convention {
    /// Operations of one training step of `networks` on one batch: of the generator and the kept encoder, or
    /// of the kept encoder alone.
    ///
    /// # Formula
    /// Paper, appendix "Counting FLOPs", and the reference's program: for each layer and token
    /// 6 D² + 2 D L + 2 D L + 2 D² + 4 D F and smaller terms.
    #[must_use]
    pub fn step(self, networks: &[Network<'_>], shape: StepShape) -> f64 {
        let passes = match self {
            Self::Paper => 2.0,
            Self::Executed => 3.0,
        };
        let forward: f64 = networks.iter().map(|network| self.forward(network, shape)).sum();
        passes * forward
    }

    /// Operations of one forward pass of `network` over one batch.
    #[must_use]
    pub fn forward(self, network: &Network<'_>, shape: StepShape) -> f64 {
        let sizes = Sizes::new(network.encoder, shape);
        let heads: f64 = network.heads.iter().map(|head| sizes.head(*head)).sum();
        let layers = sizes.all_layers(network.positions);
        shape.batch as f64 * (layers + sizes.embeddings(self, network.positions) + heads)
    }
}

/// The sizes by their letters.
struct Sizes<'a> {
    config: &'a EncoderConfig,
    layers: f64,
    l: f64,
    n: f64,
    v: f64,
    e: f64,
    d: f64,
    f: f64,
    h: f64,
    rotary: bool,
}

impl<'a> Sizes<'a> {
    fn new(config: &'a EncoderConfig, shape: StepShape) -> Self {
        Self {
            config,
            layers: config.num_hidden_layers as f64,
            l: shape.length as f64,
            n: shape.masked,
            v: config.vocab_size as f64,
            e: config.embedding_size as f64,
            d: config.hidden_size as f64,
            f: config.intermediate_size as f64,
            h: config.num_attention_heads as f64,
            rotary: config.position_embedding_type == PositionEmbeddingType::Rotary,
        }
    }

    fn is_modernbert(&self) -> bool {
        self.config.architecture == Backbone::ModernBert
    }

    /// All layers over one row.
    fn all_layers(&self, positions: Positions) -> f64 {
        if !self.is_modernbert() {
            return self.layers * self.layer(positions);
        }
        // The first layer has no LayerNorm before its attention; for it one follows the last layer.
        (0..self.config.num_hidden_layers)
            .map(|layer| self.modernbert_layer(self.config.is_global(layer), positions))
            .sum()
    }

    /// Pairs of a query and a key over one row, of which a window has those that are at most half of it apart.
    fn pairs(&self, is_global: bool) -> f64 {
        let half = (self.config.local_attention / 2) as f64;
        if is_global || half >= self.l {
            self.l * self.l
        } else {
            self.l * (2.0 * half + 1.0) - half * (half + 1.0)
        }
    }

    /// One layer of ModernBERT over one row. The published networks drop nothing, so that nothing is counted for it.
    fn modernbert_layer(&self, is_global: bool, positions: Positions) -> f64 {
        let Self { l, d, f, h, .. } = *self;
        let count = self.count(positions);
        let pairs = self.pairs(is_global) * count / l;
        let is_own = positions == Positions::All;
        // Of a second stream queries alone, as keys and values are there.
        let query_key_value = if is_own { 6.0 * d * d + 2.0 * ROTARY * d } else { 2.0 * d * d + ROTARY * d };
        let attention = pairs * (4.0 * d + h + SOFTMAX * h);
        let attention_end = 2.0 * d * d + d; // the product and the residual
        let inner = 4.0 * d * f + GELU * f + f;
        let outer = 2.0 * d * f + d;
        count * (query_key_value + attention_end + inner + outer + 2.0 * LAYER_NORM * d) + attention
    }

    /// How many of a row's positions, on average over rows.
    fn count(&self, positions: Positions) -> f64 {
        match positions {
            Positions::All => self.l,
            Positions::Masked => self.n,
            Positions::AllOfOneRowIn(rows) => self.n + (self.l - self.n) / f64::from(rows),
        }
    }

    /// One layer over one row.
    fn layer(&self, positions: Positions) -> f64 {
        let Self { l, d, f, h, .. } = *self;
        let is_own = positions == Positions::All;
        let turned = if self.rotary { 2.0 * ROTARY * d } else { 0.0 };
        // Of a second stream queries alone, as keys and values are there.
        let query_key_value =
            if is_own { 6.0 * d * d + 3.0 * d + turned } else { 2.0 * d * d + d + turned / 2.0 };
        let scores = 2.0 * d * l + l * h; // product and scale
        let weights = (SOFTMAX + DROPOUT) * l * h;
        let attended = 2.0 * d * l;
        let attention_output = 2.0 * d * d + d;
        // The reference counts this LayerNorm as 5 operations, not 5 D; the printed numbers have it so.
        let attention_end = (DROPOUT + 1.0) * d + LAYER_NORM;
        let inner = 2.0 * d * f + (1.0 + GELU) * f;
        let outer = 2.0 * d * f + d;
        let end = (DROPOUT + 1.0 + LAYER_NORM) * d;
        self.count(positions)
            * (query_key_value
                + scores
                + weights
                + attended
                + attention_output
                + attention_end
                + inner
                + outer
                + end)
    }

    /// Embeddings and their projection over one row.
    fn embeddings(&self, convention: Convention, positions: Positions) -> f64 {
        let Self { l, v, e, d, .. } = *self;
        if self.is_modernbert() {
            let one_hot = if convention == Convention::Paper { 2.0 * e * v } else { 0.0 };
            return self.count(positions) * (one_hot + LAYER_NORM * e);
        }
        let look_up = match convention {
            // One-hot vectors of V words, L positions, unless they are rotary, and 2 token types.
            Convention::Paper => 2.0 * e * v + 2.0 * e * (if self.rotary { 0.0 } else { l } + 2.0),
            Convention::Executed => 0.0,
        };
        let tables = if self.rotary { 2.0 } else { 3.0 };
        let sum = (tables - 1.0) * e + (LAYER_NORM + DROPOUT) * e;
        let project = if e == d { 0.0 } else { 2.0 * e * d + d };
        self.count(positions) * (look_up + sum + project)
    }

    /// A head over one row.
    fn head(&self, head: Head) -> f64 {
        let Self { v, e, d, .. } = *self;
        // ModernBERT's dense layer adds no bias.
        let (bias, norm) = if self.is_modernbert() { (0.0, LAYER_NORM) } else { (1.0, 0.0) };
        let vocabulary = |inputs: f64| {
            let hidden = 2.0 * inputs * e + bias * e + (GELU + LAYER_NORM) * e;
            // The product with the table, the softmax, and picking the target's by a one-hot vector.
            hidden + 2.0 * e * v + SOFTMAX * v + 2.0 * v
        };
        let (positions, each) = match head {
            Head::Vocabulary(positions) => (positions, vocabulary(d)),
            Head::TwoTowers(positions) => (positions, vocabulary(2.0 * d)),
            Head::Discriminator(positions) => {
                (positions, 2.0 * d * d + bias * d + (GELU + norm) * d + 2.0 * d)
            }
            Head::Gate(positions) => (positions, 2.0 * d),
        };
        self.count(positions) * each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference takes 5/32 of a row as masked whatever the mask rate: 20 of 128, 80 of 512.
    fn shape(batch: u64, length: u64) -> StepShape {
        StepShape { batch, length, masked: (length * 5 / 32) as f64 }
    }

    fn bert(config: &EncoderConfig, shape: StepShape) -> f64 {
        let network = Network {
            encoder: config,
            heads: &[Head::Vocabulary(Positions::Masked)],
            positions: Positions::All,
        };
        Convention::Paper.step(&[network], shape)
    }

    fn electra(convention: Convention, config: &EncoderConfig, multiplier: f64, shape: StepShape) -> f64 {
        let generator = config.generator(multiplier);
        let generator = Network {
            encoder: &generator,
            heads: &[Head::Vocabulary(Positions::Masked)],
            positions: Positions::All,
        };
        let main = Network {
            encoder: config,
            heads: &[Head::Discriminator(Positions::All)],
            positions: Positions::All,
        };
        convention.step(&[generator, main], shape)
    }

    #[test]
    fn the_papers_numbers_come_out() {
        let (small, base, large) = (EncoderConfig::small(), EncoderConfig::base(), EncoderConfig::large());
        let electra = |config, multiplier, shape| electra(Convention::Paper, config, multiplier, shape);
        for (name, found, printed) in [
            ("bert_small", 1.45e6 * bert(&small, shape(128, 128)), "1.419e18"),
            ("electra_small, 1/4", 1e6 * electra(&small, 0.25, shape(128, 128)), "1.294e18"),
            ("electra_small, 1/2", 1e6 * electra(&small, 0.5, shape(128, 128)), "1.424e18"),
            ("bert_base", 1e6 * bert(&base, shape(256, 512)), "6.428e19"),
            ("electra_base", 766e3 * electra(&base, 1.0 / 3.0, shape(256, 512)), "6.425e19"),
            ("electra_400k", 400e3 * electra(&large, 0.25, shape(2048, 512)), "7.118e20"),
            ("electra_1.75M", 1750e3 * electra(&large, 0.25, shape(2048, 512)), "3.114e21"),
        ] {
            assert_eq!(format!("{found:.3e}"), printed, "{name}");
        }
    }

    /// The reference's terms summed up by hand in Python, to nearly every digit that a double holds.
    #[test]
    fn no_small_term_is_forgotten() {
        let (small, base) = (EncoderConfig::small(), EncoderConfig::base());
        for (found, expected) in [
            (1.45e6 * bert(&small, shape(128, 128)), 1.4187399146496e18),
            (1e6 * electra(Convention::Paper, &small, 0.25, shape(128, 128)), 1.293743798272e18),
            (766e3 * electra(Convention::Paper, &base, 1.0 / 3.0, shape(256, 512)), 6.424541834277683e19),
        ] {
            assert!((found / expected - 1.0).abs() < 1e-12, "{found:e}, {expected:e}");
        }
    }

    #[test]
    fn executed_is_three_passes_without_look_ups() {
        let base = EncoderConfig::base();
        let network = Network { encoder: &base, heads: &[], positions: Positions::All };
        let shape = shape(1, 512);
        let (v, e, l) = (30_522.0, 768.0, 512.0);
        let look_up = l * (2.0 * e * v + 2.0 * e * (l + 2.0));
        let paper = Convention::Paper.step(&[network], shape);
        let executed = Convention::Executed.step(&[network], shape);
        assert!((executed / (1.5 * (paper - 2.0 * look_up)) - 1.0).abs() < 1e-12);
        // The usual rule of thumb, 6 operations for each weight and token, and attention on top.
        let weights = 12.0 * 12.0 * 768.0 * 768.0;
        let products = l * (6.0 * weights + 12.0 * 12.0 * e * l);
        assert!((executed / products - 1.0).abs() < 0.02, "{}", executed / products);
    }

    #[test]
    fn rotary_positions_cost_turns_and_no_table() {
        let absolute = EncoderConfig::small();
        let rotary =
            EncoderConfig { position_embedding_type: PositionEmbeddingType::Rotary, ..absolute.clone() };
        let difference = |convention: Convention| {
            let [absolute, rotary] = [&absolute, &rotary].map(|encoder| {
                convention.forward(&Network { encoder, heads: &[], positions: Positions::All }, shape(1, 100))
            });
            rotary - absolute
        };
        // For each of 100 tokens: in 12 layers queries and keys of 256 numbers, and no third table of 128.
        let executed = 100.0 * (12.0 * 2.0 * 256.0 * 3.0 - 128.0);
        assert_eq!(difference(Convention::Executed), executed);
        assert_eq!(difference(Convention::Paper), executed - 100.0 * 2.0 * 128.0 * 100.0);
    }

    /// The terms by hand: `ettin-17m` on rows of 200 tokens, of which a token in the middle sees 129.
    #[test]
    fn modernbert_costs_what_its_matrices_and_windows_say() {
        let ettin = EncoderConfig::ettin_17m();
        let shape = StepShape { batch: 2, length: 200, masked: 30.0 };
        let cost = |heads: &[Head]| {
            Convention::Executed
                .forward(&Network { encoder: &ettin, heads, positions: Positions::All }, shape)
        };
        // D² = 65,536 in four matrices of attention, D F = 98,304 in three of the feed-forward part.
        let products = 2.0 * (4.0 * 65_536.0 + 3.0 * 98_304.0) * 200.0;
        // The first 64 tokens and the last 64 see 65 to 128.
        let window = 200.0 * 129.0 - 2.0 * (1..=64).map(f64::from).sum::<f64>();
        // For each number of D: rotary positions 2 · 3, two LayerNorms of 5, two residuals; of F: GELU 8, gate 1.
        let small = 200.0 * (256.0 * (6.0 + 10.0 + 2.0) + 384.0 * 9.0);
        let attention = |pairs: f64| pairs * (4.0 * 256.0 + 6.0 * 4.0);
        let layers = 7.0 * (products + small) + 3.0 * attention(40_000.0) + 4.0 * attention(window);
        assert_eq!(cost(&[]), 2.0 * (layers + 200.0 * 5.0 * 256.0));
        let detector = 2.0 * 65_536.0 + 13.0 * 256.0 + 2.0 * 256.0;
        assert_eq!(cost(&[Head::Discriminator(Positions::All)]) - cost(&[]), 400.0 * detector);
        // Where rows are no longer than half a window, every layer attends to all tokens.
        let pairs = |length| {
            let shape = StepShape { batch: 1, length, masked: 1.0 };
            let windows = EncoderConfig { local_attention: 1 << 20, ..ettin.clone() };
            [&ettin, &windows].map(|encoder| {
                Convention::Executed
                    .forward(&Network { encoder, heads: &[], positions: Positions::All }, shape)
            })
        };
        assert_eq!(pairs(64)[0], pairs(64)[1]);
        assert_eq!(pairs(65)[0], pairs(65)[1]);
        assert!(pairs(66)[0] < pairs(66)[1]);
    }

    #[test]
    fn heads_cost_what_their_positions_say() {
        let small = EncoderConfig::small();
        let shape = StepShape { batch: 3, length: 100, masked: 10.0 };
        let cost = |heads: &[Head]| {
            Convention::Executed
                .forward(&Network { encoder: &small, heads, positions: Positions::All }, shape)
        };
        let head = |head| cost(&[head]) - cost(&[]);
        for make in [Head::Vocabulary, Head::Discriminator, Head::Gate] {
            let (all, masked) = (head(make(Positions::All)), head(make(Positions::Masked)));
            assert!((all / masked - 10.0).abs() < 1e-3, "{all} {masked}");
        }
        assert_eq!(head(Head::Gate(Positions::All)), 300.0 * 2.0 * 256.0);
    }
}
