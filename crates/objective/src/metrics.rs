//! Diagnostics of a step, under the reference's names.

use tch::{Kind, Tensor};

use crate::{Metrics, mean};

/// The name of the loss of masked language modelling in nats: a generator's, or the encoder's own where nothing else predicts
/// from `[MASK]`.
pub const MASKED_LM_LOSS: &str = "masked_lm_loss";
/// The name of the loss in nats of predicting each token from those before it.
pub const LM_LOSS: &str = "lm_loss";
/// The name of the area under the discriminator's ROC curve.
pub const DISC_AUC: &str = "disc_auc";
/// The name of the share of replaced tokens that the discriminator calls replaced.
pub const DISC_RECALL: &str = "disc_recall";

/// How well a vocabulary head predicts: `masked_lm_loss`, `masked_lm_accuracy`, and `masked_lm_entropy`, the
/// mean entropy of the predictions in nats. Means over the whole step.
///
/// # Shapes
/// `logits` `[…, V]`, `targets` int64 `[…]`, `weights` `[…]`, `total` and `loss` scalars
#[must_use]
pub fn prediction(
    logits: &Tensor,
    targets: &Tensor,
    weights: &Tensor,
    total: &Tensor,
    loss: &Tensor,
) -> Metrics {
    let (logits, loss) = (logits.detach(), loss.detach());
    let [targets, weights, total] = [targets, weights, total].map(Tensor::shallow_clone);
    Metrics::shares(move || {
        let log_p = logits.log_softmax(-1, Kind::Float);
        let entropy = -(log_p.exp() * &log_p).sum_dim_intlist(-1, false, Kind::Float);
        let right = logits.argmax(-1, false).eq_tensor(&targets);
        vec![
            (MASKED_LM_LOSS, loss),
            ("masked_lm_accuracy", mean(&right, &weights, &total)),
            ("masked_lm_entropy", mean(&entropy, &weights, &total)),
        ]
    })
}

/// How well replaced tokens are told from original ones. Over the whole step: `disc_loss` and `disc_accuracy`. Over the rows
/// at hand, averaged where a step has parts: `disc_precision` and `disc_recall` of "replaced" at probability one half,
/// `disc_auc`, and `disc_label_entropy`, the loss in nats of the best constant answer: a loss near it has learnt nothing.
///
/// # Shapes
/// `logits`, `replaced` (bool), `weights` (0 or 1): one shape; `total` and `loss` scalars
#[must_use]
pub fn detection(
    logits: &Tensor,
    replaced: &Tensor,
    weights: &Tensor,
    total: &Tensor,
    loss: &Tensor,
) -> Metrics {
    let (logits, loss) = (logits.detach(), loss.detach());
    let (replaced, weights) = (replaced.shallow_clone(), weights.to_kind(Kind::Bool));
    let accuracy = {
        let [logits, replaced, weights, total] =
            [&logits, &replaced, &weights, total].map(Tensor::shallow_clone);
        Metrics::shares(move || {
            let right = logits.gt(0.0).eq_tensor(&replaced);
            vec![("disc_loss", loss), ("disc_accuracy", mean(&right, &weights, &total))]
        })
    };
    accuracy.and(Metrics::averages(move || {
        let logits = logits.masked_select(&weights).to_kind(Kind::Float);
        let replaced = replaced.masked_select(&weights);
        let answer = logits.gt(0.0);
        let hits = answer.logical_and(&replaced).sum(Kind::Float);
        let at_least_one = |count: Tensor| count.clamp_min(1.0);
        let rate = replaced.to_kind(Kind::Float).mean(Kind::Float);
        let rest: Tensor = 1.0 - &rate;
        vec![
            ("disc_precision", &hits / at_least_one(answer.sum(Kind::Float))),
            (DISC_RECALL, &hits / at_least_one(replaced.sum(Kind::Float))),
            (DISC_AUC, auc(&logits, &replaced)),
            ("disc_label_entropy", -(rate.xlogy(&rate) + rest.xlogy(&rest))),
        ]
    }))
}

/// The area under the ROC curve: the probability that a positive has a larger score than a negative, ties
/// counting one half. NaN if there are no positives or no negatives.
///
/// # Shapes
/// `scores` float `[n]`, `positive` bool `[n]` → scalar, float32
pub fn auc(scores: &Tensor, positive: &Tensor) -> Tensor {
    let positive = positive.to_kind(Kind::Double);
    let n = scores.size()[0];
    let positives = positive.sum(Kind::Double);
    let negatives = n as f64 - &positives;
    // The sum of ranks, once with the positives last and once with them first among equals: its mean gives
    // equals their mean rank.
    let rank_sum = |descending: bool| {
        let by_label = positive.argsort_stable(true, 0, descending);
        let (scores, positive) = (scores.index_select(0, &by_label), positive.index_select(0, &by_label));
        let by_score = scores.argsort_stable(true, 0, false);
        let ranks = Tensor::arange_start(1, n + 1, (Kind::Double, scores.device()));
        (positive.index_select(0, &by_score) * ranks).sum(Kind::Double)
    };
    let ranks = (rank_sum(false) + rank_sum(true)) / 2.0;
    let least = &positives * (&positives + 1.0) / 2.0;
    ((ranks - least) / (positives * negatives)).to_kind(Kind::Float)
}
