//! The noise of Electric: a cloze model of two causal towers (Clark et al. 2020, arXiv 2012.08561, §2.3).

use std::cell::RefCell;

use electra_config::ModelConfig;
use electra_encoder::{Attention, Embeddings, Encoder, EncoderConfig, Input, Select};
use electra_objective::{
    DeviceBatch, Metrics, VocabularyHead, chunked_sum, mean, prediction, rows_in_memory,
};
use electra_torch::{log_likelihood_alone, sample};
use tch::{Kind, Tensor, nn};

/// q(token | the tokens left of it, the tokens right of it): two encoders, one that reads from left to right and one from
/// right to left, whose outputs beside a position are put together.
#[derive(Debug)]
pub(crate) struct TwoTowers {
    left_to_right: Encoder,
    right_to_left: Encoder,
    head: VocabularyHead,
    temperature: f64,
}

/// A text with noise in.
pub(crate) struct Noise {
    /// `[B, L]` int64: the original ids with the samples in.
    pub(crate) input_ids: Tensor,
    /// `[B, L]` float32, without a graph: log q of these ids.
    pub(crate) log_q: Tensor,
    /// −log q of the original tokens of the text, averaged over them: a scalar.
    pub(crate) loss: Tensor,
    /// The same at the masked positions alone.
    pub(crate) masked_lm_loss: Tensor,
    /// `noise_loss`, and `masked_lm_*` and `sampled_masked_lm_accuracy` of the masked positions.
    pub(crate) metrics: Metrics,
}

impl TwoTowers {
    /// Towers of the size of `config.generator` under `p`, whose embeddings are shared with `embeddings` as `config.tied` says.
    pub(crate) fn new(p: &nn::Path<'_>, config: &ModelConfig, embeddings: &Embeddings) -> Self {
        let size = &config.generator;
        let tower = |name: &str| {
            let p = p / name / "electra";
            let shared = embeddings.share(config.tied, &(&p / "embeddings"), size);
            Encoder::with_embeddings(&p, size, shared)
        };
        let (left_to_right, right_to_left) = (tower("left_to_right"), tower("right_to_left"));
        let both = EncoderConfig { hidden_size: 2 * size.hidden_size, ..size.clone() };
        let head = VocabularyHead::new(p, &both, left_to_right.embeddings().word_embeddings());
        Self { left_to_right, right_to_left, head, temperature: config.temperature }
    }

    /// Samples at the masked positions of a batch, and q of all its tokens; it is trained where `text` is true.
    ///
    /// # Shapes
    /// `text` bool `[B, L]`, `total` scalar
    pub(crate) fn forward_t(&self, batch: &DeviceBatch, text: &Tensor, total: &Tensor, train: bool) -> Noise {
        let transformed = self.head.transform(&self.beside(batch, train)); // [B, L, E]
        let (loss, log_q) = self.likelihood(&transformed, batch, text);
        let loss = loss / total;

        let (positions, targets) = (batch.column("masked_positions"), batch.targets()); // [B, N]
        let (valid, slots) = (batch.column("masked_valid"), batch.total("masked_valid"));
        let (logits, sampled) = tch::no_grad(|| {
            let index = positions.unsqueeze(-1).expand([-1, -1, transformed.size()[2]], false);
            let (table, bias) = self.head.table();
            let logits = transformed.gather(1, &index, false).linear(table, Some(bias)); // [B, N, V]
            let sampled = match batch.get("sampled_ids") {
                Some(sampled) => sampled.shallow_clone(),
                None => sample(&(&logits / self.temperature), batch.column("uniforms")),
            };
            (logits, sampled)
        });
        let log_p = logits.log_softmax(-1, Kind::Float); // [B, N, V]
        let of = |ids: &Tensor| log_p.gather(2, &ids.unsqueeze(-1), false).squeeze_dim(-1); // [B, N]
        let masked_lm_loss = -mean(&of(&targets), valid, slots);
        let written = sampled.where_self(valid, &targets);
        // An unused slot writes back the value at its position.
        let log_q_written = of(&written).where_self(valid, &log_q.gather(1, positions, false));
        let metrics = prediction(&logits, &targets, valid, slots, &masked_lm_loss);
        Noise {
            input_ids: batch.input_ids.scatter(1, positions, &written),
            log_q: log_q.scatter(1, positions, &log_q_written),
            metrics: metrics.and(shares(&loss, &sampled.eq_tensor(&targets), valid, slots)),
            loss,
            masked_lm_loss,
        }
    }

    /// The output of the one tower left of each position, and of the other right of it; 0 where nothing stands there.
    ///
    /// # Shapes
    /// → `[B, L, 2 D]`
    fn beside(&self, batch: &DeviceBatch, train: bool) -> Tensor {
        let tokens = &batch.attention_mask;
        let length = tokens.size()[1];
        let forwards = Input { attention: Attention::Causal(tokens), ..batch.original() };
        let left = self.left_to_right.forward_select_t(&forwards, Select::Unpadded, train); // [B, L, D]
        // Padding attends to itself, for it has to attend to something.
        let square = Tensor::ones([length, length], (Kind::Bool, tokens.device()));
        let itself = Tensor::eye(length, (Kind::Bool, tokens.device()));
        let after = tokens.unsqueeze(1).logical_and(&square.triu(0)).logical_or(&itself); // [B, L, L]
        let backwards = Input { attention: Attention::Pairs(&after), ..batch.original() };
        let right = self.right_to_left.forward_select_t(&backwards, Select::All, train); // [B, L, D]
        let right = right * tokens.unsqueeze(-1);
        let left = left.narrow(1, 0, length - 1).constant_pad_nd([0, 0, 1, 0]);
        let right = right.narrow(1, 1, length - 1).constant_pad_nd([0, 0, 0, 1]);
        Tensor::cat(&[left, right], -1)
    }

    /// Σ −log q of the tokens of the text, and log q `[B, L]` of all tokens, without a graph; at padding it means nothing. Logits exist for
    /// one chunk of positions at a time.
    fn likelihood(&self, transformed: &Tensor, batch: &DeviceBatch, text: &Tensor) -> (Tensor, Tensor) {
        let tokens = batch.attention_mask.flatten(0, 1); // [B L]
        // On a GPU all rows are taken, for how many are tokens is not known there without waiting for it.
        let counted = (!tokens.device().is_cuda()).then(|| tokens.nonzero().squeeze_dim(-1));
        let rows = |tensor: &Tensor| match &counted {
            Some(counted) => tensor.flatten(0, 1).index_select(0, counted),
            None => tensor.flatten(0, 1),
        }; // [R, …]
        let (table, bias) = self.head.table();
        let weights = rows(text).to_kind(Kind::Float);
        let chunk = rows_in_memory(table.size()[0], table.device());
        let values = RefCell::new(Vec::new());
        let sum = chunked_sum(
            &[&rows(transformed), &rows(&batch.input_ids), &weights],
            &[table, bias],
            chunk,
            |rows, shared| {
                let [transformed, targets, weights] = rows else { unreachable!("as handed in") };
                let log_q = log_likelihood_alone(transformed, &shared[0], &shared[1], targets); // [chunk]
                // The chunks come in order.
                values.borrow_mut().push(log_q.detach());
                -(log_q * weights).sum(Kind::Float)
            },
        );
        let values = Tensor::cat(&values.into_inner(), 0).to_kind(Kind::Float); // [R]
        let log_q = match &counted {
            Some(counted) => values
                .new_zeros(tokens.size(), (Kind::Float, tokens.device()))
                .index_copy(0, counted, &values),
            None => values,
        };
        (sum, log_q.view_as(&batch.attention_mask))
    }
}

/// `noise_loss` and `sampled_masked_lm_accuracy`, over the whole step.
fn shares(loss: &Tensor, right: &Tensor, valid: &Tensor, slots: &Tensor) -> Metrics {
    let [loss, right, valid, slots] = [loss, right, valid, slots].map(Tensor::detach);
    Metrics::shares(move || {
        vec![("noise_loss", loss), ("sampled_masked_lm_accuracy", mean(&right, &valid, &slots))]
    })
}
