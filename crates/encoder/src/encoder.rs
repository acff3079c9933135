//! The Transformer encoder of BERT and ELECTRA, from leaf to root.
//!
//! Post-LayerNorm as in BERT: every sub-layer is LayerNorm(x + dropout(f(x))). One class serves as generator
//! and as discriminator. Shapes: B batch, L length, E embedding size, D hidden size, F feed-forward size,
//! H heads, A = D / H, V vocabulary.

use std::cell::OnceCell;

use electra_config::{EncoderConfig, Tied};
use electra_torch::{
    EmbeddingParameters, LayerParameters, LayerSettings, Select, Sequences, flash_attention,
};
use tch::{Kind, Tensor, nn};

use crate::layers::{LayerNorm, Linear, dropout, table};

/// One batch as the encoder takes it, all three `[B, L]` on the parameters' device.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Token ids, int64, each below `vocab_size`.
    pub input_ids: &'a Tensor,
    /// Bool: true at tokens, false at padding. Each row needs a true. On a GPU in half precision padding comes last.
    pub attention_mask: &'a Tensor,
    /// Segment of each token, int64, each below `type_vocab_size`.
    pub token_type_ids: &'a Tensor,
}

/// LayerNorm(word + position + token type).
#[derive(Debug)]
pub struct Embeddings {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    token_type_embeddings: Tensor,
    layer_norm: LayerNorm,
    dropout: f64,
}

impl Embeddings {
    /// Tables of its own under `p`, which is at `….electra.embeddings`.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let word = table(&(p / "word_embeddings"), config.vocab_size, config.embedding_size);
        Self::with_word_embeddings(word, p, config)
    }

    fn with_word_embeddings(word_embeddings: Tensor, p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let size = config.embedding_size;
        Self {
            word_embeddings,
            position_embeddings: table(&(p / "position_embeddings"), config.max_position_embeddings, size),
            token_type_embeddings: table(&(p / "token_type_embeddings"), config.type_vocab_size, size),
            layer_norm: LayerNorm::new(&(p / "LayerNorm"), size, config.layer_norm_eps),
            dropout: config.hidden_dropout_prob,
        }
    }

    /// The embeddings of a second encoder: what is tied is the same parameters, the rest is created under
    /// `p`, which is at that encoder's `….electra.embeddings`.
    ///
    /// # Panics
    /// If what is tied has another shape in `config`.
    #[must_use]
    pub fn share(&self, tied: Tied, p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let size = config.embedding_size;
        let same = |table: &Tensor, rows| {
            assert_eq!(table.size(), [rows, size], "a tied table of another shape");
            table.shallow_clone()
        };
        match tied {
            Tied::AllEmbeddings => Self {
                word_embeddings: same(&self.word_embeddings, config.vocab_size),
                position_embeddings: same(&self.position_embeddings, config.max_position_embeddings),
                token_type_embeddings: same(&self.token_type_embeddings, config.type_vocab_size),
                layer_norm: self.layer_norm.share(),
                dropout: config.hidden_dropout_prob,
            },
            Tied::WordOnly => {
                Self::with_word_embeddings(same(&self.word_embeddings, config.vocab_size), p, config)
            }
            Tied::None => Self::new(p, config),
        }
    }

    /// The word table `[V, E]`, for a vocabulary head that is tied to it.
    pub fn word_embeddings(&self) -> &Tensor {
        &self.word_embeddings
    }

    /// # Shapes
    /// `[B, L]` → `[B, L, E]`
    ///
    /// # Panics
    /// If L exceeds `max_position_embeddings`, or a tensor has the wrong shape or kind.
    pub fn forward_t(&self, input: &Input<'_>, train: bool) -> Tensor {
        let (batch, length) = checked_shape(input);
        let most = self.position_embeddings.size()[0];
        assert!(length <= most, "{length} tokens in a row, and max_position_embeddings is {most}");
        let size = self.word_embeddings.size()[1];
        if let Some(output) = self.fused(input, train) {
            return output;
        }

        // No row stands apart: with padding_idx the row of [PAD] would never learn, and the reference's does.
        let look_up = |table: &Tensor, ids: &Tensor| Tensor::embedding(table, ids, -1, false, false);
        let word = look_up(&self.word_embeddings, input.input_ids); // [B, L, E]
        let token_type = look_up(&self.token_type_embeddings, input.token_type_ids); // [B, L, E]
        let position = self.position_embeddings.narrow(0, 0, length); // [L, E]
        let sum = word + token_type + position;
        debug_assert_eq!(sum.size(), [batch, length, size]);
        dropout(self.layer_norm.forward(&sum), self.dropout, train)
    }

    /// The same as one operation, where there is one for this device and precision.
    fn fused(&self, input: &Input<'_>, train: bool) -> Option<Tensor> {
        let parameters = EmbeddingParameters {
            word: &self.word_embeddings,
            token_type: &self.token_type_embeddings,
            position: &self.position_embeddings,
            layer_norm: self.layer_norm.affine(),
        };
        let dropout = if train { self.dropout } else { 0.0 };
        electra_torch::embed(input.input_ids, input.token_type_ids, self.layer_norm.eps, dropout, parameters)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// (B, L) of a batch whose three tensors agree.
fn checked_shape(input: &Input<'_>) -> (i64, i64) {
    let shape = input.input_ids.size();
    let [batch, length] = shape[..] else { panic!("input_ids is {shape:?}; expected [B, L]") };
    let tensors = [
        ("input_ids", input.input_ids, Kind::Int64),
        ("attention_mask", input.attention_mask, Kind::Bool),
        ("token_type_ids", input.token_type_ids, Kind::Int64),
    ];
    for (name, tensor, kind) in tensors {
        let found = (tensor.size(), tensor.kind());
        assert_eq!(found, (shape.clone(), kind), "{name} is of another shape or kind than expected");
    }
    (batch, length)
}

/// softmax(Q Kᵀ / √A) V in H heads (Vaswani et al., 2017).
#[derive(Debug)]
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    heads: i64,
    dropout: f64,
}

impl SelfAttention {
    fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let size = config.hidden_size;
        Self {
            query: Linear::new(&(p / "query"), size, size),
            key: Linear::new(&(p / "key"), size, size),
            value: Linear::new(&(p / "value"), size, size),
            heads: config.num_attention_heads,
            dropout: config.attention_probs_dropout_prob,
        }
    }

    /// `x` [B, L, D] → [B, L, D]
    fn forward_t(&self, x: &Tensor, keys: &Keys<'_>, train: bool) -> Tensor {
        let [batch, length, size] = x.size()[..] else { panic!("x is {:?}; expected [B, L, D]", x.size()) };
        let shape = [batch, length, self.heads, size / self.heads];
        let [query, key, value] = self.query_key_value(x).map(|x| x.view(shape)); // [B, L, H, A]
        let dropout = if train { self.dropout } else { 0.0 };
        let flash = flash_attention(&query, &key, &value, || keys.sequences(), dropout);
        let attended = flash.unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| {
            let heads = |x: Tensor| x.transpose(1, 2); // [B, H, L, A]
            let (query, key, value) = (heads(query), heads(key), heads(value));
            let added = Some(keys.added(x.kind()));
            Tensor::scaled_dot_product_attention(&query, &key, &value, added, dropout, false, None, false)
                .transpose(1, 2)
        }); // [B, L, H, A]
        attended.reshape([batch, length, size]) // [B, L, D]
    }

    /// [B, L, D] → three of [B, L, D]
    fn query_key_value(&self, x: &Tensor) -> [Tensor; 3] {
        let layers = [&self.query, &self.key, &self.value];
        if !x.device().is_cuda() {
            return layers.map(|layer| layer.forward(x));
        }
        // One product instead of three, for fewer starts (not measured).
        let weight = Tensor::cat(&layers.map(|layer| &layer.weight), 0); // [3 D, D]
        let bias = Tensor::cat(&layers.map(|layer| &layer.bias), 0); // [3 D]
        let parts = x.linear(&weight, Some(&bias)).chunk(3, -1);
        parts.try_into().expect("three parts of 3 D")
    }
}

/// LayerNorm(residual + dropout(W x + b)): how each of the two sub-layers of a layer ends.
#[derive(Debug)]
struct Output {
    dense: Linear,
    layer_norm: LayerNorm,
    dropout: f64,
}

impl Output {
    fn new(p: &nn::Path<'_>, inputs: i64, config: &EncoderConfig) -> Self {
        Self {
            dense: Linear::new(&(p / "dense"), inputs, config.hidden_size),
            layer_norm: LayerNorm::new(&(p / "LayerNorm"), config.hidden_size, config.layer_norm_eps),
            dropout: config.hidden_dropout_prob,
        }
    }

    /// `x` [B, L, inputs], `residual` [B, L, D] → [B, L, D]
    fn forward_t(&self, x: &Tensor, residual: &Tensor, train: bool) -> Tensor {
        self.layer_norm.forward(&(dropout(self.dense.forward(x), self.dropout, train) + residual))
    }
}

/// The keys that may be attended to. What layers need of them is made once for all.
struct Keys<'a> {
    /// [B, L]
    attention_mask: &'a Tensor,
    added: OnceCell<Tensor>,
    sequences: OnceCell<Sequences>,
}

impl<'a> Keys<'a> {
    fn new(attention_mask: &'a Tensor) -> Self {
        Self { attention_mask, added: OnceCell::new(), sequences: OnceCell::new() }
    }

    /// Tokens among themselves and padding among itself.
    fn sequences(&self) -> Result<&Sequences, electra_torch::Error> {
        if let Some(sequences) = self.sequences.get() {
            return Ok(sequences);
        }
        let made = Sequences::of_tokens_and_padding(self.attention_mask)?;
        Ok(self.sequences.get_or_init(|| made))
    }

    /// What is added to the scores, 0 where a key may be attended to and −∞ where not: [B, 1, 1, L].
    fn added(&self, kind: Kind) -> &Tensor {
        self.added.get_or_init(|| {
            let mask = self.attention_mask.unsqueeze(1).unsqueeze(1);
            Tensor::zeros(mask.size(), (kind, mask.device()))
                .masked_fill(&mask.logical_not(), f64::NEG_INFINITY)
        })
    }
}

/// Attention, then a feed-forward network.
#[derive(Debug)]
struct Layer {
    attention: SelfAttention,
    attention_output: Output,
    intermediate: Linear,
    output: Output,
}

impl Layer {
    fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let (size, inner) = (config.hidden_size, config.intermediate_size);
        Self {
            attention: SelfAttention::new(&(p / "attention" / "self"), config),
            attention_output: Output::new(&(p / "attention" / "output"), size, config),
            intermediate: Linear::new(&(p / "intermediate" / "dense"), size, inner),
            output: Output::new(&(p / "output"), inner, config),
        }
    }

    /// `x` [B, L, D] → [B, L, D]
    fn forward_t(&self, x: &Tensor, keys: &Keys<'_>, train: bool) -> Tensor {
        let attended = self.attention.forward_t(x, keys, train);
        let x = self.attention_output.forward_t(&attended, x, train);
        // The exact GELU, x Φ(x), as the Hub's "gelu"; the reference approximates Φ by a tanh.
        let inner = self.intermediate.forward(&x).gelu("none"); // [B, L, F]
        self.output.forward_t(&inner, &x, train)
    }

    fn parameters(&self) -> LayerParameters<'_> {
        LayerParameters {
            query: self.attention.query.affine(),
            key: self.attention.key.affine(),
            value: self.attention.value.affine(),
            attention_output: self.attention_output.dense.affine(),
            attention_layer_norm: self.attention_output.layer_norm.affine(),
            intermediate: self.intermediate.affine(),
            output: self.output.dense.affine(),
            layer_norm: self.output.layer_norm.affine(),
        }
    }
}

/// The vectors at positions of each row.
///
/// # Shapes
/// `[B, L, D]` and int64 `[B, N]` → `[B, N, D]`
fn vectors_at(x: &Tensor, positions: &Tensor) -> Tensor {
    let index = positions.unsqueeze(-1).expand([-1, -1, x.size()[2]], false);
    x.gather(1, &index, false)
}

/// The encoder: embeddings, then `num_hidden_layers` layers.
#[derive(Debug)]
pub struct Encoder {
    embeddings: Embeddings,
    /// Where E ≠ D.
    embeddings_project: Option<Linear>,
    layers: Vec<Layer>,
    config: EncoderConfig,
}

impl Encoder {
    /// An encoder with embeddings of its own, under `p`, which is at `….electra`.
    ///
    /// Its parameters have no values yet: [`initialise`](crate::initialise()) it or load a checkpoint.
    ///
    /// # Panics
    /// If the heads do not divide the hidden size; [`EncoderConfig::validate`] says so as an error.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        Self::with_embeddings(p, config, Embeddings::new(&(p / "embeddings"), config))
    }

    /// An encoder over embeddings that another one may have too: see [`Embeddings::share`].
    ///
    /// # Panics
    /// If the heads do not divide the hidden size, or the embeddings are of another size than the config's.
    #[must_use]
    pub fn with_embeddings(p: &nn::Path<'_>, config: &EncoderConfig, embeddings: Embeddings) -> Self {
        let (size, embedding_size) = (config.hidden_size, config.embedding_size);
        assert_eq!(size % config.num_attention_heads, 0, "the heads do not divide hidden_size");
        let found = embeddings.word_embeddings.size();
        assert_eq!(
            found,
            [config.vocab_size, embedding_size],
            "embeddings of another shape than the config's"
        );
        let layers = p / "encoder" / "layer";
        Self {
            embeddings,
            embeddings_project: (embedding_size != size)
                .then(|| Linear::new(&(p / "embeddings_project"), embedding_size, size)),
            layers: (0..config.num_hidden_layers)
                .map(|index| Layer::new(&(&layers / index), config))
                .collect(),
            config: config.clone(),
        }
    }

    /// The hidden states of the last layer. With `train`, dropout is on and draws from libtorch's generator.
    ///
    /// # Shapes
    /// `[B, L]` → `[B, L, D]`; what is computed at padding means nothing, and nothing else depends on it.
    ///
    /// # Panics
    /// If L exceeds `max_position_embeddings`, or a tensor has the wrong shape or kind.
    pub fn forward_t(&self, input: &Input<'_>, train: bool) -> Tensor {
        let (x, keys) = self.first(input, train);
        self.through(&self.layers, x, &keys, Select::All, train)
    }

    /// The hidden states of the last layer at the positions that are selected. On the CPU, in float32, the others are
    /// not computed.
    ///
    /// # Shapes
    /// `[B, L]` → `[B, L, D]`, or at positions `[B, N]` `[B, N, D]`
    ///
    /// # Panics
    /// As [`forward_t`](Self::forward_t), or if a position is not below L.
    pub fn forward_select_t(&self, input: &Input<'_>, select: Select<'_>, train: bool) -> Tensor {
        let (x, keys) = self.first(input, train);
        self.through(&self.layers, x, &keys, select, train)
    }

    /// The hidden states before the first layer and after each, so one more than there are layers.
    ///
    /// # Shapes
    /// `[B, L]` → each `[B, L, D]`
    ///
    /// # Panics
    /// As [`forward_t`](Self::forward_t).
    #[must_use]
    pub fn hidden_states_t(&self, input: &Input<'_>, train: bool) -> Vec<Tensor> {
        let (x, keys) = self.first(input, train);
        let mut states = vec![x];
        for layer in self.layers.chunks(1) {
            states.push(self.through(
                layer,
                states[states.len() - 1].shallow_clone(),
                &keys,
                Select::All,
                train,
            ));
        }
        states
    }

    /// The output of layers on top of each other, at some positions or at all: as one operation, where there is one
    /// for this device and precision.
    fn through(
        &self,
        layers: &[Layer],
        x: Tensor,
        keys: &Keys<'_>,
        select: Select<'_>,
        train: bool,
    ) -> Tensor {
        let rate = |rate: f64| if train { rate } else { 0.0 };
        let settings = LayerSettings {
            heads: self.config.num_attention_heads,
            eps: self.config.layer_norm_eps,
            hidden_dropout: rate(self.config.hidden_dropout_prob),
            attention_dropout: rate(self.config.attention_probs_dropout_prob),
        };
        let parameters: Vec<_> = layers.iter().map(Layer::parameters).collect();
        if !parameters.is_empty()
            && let Some(output) =
                electra_torch::encoder_layers(&x, keys.attention_mask, select, settings, &parameters)
                    .expect("the shapes are those that the layers were made for")
        {
            return output;
        }
        let x = layers.iter().fold(x, |x, layer| layer.forward_t(&x, keys, train));
        match select {
            Select::Positions(positions) => vectors_at(&x, positions),
            Select::All | Select::Unpadded => x,
        }
    }

    /// What the first layer sees: [B, L, D], and the keys of all layers.
    fn first<'a>(&self, input: &Input<'a>, train: bool) -> (Tensor, Keys<'a>) {
        let x = self.embeddings.forward_t(input, train); // [B, L, E]
        let x = match &self.embeddings_project {
            Some(project) => project.forward(&x), // [B, L, D]
            None => x,
        };
        (x, Keys::new(input.attention_mask))
    }

    /// The embeddings, for a head or a second encoder that shares them.
    #[must_use]
    pub fn embeddings(&self) -> &Embeddings {
        &self.embeddings
    }

    /// The configuration it was made from.
    #[must_use]
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }
}
