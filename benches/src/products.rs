//! The time that the matrix products of a training step take alone, at their own shapes.
//!
//! Counted, of every network of the objective: in each layer the products for Q, K and V as one (N·D·3D), the two
//! batched ones of attention ([B·H, L, A]·[B·H, A, L] and [B·H, L, L]·[B·H, L, A]), the output of attention
//! (N·D·D) and the two of the feed-forward (N·D·F, N·F·D); the projection of the embeddings where E ≠ D; and the
//! heads at the positions that they are computed at. On the CPU, where all heads are at the masked positions, the
//! last layer has its queries, and all behind them, at these alone. Each once forward, and twice backward: its
//! gradients with respect to either side. Not counted: what is computed a second time to save memory, biases, and
//! everything between products.
//!
//! The operands are allocated and written beforehand, and shared by products of one shape, so that they lie nearer
//! than those of a real step may: the rate is one to approach, not to reach.

use std::time::Instant;

use electra_config::{Backbone, Head, Network, Positions, StepShape};
use tch::{Device, Kind, Tensor};

/// C = A·B, of matrices or of batches of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Product {
    /// Matrices in a batch; none for a product with weights.
    batch: Option<i64>,
    /// Rows of A.
    m: i64,
    /// Columns of A.
    k: i64,
    /// Columns of B.
    n: i64,
}

/// A product with its operands, the gradient of its result, and room for what is computed.
struct Operands {
    product: Product,
    a: Tensor,
    /// Transposed, as weights and keys lie in memory.
    b: Tensor,
    c: Tensor,
    gradient: Tensor,
    a_gradient: Tensor,
    b_gradient: Tensor,
}

/// Seconds that all products of a step take one after the other, of operands and results of `kind`: the median of some
/// repetitions.
///
/// # Errors
/// If libtorch threw an exception.
pub fn seconds(
    networks: &[Network<'_>],
    shape: StepShape,
    kind: Kind,
    device: Device,
) -> Result<f64, electra_torch::Error> {
    tch::no_grad(|| {
        let sequence: Vec<Product> =
            networks.iter().flat_map(|network| forward(network, shape, device)).collect();
        let mut distinct: Vec<Operands> = Vec::new();
        let mut order = Vec::new();
        for product in sequence {
            let known = distinct.iter().position(|operands| operands.product == product);
            order.push(known.unwrap_or(distinct.len()));
            if known.is_none() {
                distinct.push(Operands::new(product, kind, device));
            }
        }
        let once = |distinct: &mut [Operands]| {
            let started = Instant::now();
            order.iter().for_each(|&index| distinct[index].forward());
            order.iter().rev().for_each(|&index| distinct[index].backward());
            electra_torch::synchronize(device).map(|()| started.elapsed().as_secs_f64())
        };
        once(&mut distinct)?;
        let begun = Instant::now();
        let mut times = Vec::new();
        while times.len() < 3 || (times.len() < 21 && begun.elapsed().as_secs_f64() < 3.0) {
            times.push(once(&mut distinct)?);
        }
        Ok(crate::median(times))
    })
}

/// The products of a network's forward pass, in their order.
fn forward(network: &Network<'_>, shape: StepShape, device: Device) -> Vec<Product> {
    let config = network.encoder;
    let (rows, length) = (shape.batch as i64, shape.length as i64);
    let (v, e, d) = (config.vocab_size, config.embedding_size, config.hidden_size);
    let (f, heads) = (config.intermediate_size, config.num_attention_heads);
    // ModernBERT's attention to a window is counted as if it were to all tokens.
    let is_gated = config.architecture == Backbone::ModernBert;
    let tokens = rows * length;
    let weights = |m, k, n| Product { batch: None, m, k, n };
    let layer = |queries: i64| {
        let queried = rows * queries;
        let attention = |k, n| Product { batch: Some(rows * heads), m: queries, k, n };
        let begin = if network.positions != Positions::All {
            // Keys and values are another pass's.
            vec![weights(queried, d, d)]
        } else if queries == length {
            vec![weights(tokens, d, 3 * d)]
        } else {
            vec![weights(queried, d, d), weights(tokens, d, 2 * d)]
        };
        let rest = [
            attention(d / heads, length),
            attention(length, d / heads),
            weights(queried, d, d),
            weights(queried, d, if is_gated { 2 * f } else { f }),
            weights(queried, f, d),
        ];
        begin.into_iter().chain(rest)
    };
    let masked = shape.masked.round() as i64;
    let of_row = |positions: Positions| match positions {
        Positions::All => length,
        Positions::Masked => masked,
        Positions::AllOfOneRowIn(dealt) => masked + (length - masked) / i64::from(dealt),
    };
    let count = |positions: &Positions| rows * of_row(*positions);
    let own = of_row(network.positions);
    let mut products = Vec::new();
    if e != d {
        products.push(weights(rows * own, e, d));
    }
    let is_masked = |head: &Head| {
        let (Head::Vocabulary(positions)
        | Head::TwoTowers(positions)
        | Head::Discriminator(positions)
        | Head::Gate(positions)) = head;
        *positions == Positions::Masked
    };
    let last_queries = if device.is_cuda() || !network.heads.iter().all(is_masked) { own } else { masked };
    for index in 1..=config.num_hidden_layers {
        products.extend(layer(if index == config.num_hidden_layers { last_queries } else { own }));
    }
    for head in network.heads {
        match head {
            Head::Vocabulary(positions) => {
                products.extend([weights(count(positions), d, e), weights(count(positions), e, v)]);
            }
            Head::TwoTowers(positions) => {
                products.extend([weights(count(positions), 2 * d, e), weights(count(positions), e, v)]);
            }
            Head::Discriminator(positions) => {
                products.extend([weights(count(positions), d, d), weights(count(positions), d, 1)]);
            }
            Head::Gate(positions) => products.push(weights(count(positions), d, 1)),
        }
    }
    products
}

impl Operands {
    fn new(product: Product, kind: Kind, device: Device) -> Self {
        let Product { batch, m, k, n } = product;
        let random = |rows, columns| {
            let shape: Vec<i64> = batch.into_iter().chain([rows, columns]).collect();
            Tensor::rand(shape, (kind, device))
        };
        Self {
            product,
            a: random(m, k),
            b: random(n, k),
            c: random(m, n),
            gradient: random(m, n),
            a_gradient: random(m, k),
            b_gradient: random(n, k),
        }
    }

    fn forward(&mut self) {
        let _ = self.a.matmul_out(&self.c, &self.b.transpose(-2, -1));
    }

    fn backward(&mut self) {
        let _ = self.gradient.matmul_out(&self.a_gradient, &self.b);
        let _ = self.gradient.transpose(-2, -1).matmul_out(&self.b_gradient, &self.a);
    }
}
