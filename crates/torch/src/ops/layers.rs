//! Layers of BERT. B batch, L length, Q queries of an example, D hidden size, F feed-forward size, H heads, A
//! = D / H.

use super::{Affine, Rotary, by_kernels, check_rate, dropout};
use crate::dropout::with_keys;
use crate::flash::{Sequences, flash_attention};
use crate::{Error, ffi};
use std::cell::OnceCell;
use tch::{Kind, Tensor};

/// The parameters of a layer of BERT, under the names of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct LayerParameters<'a> {
    /// `attention.self.query`, `[D, D]`.
    pub query: Affine<'a>,
    /// `attention.self.key`, `[D, D]`.
    pub key: Affine<'a>,
    /// `attention.self.value`, `[D, D]`.
    pub value: Affine<'a>,
    /// `attention.output.dense`, `[D, D]`.
    pub attention_output: Affine<'a>,
    /// `attention.output.LayerNorm`.
    pub attention_layer_norm: Affine<'a>,
    /// `intermediate.dense`, `[F, D]`.
    pub intermediate: Affine<'a>,
    /// `output.dense`, `[D, F]`.
    pub output: Affine<'a>,
    /// `output.LayerNorm`.
    pub layer_norm: Affine<'a>,
}

/// What layers are beside their parameters.
#[derive(Debug, Clone, Copy)]
pub struct LayerSettings {
    /// H; divides D.
    pub heads: i64,
    /// Added to the variance in both `LayerNorm`s.
    pub eps: f64,
    /// Probability that a number of what either sub-layer adds is set to 0, from 0 to below 1.
    pub hidden_dropout: f64,
    /// The same of the attention's probabilities.
    pub attention_dropout: f64,
    /// Rotary positions, for which A is even; none where the input says where a token stands.
    pub rotary: Option<Rotary>,
}

/// Which keys each query attends to: bools, true where it does. Each query needs one.
#[derive(Debug, Clone, Copy)]
pub enum Attention<'a> {
    /// `[B, L]`: the same keys for all queries of an example, which are its tokens and not its padding.
    Keys(&'a Tensor),
    /// `[B, L]`: of these keys the ones at the query's position and before it.
    Causal(&'a Tensor),
    /// `[B, Q, L]`: keys of each query.
    Pairs(&'a Tensor),
}

/// The positions at which the output of layers is computed.
#[derive(Debug, Clone, Copy)]
pub enum Select<'a> {
    /// All positions, padding among them, as transformers has it.
    All,
    /// Tokens; where there is padding, the output is 0 or means nothing.
    Unpadded,
    /// These positions of each row, int64 `[B, N]`, and so of the last layer no others. At padding the output
    /// is 0 or means nothing.
    Positions(&'a Tensor),
}

/// Post-LayerNorm layers of BERT, one on top of the other.
///
/// Kernels compute attention to [`Attention::Keys`], as one operation whose matrix products are all that it
/// does slowly: what lies between two of them is a single pass, one node of the graph stands for some
/// twenty-five a layer, and what is not selected is not computed. A backward pass adds the gradients to those
/// of parameters that are leaves, as it does in any graph. One that is asked for the gradients of certain
/// tensors (`Tensor::run_backward`) finds that of `x`, and those of parameters not. There is a first
/// derivative and no second.
///
/// What the kernels drop is a function of three numbers a layer from libtorch's generator of the CPU,
/// whatever the number of threads, or as [`with_dropout_keys`](crate::with_dropout_keys) says.
///
/// # Shapes
/// `x` `[B, L, D]` → `[B, L, D]`, or at positions `[B, N]` `[B, N, D]`
///
/// # Panics
/// If the shapes do not fit, a position is not below L, or a rate is not from 0 to below 1.
pub fn encoder_layers(
    x: &Tensor,
    attention: Attention<'_>,
    select: Select<'_>,
    settings: LayerSettings,
    layers: &[LayerParameters<'_>],
) -> Tensor {
    settings.check();
    by_kernels(|level| match attention {
        Attention::Keys(mask) if !layers.is_empty() => with_keys(|keys| {
            let parameters: Vec<_> = layers.iter().map(LayerParameters::list).collect();
            ffi::layers::layers(level, keys, x, mask, select, &settings, &parameters)
        }),
        _ => Ok(None),
    })
    .unwrap_or_else(|| formula(x, attention, select, settings, layers))
}

/// A layer whose queries are other vectors than its keys and values: the second of two streams (`XLNet`, Yang
/// et al., 2019, §2.3) asks with the one and looks at the other. It has no kernels yet.
///
/// # Shapes
/// `queries` `[B, Q, D]`, `context` `[B, L, D]` → `[B, Q, D]`
///
/// # Panics
/// If the shapes do not fit, a rate is not from 0 to below 1, or positions are rotary and Q is not L.
pub fn encoder_layer(
    queries: &Tensor,
    context: &Tensor,
    attention: Attention<'_>,
    settings: LayerSettings,
    parameters: LayerParameters<'_>,
) -> Tensor {
    settings.check();
    layer(queries, context, &Mask::new(attention), settings, &parameters)
}

impl LayerSettings {
    fn check(&self) {
        check_rate("hidden_dropout", self.hidden_dropout);
        check_rate("attention_dropout", self.attention_dropout);
        if let Some(rotary) = self.rotary {
            rotary.check();
        }
    }
}

impl<'a> LayerParameters<'a> {
    fn list(&self) -> [&'a Tensor; ffi::layers::PARAMETERS] {
        let affine = [
            self.query,
            self.key,
            self.value,
            self.attention_output,
            self.attention_layer_norm,
            self.intermediate,
            self.output,
            self.layer_norm,
        ];
        let mut list = [self.query.weight; ffi::layers::PARAMETERS];
        for (pair, Affine { weight, bias }) in list.chunks_exact_mut(2).zip(affine) {
            (pair[0], pair[1]) = (weight, bias);
        }
        list
    }
}

fn formula(
    x: &Tensor,
    attention: Attention<'_>,
    select: Select<'_>,
    settings: LayerSettings,
    layers: &[LayerParameters<'_>],
) -> Tensor {
    let mask = Mask::new(attention);
    let x = layers.iter().fold(x.shallow_clone(), |x, parameters| layer(&x, &x, &mask, settings, parameters));
    match select {
        Select::All | Select::Unpadded => x,
        Select::Positions(positions) => {
            let index = positions.unsqueeze(-1).expand([-1, -1, x.size()[2]], false);
            x.gather(1, &index, false)
        }
    }
}

/// Attention, then a feed-forward network: `[B, Q, D]`, `[B, L, D]` → `[B, Q, D]`.
fn layer(
    queries: &Tensor,
    context: &Tensor,
    mask: &Mask<'_>,
    settings: LayerSettings,
    parameters: &LayerParameters<'_>,
) -> Tensor {
    let LayerSettings { eps, hidden_dropout, .. } = settings;
    // How each of the two ends: LayerNorm(residual + dropout(dense(x))).
    let add_norm = |dense: Affine<'_>, layer_norm: Affine<'_>, x: &Tensor, residual: &Tensor| {
        layer_norm.layer_norm(&(dropout(dense.linear(x), hidden_dropout) + residual), eps)
    };
    let attended = self_attention(queries, context, mask, settings, parameters);
    let x = add_norm(parameters.attention_output, parameters.attention_layer_norm, &attended, queries);
    // The exact GELU, x Φ(x), as the Hub's "gelu"; the reference approximates Φ by a tanh.
    let inner = parameters.intermediate.linear(&x).gelu("none"); // [B, Q, F]
    add_norm(parameters.output, parameters.layer_norm, &inner, &x)
}

/// softmax(Q Kᵀ / √A) V in H heads (Vaswani et al., 2017): `[B, Q, D]`, `[B, L, D]` → `[B, Q, D]`.
fn self_attention(
    queries: &Tensor,
    context: &Tensor,
    mask: &Mask<'_>,
    settings: LayerSettings,
    parameters: &LayerParameters<'_>,
) -> Tensor {
    let LayerSettings { heads, attention_dropout: rate, .. } = settings;
    let size = queries.size();
    let head_size = size[2] / heads;
    let [query, key, value] = query_key_value(queries, context, parameters)
        .map(|x| x.view([x.size()[0], x.size()[1], heads, head_size])); // [B, Q or L, H, A]
    let (query, key) = match settings.rotary {
        Some(rotary) => {
            assert_eq!(
                query.size()[1],
                key.size()[1],
                "rotary positions are of queries that are the context's"
            );
            (rotary.turn(&query), rotary.turn(&key))
        }
        None => (query, key),
    };
    let flash = match mask.attention {
        Attention::Keys(_) => flash_attention(&query, &key, &value, || mask.sequences(), rate),
        _ => Ok(None),
    };
    let attended = flash.unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| {
        let heads_first = |x: Tensor| x.transpose(1, 2); // [B, H, Q or L, A]
        let (query, key, value) = (heads_first(query), heads_first(key), heads_first(value));
        let added = Some(mask.added(query.kind()));
        Tensor::scaled_dot_product_attention(&query, &key, &value, added, rate, false, None, false)
            .transpose(1, 2)
    }); // [B, Q, H, A]
    attended.reshape(size.as_slice()) // [B, Q, D]
}

/// `[B, Q, D]` of the queries, two of `[B, L, D]` of the context.
fn query_key_value(queries: &Tensor, context: &Tensor, parameters: &LayerParameters<'_>) -> [Tensor; 3] {
    let affine = [parameters.query, parameters.key, parameters.value];
    if !queries.device().is_cuda() || !std::ptr::eq(queries, context) {
        let [query, key, value] = affine;
        return [query.linear(queries), key.linear(context), value.linear(context)];
    }
    // One product instead of three, for fewer starts (not measured).
    let weight = Tensor::cat(&affine.map(|affine| affine.weight), 0); // [3 D, D]
    let bias = Tensor::cat(&affine.map(|affine| affine.bias), 0); // [3 D]
    let parts = queries.linear(&weight, Some(&bias)).chunk(3, -1);
    parts.try_into().expect("three parts of 3 D")
}

/// The keys that may be attended to. What layers need of them is made once for all.
struct Mask<'a> {
    attention: Attention<'a>,
    added: OnceCell<Tensor>,
    sequences: OnceCell<Sequences>,
}

impl<'a> Mask<'a> {
    fn new(attention: Attention<'a>) -> Self {
        Self { attention, added: OnceCell::new(), sequences: OnceCell::new() }
    }

    /// Tokens among themselves and padding among itself.
    fn sequences(&self) -> Result<&Sequences, Error> {
        if let Some(sequences) = self.sequences.get() {
            return Ok(sequences);
        }
        let Attention::Keys(keys) = self.attention else { panic!("sequences are of keys") };
        let made = Sequences::of_tokens_and_padding(keys)?;
        Ok(self.sequences.get_or_init(|| made))
    }

    /// What is added to the scores, 0 where a key may be attended to and −∞ where not: `[B, 1, 1 or Q, L]`.
    fn added(&self, kind: Kind) -> &Tensor {
        self.added.get_or_init(|| {
            let mask = match self.attention {
                Attention::Keys(keys) => keys.unsqueeze(1),
                Attention::Causal(keys) => {
                    let length = keys.size()[1];
                    keys.unsqueeze(1)
                        .logical_and(&keys.new_ones([length, length], (Kind::Bool, keys.device())).tril(0))
                }
                Attention::Pairs(pairs) => pairs.shallow_clone(),
            };
            let mask = mask.unsqueeze(1);
            Tensor::zeros(mask.size(), (kind, mask.device()))
                .masked_fill(&mask.logical_not(), f64::NEG_INFINITY)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::levels::{assert_levels_agree, assert_levels_drop, assert_levels_round, ids, numbers};
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    struct Case {
        batch: i64,
        length: i64,
        heads: i64,
        head_size: i64,
        inner: i64,
        layers: usize,
        /// 0: all, 1: unpadded, else so many positions less one.
        select: i64,
        /// Tokens among the positions of a row, besides its first.
        density: f64,
        seed: u64,
        rotary: Option<Rotary>,
    }

    fn cases() -> impl Strategy<Value = Case> {
        // Short examples and long ones, which BLAS multiplies, and heads with and without kernels of their
        // own.
        let length = prop_oneof![4 => 1..40_i64, 1 => 97..110_i64];
        let head_size = prop_oneof![Just(4_i64), Just(16), Just(20), Just(48)];
        let rotary = (any::<bool>(), 10.0..20_000.0_f64)
            .prop_map(|(interleaved, theta)| Rotary { theta, interleaved });
        let others =
            (1..40_i64, 1..3_usize, 0..5_i64, 0.1..1.2_f64, 0..u64::MAX / 2, proptest::option::of(rotary));
        (1..4_i64, length, 1..4_i64, head_size, others).prop_map(
            |(batch, length, heads, head_size, others)| {
                let (inner, layers, select, density, seed, rotary) = others;
                Case { batch, length, heads, head_size, inner, layers, select, density, seed, rotary }
            },
        )
    }

    impl Case {
        /// x, the parameters of each layer, the mask and the positions.
        fn inputs(&self) -> Vec<Tensor> {
            let (d, f) = (self.heads * self.head_size, self.inner);
            let (square, vector) = ([d, d], [d]);
            let (wide, high, inner) = ([f, d], [d, f], [f]);
            let (s, v): (&[i64], &[i64]) = (&square, &vector);
            let layer = [s, v, s, v, s, v, s, v, v, v, &wide, &inner, &high, v, v, v];
            let mut seeds = self.seed + 1..;
            let mut seed = || seeds.next().expect("there are enough");
            let mut all = vec![numbers(&[self.batch, self.length, d], self.seed)];
            for _ in 0..self.layers {
                all.extend(layer.iter().map(|shape| numbers(shape, seed()) * 0.4));
            }
            let tokens = ((numbers(&[self.batch, self.length], seed()) + 1.0) / 2.0).lt(self.density);
            let _ = tokens.narrow(1, 0, 1).fill_(1);
            all.push(tokens);
            all.push(ids(&[self.batch, (self.select - 1).max(1)], self.length, seed()));
            all
        }

        /// The output where a token is, else 0.
        fn output(&self, p: &[Tensor], rate: f64) -> Tensor {
            let [.., tokens, positions] = p else { panic!("a mask and positions") };
            let layers: Vec<_> = p[1..p.len() - 2].chunks(16).map(parameters).collect();
            let select = match self.select {
                0 => Select::All,
                1 => Select::Unpadded,
                _ => Select::Positions(positions),
            };
            let settings = LayerSettings {
                heads: self.heads,
                eps: 1e-2,
                hidden_dropout: rate,
                attention_dropout: rate,
                rotary: self.rotary,
            };
            let output = encoder_layers(&p[0], Attention::Keys(tokens), select, settings, &layers);
            match self.select {
                0 => output,
                1 => output * tokens.unsqueeze(-1),
                _ => output * tokens.gather(1, positions, false).unsqueeze(-1),
            }
        }
    }

    fn parameters(p: &[Tensor]) -> LayerParameters<'_> {
        let affine = |index: usize| Affine { weight: &p[2 * index], bias: &p[2 * index + 1] };
        LayerParameters {
            query: affine(0),
            key: affine(1),
            value: affine(2),
            attention_output: affine(3),
            attention_layer_norm: affine(4),
            intermediate: affine(5),
            output: affine(6),
            layer_norm: affine(7),
        }
    }

    #[test]
    fn every_level_computes_the_formula() {
        assert_levels_agree("encoder_layers", cases(), Case::inputs, |case, p| case.output(p, 0.0));
    }

    #[test]
    fn every_level_rounds_to_bfloat16_in_products_alone() {
        assert_levels_round("encoder_layers", cases(), Case::inputs, |case, p| case.output(p, 0.0));
    }

    #[test]
    fn kernels_drop_the_same_at_every_level() {
        let seed = |case: &Case| case.seed;
        assert_levels_drop("encoder_layers", cases(), Case::inputs, seed, |case, p, rate| {
            case.output(p, rate)
        });
    }
}
