//! Layers of `ModernBERT` (Warner et al., 2024), as `ModernBertModel` of transformers computes them. B batch, L length, D
//! hidden size, F feed-forward size, H heads, A = D / H.

use super::{Attention, Rotary, Select, by_kernels, check_rate, dropout};
use crate::dropout::with_keys;
use crate::ffi;
use crate::flash::{Sequences, flash_attention};
use std::cell::OnceCell;
use tch::{Kind, Tensor};

/// What a layer of `ModernBERT` is made of: its parameters under the names of a checkpoint, and the attention that it has.
#[derive(Debug, Clone, Copy)]
pub struct ModernBertLayer<'a> {
    /// `attn_norm`, `[D]`; the first layer has none.
    pub attention_norm: Option<&'a Tensor>,
    /// `attn.Wqkv`, `[3 D, D]`.
    pub wqkv: &'a Tensor,
    /// `attn.Wo`, `[D, D]`.
    pub attention_wo: &'a Tensor,
    /// `mlp_norm`, `[D]`.
    pub mlp_norm: &'a Tensor,
    /// `mlp.Wi`, `[2 F, D]`: what goes through the GELU, then what it is multiplied by.
    pub mlp_wi: &'a Tensor,
    /// `mlp.Wo`, `[D, F]`.
    pub mlp_wo: &'a Tensor,
    /// Its rotary positions; A is even.
    pub rotary: Rotary,
    /// The most places between a token and those that it attends to; none where it attends to all.
    pub window: Option<i64>,
}

/// What layers of `ModernBERT` have in common.
#[derive(Debug, Clone, Copy)]
pub struct ModernBertSettings {
    /// H; divides D.
    pub heads: i64,
    /// Added to the variance in every `LayerNorm`.
    pub eps: f64,
    /// Probability that one of the attention's probabilities is set to 0, or a number of what the attention adds, from 0 to
    /// below 1.
    pub attention_dropout: f64,
    /// The same of what the feed-forward part multiplies by its last matrix.
    pub mlp_dropout: f64,
}

/// Layers of `ModernBERT`, one on top of the other, and the `LayerNorm` behind the last, if it is there.
///
/// No part has a bias. With padding among the tokens a place is still the place in the row.
///
/// Kernels compute a whole network's layers at [`Attention::Keys`], as those of [`encoder_layers`](super::encoder_layers) do and
/// with the same limits: the first layer has no `LayerNorm` before its attention, the others have one, and one is behind the last.
///
/// # Shapes
/// `x` `[B, L, D]` → `[B, L, D]`, or at positions `[B, N]` `[B, N, D]`
///
/// # Panics
/// If the shapes do not fit, a position is not below L, or a rate is not from 0 to below 1.
pub fn modernbert_layers(
    x: &Tensor,
    attention: Attention<'_>,
    select: Select<'_>,
    settings: ModernBertSettings,
    layers: &[ModernBertLayer<'_>],
    final_norm: Option<&Tensor>,
) -> Tensor {
    check_rate("attention_dropout", settings.attention_dropout);
    check_rate("mlp_dropout", settings.mlp_dropout);
    layers.iter().for_each(|layer| layer.rotary.check());
    let is_whole = !layers.is_empty()
        && layers
            .iter()
            .enumerate()
            .all(|(index, layer)| layer.attention_norm.is_some() == (index > 0) && !layer.rotary.interleaved);
    by_kernels(|level| match (attention, final_norm) {
        (Attention::Keys(mask), Some(norm)) if is_whole => {
            with_keys(|keys| ffi::modernbert::layers(level, keys, x, mask, select, &settings, (layers, norm)))
        }
        _ => Ok(None),
    })
    .unwrap_or_else(|| formula(x, attention, select, settings, layers, final_norm))
}

fn formula(
    x: &Tensor,
    attention: Attention<'_>,
    select: Select<'_>,
    settings: ModernBertSettings,
    layers: &[ModernBertLayer<'_>],
    final_norm: Option<&Tensor>,
) -> Tensor {
    let mask = Mask {
        attention,
        length: x.size()[1],
        all: OnceCell::new(),
        near: OnceCell::new(),
        sequences: OnceCell::new(),
    };
    let x = layers.iter().fold(x.shallow_clone(), |x, parameters| layer(&x, &mask, settings, parameters));
    let x = final_norm.map_or_else(|| x.shallow_clone(), |norm| layer_norm(&x, norm, settings.eps));
    match select {
        Select::All | Select::Unpadded => x,
        Select::Positions(positions) => {
            let index = positions.unsqueeze(-1).expand([-1, -1, x.size()[2]], false);
            x.gather(1, &index, false)
        }
    }
}

/// x + Wo attention(norm(x)), then that + Wo (GELU(input) · gate) of its norm: `[B, L, D]` → `[B, L, D]`.
fn layer(
    x: &Tensor,
    mask: &Mask<'_>,
    settings: ModernBertSettings,
    parameters: &ModernBertLayer<'_>,
) -> Tensor {
    let ModernBertSettings { eps, attention_dropout, mlp_dropout, .. } = settings;
    let product = |x: &Tensor, weight: &Tensor| x.linear::<Tensor>(weight, None);
    let normed = parameters.attention_norm.map_or_else(|| x.shallow_clone(), |norm| layer_norm(x, norm, eps));
    let attended = self_attention(&normed, mask, settings, parameters);
    let x = x + dropout(product(&attended, parameters.attention_wo), attention_dropout);
    let normed = layer_norm(&x, parameters.mlp_norm, eps);
    let [input, gate] = halves(&product(&normed, parameters.mlp_wi)); // [B, L, F] each
    let inner = dropout(input.gelu("none") * gate, mlp_dropout);
    x + product(&inner, parameters.mlp_wo)
}

fn layer_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Tensor {
    x.layer_norm::<&Tensor>(weight.size(), Some(weight), None, eps, true)
}

fn halves(x: &Tensor) -> [Tensor; 2] {
    x.chunk(2, -1).try_into().expect("two halves")
}

/// softmax(Q Kᵀ / √A) V in H heads, Q and K turned by their places: `[B, L, D]` → `[B, L, D]`.
fn self_attention(
    x: &Tensor,
    mask: &Mask<'_>,
    settings: ModernBertSettings,
    parameters: &ModernBertLayer<'_>,
) -> Tensor {
    let ModernBertSettings { heads, attention_dropout: rate, .. } = settings;
    let size = x.size();
    let parts = x.linear::<Tensor>(parameters.wqkv, None).unflatten(-1, [3, heads, size[2] / heads]); // [B, L, 3, H, A]
    let [query, key, value] = [0, 1, 2].map(|part| parts.select(2, part)); // [B, L, H, A]
    let (query, key) = (parameters.rotary.turn(&query), parameters.rotary.turn(&key));
    let flash = match (mask.attention, parameters.window) {
        (Attention::Keys(keys), None) => {
            let sequences = || Ok(mask.sequences.get_or_init(|| made(keys)));
            flash_attention(&query, &key, &value, sequences, rate)
        }
        _ => Ok(None),
    };
    let attended = flash.unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| {
        let heads_first = |x: &Tensor| x.transpose(1, 2); // [B, H, L, A]
        let (query, key, value) = (heads_first(&query), heads_first(&key), heads_first(&value));
        let added = Some(mask.added(parameters.window, query.kind()));
        Tensor::scaled_dot_product_attention(&query, &key, &value, added, rate, false, None, false)
            .transpose(1, 2)
    }); // [B, L, H, A]
    attended.reshape(size.as_slice()) // [B, L, D]
}

fn made(keys: &Tensor) -> Sequences {
    Sequences::of_tokens_and_padding(keys).unwrap_or_else(|error| panic!("{error}"))
}

/// What may be attended to. What layers need of it is made once for all layers of a window.
struct Mask<'a> {
    attention: Attention<'a>,
    length: i64,
    all: OnceCell<Tensor>,
    near: OnceCell<(i64, Tensor)>,
    sequences: OnceCell<Sequences>,
}

impl Mask<'_> {
    /// What is added to the scores, 0 where a key may be attended to and −∞ where not: `[B, 1, 1 or L, L]`.
    fn added(&self, window: Option<i64>, kind: Kind) -> Tensor {
        match window {
            None => self.all.get_or_init(|| self.made(None, kind)).shallow_clone(),
            Some(window) => {
                let (known, near) = self.near.get_or_init(|| (window, self.made(Some(window), kind)));
                if *known == window { near.shallow_clone() } else { self.made(Some(window), kind) }
            }
        }
    }

    fn made(&self, window: Option<i64>, kind: Kind) -> Tensor {
        let length = self.length;
        let mut mask = match self.attention {
            Attention::Keys(keys) => keys.unsqueeze(1),
            Attention::Causal(keys) => {
                let before = keys.new_ones([length, length], (Kind::Bool, keys.device())).tril(0);
                keys.unsqueeze(1).logical_and(&before)
            }
            Attention::Pairs(pairs) => pairs.shallow_clone(),
        };
        if let Some(window) = window {
            let place = Tensor::arange(length, (Kind::Int64, mask.device()));
            let apart = (place.unsqueeze(1) - place).abs(); // [L, L]
            // Each sees itself, so that padding far from all tokens gives no NaN, which would spoil sums over keys.
            mask = mask.logical_and(&apart.le(window)).logical_or(&apart.eq(0));
        }
        let mask = mask.unsqueeze(1);
        Tensor::zeros(mask.size(), (kind, mask.device())).masked_fill(&mask.logical_not(), f64::NEG_INFINITY)
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
        /// Of every second layer from the second on.
        window: i64,
        /// 0: all, 1: unpadded, else so many positions less one.
        select: i64,
        /// Tokens among the positions of a row, besides its first.
        density: f64,
        seed: u64,
    }

    fn cases() -> impl Strategy<Value = Case> {
        // Rows of one piece and of several, which attention to a window takes by 64 queries.
        let length = prop_oneof![4 => 1..40_i64, 1 => 97..150_i64];
        let head_size = prop_oneof![Just(4_i64), Just(16), Just(20), Just(48)];
        // Windows within a piece, across pieces, and wider than a row.
        let window = prop_oneof![1..6_i64, 30..70_i64, Just(200)];
        let others = (1..40_i64, 1..4_usize, window, 0..5_i64, 0.1..1.2_f64, 0..u64::MAX / 2);
        (1..4_i64, length, 1..4_i64, head_size, others).prop_map(
            |(batch, length, heads, head_size, others)| {
                let (inner, layers, window, select, density, seed) = others;
                Case { batch, length, heads, head_size, inner, layers, window, select, density, seed }
            },
        )
    }

    impl Case {
        /// x, the parameters of each layer, the LayerNorm behind them, the mask and the positions.
        fn inputs(&self) -> Vec<Tensor> {
            let (d, f) = (self.heads * self.head_size, self.inner);
            let layer: [&[i64]; 6] = [&[d], &[3 * d, d], &[d, d], &[d], &[2 * f, d], &[d, f]];
            let mut seeds = self.seed + 1..;
            let mut seed = || seeds.next().expect("there are enough");
            let mut all = vec![numbers(&[self.batch, self.length, d], self.seed)];
            for _ in 0..self.layers {
                all.extend(layer.iter().map(|shape| numbers(shape, seed()) * 0.4));
            }
            all.push(numbers(&[d], seed()));
            let tokens = ((numbers(&[self.batch, self.length], seed()) + 1.0) / 2.0).lt(self.density);
            let _ = tokens.narrow(1, 0, 1).fill_(1);
            all.push(tokens);
            all.push(ids(&[self.batch, (self.select - 1).max(1)], self.length, seed()));
            all
        }

        /// The output where a token is, else 0.
        fn output(&self, p: &[Tensor], rate: f64) -> Tensor {
            let [.., norm, tokens, positions] = p else { panic!("a LayerNorm, a mask and positions") };
            let layers: Vec<_> = p[1..p.len() - 3]
                .chunks(6)
                .enumerate()
                .map(|(index, p)| ModernBertLayer {
                    attention_norm: (index > 0).then_some(&p[0]),
                    wqkv: &p[1],
                    attention_wo: &p[2],
                    mlp_norm: &p[3],
                    mlp_wi: &p[4],
                    mlp_wo: &p[5],
                    rotary: Rotary { theta: 100.0 * (index + 1) as f64, interleaved: false },
                    window: (index % 2 == 1).then_some(self.window),
                })
                .collect();
            let select = match self.select {
                0 => Select::All,
                1 => Select::Unpadded,
                _ => Select::Positions(positions),
            };
            let settings = ModernBertSettings {
                heads: self.heads,
                eps: 1e-2,
                attention_dropout: rate,
                mlp_dropout: rate,
            };
            let output =
                modernbert_layers(&p[0], Attention::Keys(tokens), select, settings, &layers, Some(norm));
            // The first layer has no LayerNorm before it: so that what is not looked at has a gradient, of 0.
            let output = output + p[1].sum(None) * 0.0;
            match self.select {
                0 => output,
                1 => output * tokens.unsqueeze(-1),
                _ => output * tokens.gather(1, positions, false).unsqueeze(-1),
            }
        }

        /// As [`output`](Self::output), of all positions only where a token is.
        fn of_tokens(&self, p: &[Tensor], rate: f64) -> Tensor {
            let output = self.output(p, rate);
            // Padding that no token is near to is computed in two ways.
            if self.select == 0 { output * p[p.len() - 2].unsqueeze(-1) } else { output }
        }
    }

    #[test]
    fn every_level_computes_the_formula() {
        assert_levels_agree("modernbert_layers", cases(), Case::inputs, |case, p| case.of_tokens(p, 0.0));
    }

    #[test]
    fn every_level_rounds_to_bfloat16_in_products_alone() {
        assert_levels_round("modernbert_layers", cases(), Case::inputs, |case, p| case.of_tokens(p, 0.0));
    }

    #[test]
    fn kernels_drop_the_same_at_every_level() {
        let seed = |case: &Case| case.seed;
        assert_levels_drop("modernbert_layers", cases(), Case::inputs, seed, |case, p, rate| {
            case.of_tokens(p, rate)
        });
    }

    /// A mask by pairs says the same as a window, and the LayerNorm of the next layer as the last one.
    #[test]
    fn a_window_is_a_mask_of_pairs() {
        let case = Case {
            batch: 2,
            length: 9,
            heads: 2,
            head_size: 4,
            inner: 6,
            layers: 2,
            window: 2,
            select: 0,
            density: 1.0,
            seed: 5,
        };
        let p = case.inputs();
        let place = Tensor::arange(9, (Kind::Int64, tch::Device::Cpu));
        let near = (place.unsqueeze(1) - &place).abs().le(2).unsqueeze(0).expand([2, 9, 9], false);
        let settings = ModernBertSettings { heads: 2, eps: 1e-2, attention_dropout: 0.0, mlp_dropout: 0.0 };
        let layer = |window| ModernBertLayer {
            attention_norm: Some(&p[1]),
            wqkv: &p[2],
            attention_wo: &p[3],
            mlp_norm: &p[4],
            mlp_wi: &p[5],
            mlp_wo: &p[6],
            rotary: Rotary { theta: 100.0, interleaved: false },
            window,
        };
        let tokens = Tensor::ones([2, 9], (Kind::Bool, tch::Device::Cpu));
        let run = |attention, window| {
            modernbert_layers(&p[0], attention, Select::All, settings, &[layer(window)], None)
        };
        let by_window = run(Attention::Keys(&tokens), Some(2));
        let off = |other: &Tensor| (&by_window - other).abs().max().double_value(&[]);
        assert!(off(&run(Attention::Pairs(&near), None)) < 1e-6);
        assert!(off(&run(Attention::Keys(&tokens), None)) > 1e-3);
        // Before and at a query, at most two places away: of a window too.
        let both = near.logical_and(&place.unsqueeze(1).ge_tensor(&place).unsqueeze(0));
        let causal = run(Attention::Causal(&tokens), Some(2));
        assert!((causal - run(Attention::Pairs(&both), None)).abs().max().double_value(&[]) < 1e-6);
    }
}
