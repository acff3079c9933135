//! What is put on top of an encoder to fine-tune it.
//!
//! Shapes: B rows, L length, D hidden size, C classes.

use electra_encoder::{Backbone, EncoderConfig, LayerNorm, Linear, dropout};
use tch::{Kind, Tensor, nn};

use crate::config::{Form, HeadShape, Pooling};

/// What is predicted of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// One of these classes for the whole text.
    Classes(Vec<String>),
    /// Any of these labels for the whole text: `multi_label_classification`.
    MultiLabel(Vec<String>),
    /// A number for the whole text.
    Value,
    /// One of these classes for each word.
    Words(Vec<String>),
    /// A start and an end in the text.
    Spans,
    /// One of several texts.
    Choice,
}

impl Problem {
    /// What is predicted, for messages.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Classes(_) => "a class of the whole",
            Self::MultiLabel(_) => "several labels of the whole",
            Self::Value => "a number",
            Self::Words(_) => "a class of each word",
            Self::Spans => "answers in a text",
            Self::Choice => "one of several choices",
        }
    }

    /// Logits that a row, or a token of it, has.
    pub(crate) fn outputs(&self) -> i64 {
        match self {
            Self::Classes(labels) | Self::MultiLabel(labels) | Self::Words(labels) => labels.len() as i64,
            Self::Value | Self::Choice => 1,
            Self::Spans => 2,
        }
    }
}

/// A head, its parameters under the names that transformers gives them.
#[derive(Debug)]
pub(crate) enum TaskHead {
    /// Pooled → dropout → linear: the paper's. transformers has no such class.
    Linear { classifier: Linear, pooling: Pooling },
    /// Pooled → dropout → dense → GELU → dropout → linear: `ElectraForSequenceClassification`.
    Dense { dense: Linear, out_proj: Linear, pooling: Pooling },
    /// Every token → dropout → linear: `ElectraForTokenClassification`.
    Tokens { classifier: Linear },
    /// Every token → linear: `ElectraForQuestionAnswering`, but that padding can be neither start nor end, as
    /// in the reference. Its head for SQuAD 2.0, which predicts the end given the start, is not built.
    Spans { qa_outputs: Linear },
    /// `[CLS]` → dense → GELU → dropout → linear, one number a row: `ElectraForMultipleChoice`.
    Choice { summary: Linear, classifier: Linear },
    /// What it reads → dense → GELU → LayerNorm → dropout → linear: the classes `ModernBertFor…`.
    ModernBert { dense: Linear, norm: LayerNorm, classifier: Linear, of: Of },
}

/// What a head on ModernBERT predicts of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    /// A pooled row.
    Row(Pooling),
    /// Every token.
    Tokens,
    /// Every token, but that padding can be neither start nor end.
    Spans,
}

impl TaskHead {
    /// A head under `p`, the path of the whole network.
    pub(crate) fn new(p: &nn::Path<'_>, config: &EncoderConfig, problem: &Problem, form: Form) -> Self {
        let pooling = form.pooling;
        let (size, outputs) = (config.hidden_size, problem.outputs());
        let classifier = p / "classifier";
        if let (Backbone::ModernBert, Some(of)) = (config.architecture, of(problem, form)) {
            let head = p / "head";
            return Self::ModernBert {
                dense: Linear::without_bias(&(&head / "dense"), size, size),
                norm: LayerNorm::without_bias(&(&head / "norm"), size, config.layer_norm_eps),
                classifier: Linear::new(&classifier, size, outputs),
                of,
            };
        }
        match problem {
            Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value => match form.head {
                HeadShape::Paper => {
                    Self::Linear { classifier: Linear::new(&classifier, size, outputs), pooling }
                }
                HeadShape::Transformers => Self::Dense {
                    dense: Linear::new(&(&classifier / "dense"), size, size),
                    out_proj: Linear::new(&(&classifier / "out_proj"), size, outputs),
                    pooling,
                },
            },
            Problem::Words(_) => Self::Tokens { classifier: Linear::new(&classifier, size, outputs) },
            Problem::Spans => Self::Spans { qa_outputs: Linear::new(&(p / "qa_outputs"), size, outputs) },
            Problem::Choice => Self::Choice {
                summary: Linear::new(&(p / "sequence_summary" / "summary"), size, size),
                classifier: Linear::new(&classifier, size, outputs),
            },
        }
    }

    /// What it looks at. Of words all have logits, as transformers gives them; at padding they mean nothing.
    pub(crate) fn reads(&self) -> Reads {
        match self {
            Self::Linear { pooling: Pooling::Cls, .. }
            | Self::Dense { pooling: Pooling::Cls, .. }
            | Self::Choice { .. }
            | Self::ModernBert { of: Of::Row(Pooling::Cls), .. } => Reads::First,
            Self::Linear { .. }
            | Self::Dense { .. }
            | Self::Spans { .. }
            | Self::ModernBert { of: Of::Row(_) | Of::Spans, .. } => Reads::Tokens,
            Self::Tokens { .. } | Self::ModernBert { of: Of::Tokens, .. } => Reads::All,
        }
    }

    /// Logits of every row, or of every token of it.
    ///
    /// # Shapes
    /// `hidden` [B, L, D], or [B, 1, D] if it reads the first vector alone, `mask` [B, L] → [B, C], or [B, L, C] for tokens
    /// and spans
    pub(crate) fn forward_t(&self, hidden: &Tensor, mask: &Tensor, rate: f64, train: bool) -> Tensor {
        match self {
            Self::Linear { classifier, pooling } => {
                classifier.forward(&dropout(pooled(hidden, mask, *pooling), rate, train))
            }
            Self::Dense { dense, out_proj, pooling } => {
                let x = dense.forward(&dropout(pooled(hidden, mask, *pooling), rate, train)).gelu("none");
                out_proj.forward(&dropout(x, rate, train))
            }
            Self::Tokens { classifier } => classifier.forward(&dropout(hidden.shallow_clone(), rate, train)),
            Self::Spans { qa_outputs } => without_padding(&qa_outputs.forward(hidden), mask),
            Self::ModernBert { dense, norm, classifier, of } => {
                let read = match of {
                    Of::Row(pooling) => pooled(hidden, mask, *pooling),
                    Of::Tokens | Of::Spans => hidden.shallow_clone(),
                };
                let x = norm.forward(&dense.forward(&read).gelu("none"));
                let logits = classifier.forward(&dropout(x, rate, train));
                if matches!(of, Of::Spans) { without_padding(&logits, mask) } else { logits }
            }
            Self::Choice { summary, classifier } => {
                let x = summary.forward(&hidden.select(1, 0)).gelu("none");
                classifier.forward(&dropout(x, rate, train))
            }
        }
    }
}

/// What the head of a problem is on ModernBERT; none where it is the paper's linear layer.
fn of(problem: &Problem, form: Form) -> Option<Of> {
    match problem {
        Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value => {
            (form.head == HeadShape::Transformers).then_some(Of::Row(form.pooling))
        }
        Problem::Words(_) => Some(Of::Tokens),
        Problem::Spans => Some(Of::Spans),
        Problem::Choice => Some(Of::Row(Pooling::Cls)),
    }
}

/// −∞ at padding: [B, L, C] → the same.
fn without_padding(logits: &Tensor, mask: &Tensor) -> Tensor {
    logits.masked_fill(&mask.logical_not().unsqueeze(-1), f64::NEG_INFINITY)
}

/// The hidden states that a head looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// `[CLS]`'s.
    First,
    /// All but padding's.
    Tokens,
    /// All.
    All,
}

/// The vector of a row: [B, L, D] → [B, D].
fn pooled(hidden: &Tensor, mask: &Tensor, pooling: Pooling) -> Tensor {
    match pooling {
        Pooling::Cls => hidden.select(1, 0),
        Pooling::Mean => {
            let weights = mask.to_kind(hidden.kind()).unsqueeze(-1); // [B, L, 1]
            let count = weights.sum_dim_intlist(1, false, hidden.kind()); // [B, 1]
            (hidden * weights).sum_dim_intlist(1, false, hidden.kind()) / count
        }
    }
}

/// What `ElectraFor…` of transformers computes as the loss of a batch.
///
/// # Shapes
/// as `TaskNetwork::forward_t` gives `logits`; `labels` [B], int64 or for a number float32; [B, C] float32 of 0 and 1 for
/// several labels; [B, L] with −100 where there is none; [B, 2] for a start and an end
pub(crate) fn loss(problem: &Problem, logits: &Tensor, labels: &Tensor) -> Tensor {
    match problem {
        Problem::Classes(_) | Problem::Choice => logits.cross_entropy_for_logits(labels),
        // The mean over rows and labels.
        Problem::MultiLabel(_) => {
            logits.binary_cross_entropy_with_logits::<Tensor>(labels, None, None, tch::Reduction::Mean)
        }
        Problem::Value => logits.squeeze_dim(-1).mse_loss(labels, tch::Reduction::Mean),
        Problem::Words(classes) => {
            let flat = logits.reshape([-1, classes.len() as i64]);
            let class_weights: Option<&Tensor> = None;
            flat.cross_entropy_loss(&labels.reshape([-1]), class_weights, tch::Reduction::Mean, -100, 0.0)
        }
        // The mean of the two losses of −log softmax over the positions.
        Problem::Spans => {
            let loss_of = |side| logits.select(-1, side).cross_entropy_for_logits(&labels.select(1, side));
            (loss_of(0) + loss_of(1)) * 0.5
        }
    }
}

/// The logits of rows as those of examples of several rows each: where an example has fewer than the most,
/// −∞ stands for what it lacks.
///
/// # Shapes
/// `logits` [rows, 1], `slots` [B, most] int64, a row's index or −1 → [B, most]
pub(crate) fn choices(logits: &Tensor, slots: &Tensor) -> Tensor {
    let missing = slots.lt(0);
    let found = logits.squeeze_dim(-1).index_select(0, &slots.clamp_min(0).reshape([-1]));
    found.reshape(slots.size()).to_kind(Kind::Float).masked_fill(&missing, f64::NEG_INFINITY)
}
