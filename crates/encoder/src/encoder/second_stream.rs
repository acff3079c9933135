//! The second of two streams through the same layers (XLNet, Yang et al. 2019, arXiv 1906.08237, §2.3).

use electra_torch::{Attention, Select, encoder_layer, encoder_layers};
use tch::Tensor;

use super::{Encoder, Input, Layer, Layers};

/// Queries that know where they stand and not what stands there.
#[derive(Clone, Copy, Debug)]
pub struct SecondStream<'a> {
    /// The token whose embedding stands for the unknown ones: `[MASK]`.
    pub word: i64,
    /// The position of each query, int64 `[B, N]`.
    pub positions: &'a Tensor,
    /// Which positions of the first stream each query attends to, bool `[B, N, L]`: at least one.
    pub attended: &'a Tensor,
}

impl Encoder {
    /// The hidden states of the queries after the last layer. In each layer they attend to what the first stream, which is
    /// the input's own, has before that layer. The first stream's last layer is not computed, as nothing reads it.
    ///
    /// # Shapes
    /// `[B, L]` → `[B, N, D]`
    ///
    /// # Panics
    /// As [`forward_t`](Self::forward_t), or if positions are rotary, as ModernBERT's are, or the stream's shapes do not fit.
    pub fn second_stream_t(&self, input: &Input<'_>, stream: SecondStream<'_>, train: bool) -> Tensor {
        let SecondStream { word, positions, attended } = stream;
        let unknown = input.input_ids.full_like(word);
        let embedded = self.embeddings.forward_t(&Input { input_ids: &unknown, ..*input }, train); // [B, L, E]
        let index = positions.unsqueeze(-1).expand([-1, -1, embedded.size()[2]], false);
        let queries = self.project(embedded.gather(1, &index, false)); // [B, N, D]
        let settings = self.settings(train);
        let Layers::Electra(layers) = &self.layers else {
            panic!("a second stream through ModernBERT's layers")
        };
        let last = layers.len() - 1;
        let layers = layers.iter().map(Layer::parameters).enumerate();
        let (queries, _) =
            layers.fold((queries, self.first(input, train)), |(queries, x), (index, layer)| {
                let queries = encoder_layer(&queries, &x, Attention::Pairs(attended), settings, layer);
                let x = if index == last {
                    x
                } else {
                    encoder_layers(&x, input.attention, Select::All, settings, &[layer])
                };
                (queries, x)
            });
        queries
    }
}
