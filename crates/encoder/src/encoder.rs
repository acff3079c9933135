//! The Transformer encoder of BERT and ELECTRA, from leaf to root, and around the layers of ModernBERT.
//!
//! Post-LayerNorm as in BERT: every sub-layer is LayerNorm(x + dropout(f(x))). One class serves as generator
//! and as discriminator. ModernBERT's layers are in `modernbert.rs`. The computations are in electra-torch, one function for each operation:
//! `embed` and `encoder_layers`. Shapes: B batch, L length, E embedding size, D hidden size, V vocabulary.

use electra_config::{Backbone, EncoderConfig, PositionEmbeddingType, Tied};
use electra_torch::{
    Attention, EmbeddingParameters, LayerParameters, LayerSettings, ModernBertSettings, Rotary, Select,
    embed, encoder_layers,
};
use tch::{Kind, Tensor, nn};

use crate::layers::{LayerNorm, Linear, parameter, table};
use crate::modernbert::ModernBert;
use crate::part::DELTA;

mod second_stream;

pub use second_stream::SecondStream;

/// One batch as the encoder takes it, on the parameters' device.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Token ids, int64 `[B, L]`, each below `vocab_size`.
    pub input_ids: &'a Tensor,
    /// Which positions each one attends to: of most inputs `Attention::Keys(mask)`, true at tokens and false
    /// at padding, which on a GPU in half precision comes last.
    pub attention: Attention<'a>,
    /// Segment of each token, int64 `[B, L]`, each below `type_vocab_size`.
    pub token_type_ids: &'a Tensor,
}

/// θ and pairs as in the paper (Su et al., 2021) and in the Hub's `RoFormer`.
const ROTARY: Rotary = Rotary { theta: 10_000.0, interleaved: true };

/// LayerNorm(word + position + token type), the position where it is absolute, and no token type in ModernBERT.
#[derive(Debug)]
pub struct Embeddings {
    word_embeddings: Tensor,
    position_embeddings: Option<Tensor>,
    token_type_embeddings: Tensor,
    layer_norm: LayerNorm,
    dropout: f64,
    /// The longest row.
    max_length: i64,
    /// What is added to the tables, which are another encoder's and stopped then.
    deltas: Option<Deltas>,
}

/// Tables that are added to those of another encoder (DeBERTaV3's `E_Δ`).
#[derive(Debug)]
struct Deltas {
    word: Tensor,
    position: Option<Tensor>,
    token_type: Option<Tensor>,
}

/// What the word table is called.
fn words(config: &EncoderConfig) -> &'static str {
    match config.architecture {
        Backbone::Electra => "word_embeddings",
        Backbone::ModernBert => "tok_embeddings",
    }
}

/// The LayerNorm of the embeddings under `p`, which is at `….electra.embeddings`.
fn norm(p: &nn::Path<'_>, config: &EncoderConfig) -> LayerNorm {
    let (size, eps) = (config.embedding_size, config.layer_norm_eps);
    match config.architecture {
        Backbone::Electra => LayerNorm::new(&(p / "LayerNorm"), size, eps),
        Backbone::ModernBert => LayerNorm::without_bias(&(p / "norm"), size, eps),
    }
}

impl Deltas {
    /// A parameter [`DELTA`] for each table under `p`, which is at `….electra.embeddings`.
    fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let absolute = config.position_embedding_type == PositionEmbeddingType::Absolute;
        let delta = |name: &str, rows| parameter(&(p / name), DELTA, &[rows, config.embedding_size], 0.0);
        Self {
            word: delta(words(config), config.vocab_size),
            position: absolute.then(|| delta("position_embeddings", config.max_position_embeddings)),
            token_type: (config.architecture == Backbone::Electra)
                .then(|| delta("token_type_embeddings", config.type_vocab_size)),
        }
    }
}

impl Embeddings {
    /// Tables of its own under `p`, which is at `….electra.embeddings`.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let word = table(&(p / words(config)), config.vocab_size, config.embedding_size);
        Self::with_word_embeddings(word, p, config)
    }

    fn with_word_embeddings(word_embeddings: Tensor, p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let size = config.embedding_size;
        let is_electra = config.architecture == Backbone::Electra;
        let absolute = config.position_embedding_type == PositionEmbeddingType::Absolute;
        Self {
            word_embeddings,
            position_embeddings: absolute
                .then(|| table(&(p / "position_embeddings"), config.max_position_embeddings, size)),
            // ModernBERT adds nothing for a token's type, whatever it is.
            token_type_embeddings: if is_electra {
                table(&(p / "token_type_embeddings"), config.type_vocab_size, size)
            } else {
                Tensor::zeros([config.type_vocab_size, size], (Kind::Float, p.device()))
            },
            layer_norm: norm(p, config),
            dropout: config.hidden_dropout_prob,
            max_length: config.max_position_embeddings,
            deltas: None,
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
        let all = |layer_norm: LayerNorm, deltas: Option<Deltas>| Self {
            word_embeddings: same(&self.word_embeddings, config.vocab_size),
            position_embeddings: (self.position_embeddings.as_ref())
                .map(|table| same(table, config.max_position_embeddings)),
            token_type_embeddings: same(&self.token_type_embeddings, config.type_vocab_size),
            layer_norm,
            dropout: config.hidden_dropout_prob,
            max_length: config.max_position_embeddings,
            deltas,
        };
        match tied {
            Tied::AllEmbeddings => all(self.layer_norm.share(), None),
            Tied::GradientDisentangled => all(norm(p, config), Some(Deltas::new(p, config))),
            Tied::WordOnly => {
                Self::with_word_embeddings(same(&self.word_embeddings, config.vocab_size), p, config)
            }
            Tied::None => Self::new(p, config),
        }
    }

    /// The word table `[V, E]`, for a vocabulary head that is tied to it. Of [`Tied::GradientDisentangled`] embeddings it is
    /// the other encoder's.
    pub fn word_embeddings(&self) -> &Tensor {
        &self.word_embeddings
    }

    /// # Shapes
    /// `[B, L]` → `[B, L, E]`
    ///
    /// # Panics
    /// If L exceeds `max_position_embeddings`, or a tensor has the wrong shape or kind.
    pub fn forward_t(&self, input: &Input<'_>, train: bool) -> Tensor {
        let length = checked_length(input);
        let most = self.max_length;
        assert!(length <= most, "{length} tokens in a row, and max_position_embeddings is {most}");
        let sum = |table: &Tensor, delta: Option<&Tensor>| match delta {
            Some(delta) => table.detach() + delta,
            None => table.shallow_clone(),
        };
        let deltas = self.deltas.as_ref();
        let word = sum(&self.word_embeddings, deltas.map(|deltas| &deltas.word)); // [V, E]
        let token_type =
            sum(&self.token_type_embeddings, deltas.and_then(|deltas| deltas.token_type.as_ref()));
        let position = self.position_embeddings.as_ref();
        let position = position.map(|table| sum(table, deltas.and_then(|deltas| deltas.position.as_ref())));
        let parameters = EmbeddingParameters {
            word: &word,
            token_type: &token_type,
            position: position.as_ref(),
            layer_norm: self.layer_norm.affine(),
        };
        let dropout = if train { self.dropout } else { 0.0 };
        embed(input.input_ids, input.token_type_ids, self.layer_norm.eps, dropout, parameters)
    }
}

/// L of a batch whose tensors agree.
fn checked_length(input: &Input<'_>) -> i64 {
    let shape = input.input_ids.size();
    let [batch, length] = shape[..] else { panic!("input_ids is {shape:?}; expected [B, L]") };
    let (mask, mask_shape) = match input.attention {
        Attention::Keys(keys) | Attention::Causal(keys) => (keys, vec![batch, length]),
        Attention::Pairs(pairs) => (pairs, vec![batch, length, length]),
    };
    let tensors = [
        ("input_ids", input.input_ids, shape.clone(), Kind::Int64),
        ("attention_mask", mask, mask_shape, Kind::Bool),
        ("token_type_ids", input.token_type_ids, shape, Kind::Int64),
    ];
    for (name, tensor, shape, kind) in tensors {
        let found = (tensor.size(), tensor.kind());
        assert_eq!(found, (shape, kind), "{name} is of another shape or kind than expected");
    }
    length
}

/// Queries, keys and values.
#[derive(Debug)]
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
}

impl SelfAttention {
    fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let size = config.hidden_size;
        Self {
            query: Linear::new(&(p / "query"), size, size),
            key: Linear::new(&(p / "key"), size, size),
            value: Linear::new(&(p / "value"), size, size),
        }
    }
}

/// LayerNorm(residual + dropout(W x + b)): how each of the two sub-layers of a layer ends.
#[derive(Debug)]
struct Output {
    dense: Linear,
    layer_norm: LayerNorm,
}

impl Output {
    fn new(p: &nn::Path<'_>, inputs: i64, config: &EncoderConfig) -> Self {
        Self {
            dense: Linear::new(&(p / "dense"), inputs, config.hidden_size),
            layer_norm: LayerNorm::new(&(p / "LayerNorm"), config.hidden_size, config.layer_norm_eps),
        }
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

/// The encoder: embeddings, then `num_hidden_layers` layers.
#[derive(Debug)]
pub struct Encoder {
    embeddings: Embeddings,
    /// Where E ≠ D.
    embeddings_project: Option<Linear>,
    layers: Layers,
    config: EncoderConfig,
}

#[derive(Debug)]
enum Layers {
    Electra(Vec<Layer>),
    ModernBert(ModernBert),
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
        let layers = match config.architecture {
            Backbone::Electra => {
                let p = p / "encoder" / "layer";
                let layer = |index| Layer::new(&(&p / index), config);
                Layers::Electra((0..config.num_hidden_layers).map(layer).collect())
            }
            Backbone::ModernBert => Layers::ModernBert(ModernBert::new(p, config)),
        };
        Self {
            embeddings,
            embeddings_project: (embedding_size != size)
                .then(|| Linear::new(&(p / "embeddings_project"), embedding_size, size)),
            layers,
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
        self.forward_select_t(input, Select::All, train)
    }

    /// The hidden states of the last layer at the positions that are selected. Kernels compute no others.
    ///
    /// # Shapes
    /// `[B, L]` → `[B, L, D]`, or at positions `[B, N]` `[B, N, D]`
    ///
    /// # Panics
    /// As [`forward_t`](Self::forward_t), or if a position is not below L.
    pub fn forward_select_t(&self, input: &Input<'_>, select: Select<'_>, train: bool) -> Tensor {
        let x = self.first(input, train);
        match &self.layers {
            Layers::Electra(layers) => {
                let layers: Vec<_> = layers.iter().map(Layer::parameters).collect();
                encoder_layers(&x, input.attention, select, self.settings(train), &layers)
            }
            Layers::ModernBert(layers) => {
                layers.forward(&x, input.attention, select, self.modernbert_settings(train))
            }
        }
    }

    /// The hidden states before the first layer and after each, so one more than there are layers. In ModernBERT the last are
    /// behind the LayerNorm that follows the layers, the others before any.
    ///
    /// # Shapes
    /// `[B, L]` → each `[B, L, D]`
    ///
    /// # Panics
    /// As [`forward_t`](Self::forward_t).
    #[must_use]
    pub fn hidden_states_t(&self, input: &Input<'_>, train: bool) -> Vec<Tensor> {
        let layers = match &self.layers {
            Layers::Electra(layers) => layers,
            Layers::ModernBert(layers) => {
                let first = self.first(input, train);
                return layers.hidden_states(first, input.attention, self.modernbert_settings(train));
            }
        };
        let mut states = vec![self.first(input, train)];
        for layer in layers {
            let x = &states[states.len() - 1];
            let layer = [layer.parameters()];
            states.push(encoder_layers(x, input.attention, Select::All, self.settings(train), &layer));
        }
        states
    }

    fn modernbert_settings(&self, train: bool) -> ModernBertSettings {
        let rate = |rate: f64| if train { rate } else { 0.0 };
        ModernBertSettings {
            heads: self.config.num_attention_heads,
            eps: self.config.layer_norm_eps,
            attention_dropout: rate(self.config.attention_probs_dropout_prob),
            mlp_dropout: rate(self.config.hidden_dropout_prob),
        }
    }

    fn settings(&self, train: bool) -> LayerSettings {
        let rate = |rate: f64| if train { rate } else { 0.0 };
        LayerSettings {
            heads: self.config.num_attention_heads,
            eps: self.config.layer_norm_eps,
            hidden_dropout: rate(self.config.hidden_dropout_prob),
            attention_dropout: rate(self.config.attention_probs_dropout_prob),
            rotary: match self.config.position_embedding_type {
                PositionEmbeddingType::Absolute => None,
                PositionEmbeddingType::Rotary => Some(ROTARY),
            },
        }
    }

    /// What the first layer sees, [B, L, D].
    fn first(&self, input: &Input<'_>, train: bool) -> Tensor {
        self.project(self.embeddings.forward_t(input, train)) // [B, L, E]
    }

    /// `[…, E]` → `[…, D]`
    fn project(&self, x: Tensor) -> Tensor {
        match &self.embeddings_project {
            Some(project) => project.forward(&x),
            None => x,
        }
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
