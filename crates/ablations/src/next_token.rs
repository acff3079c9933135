//! The next token's likelihood at many positions, whatever the memory of its logits.

use electra_objective::{Metrics, VocabularyHead, chunked_sum, rows_in_memory};
use electra_torch::log_likelihood_alone;
use tch::{Kind, Tensor};

/// A loss, and what else is known of the predictions.
pub(crate) struct NextToken {
    /// −log p of the tokens that count, over `total`: a scalar.
    pub(crate) loss: Tensor,
    /// `lm_loss`, `lm_accuracy`, `lm_entropy`: means over the whole step.
    pub(crate) metrics: Metrics,
}

/// `−log p(x_t)`, predicted from the hidden state of position t − 1, where `predicted` is true at t; over `total`. Logits
/// exist for one chunk of positions at a time.
///
/// # Shapes
/// `hidden` `[B, L, D]`, `input_ids` int64 and `predicted` bool `[B, L]`, of which the first column is not looked at
pub(crate) fn next_token(
    head: &VocabularyHead,
    hidden: &Tensor,
    input_ids: &Tensor,
    predicted: &Tensor,
    total: &Tensor,
) -> NextToken {
    let last = input_ids.size()[1] - 1;
    let after_first = |tensor: &Tensor| tensor.narrow(1, 1, last).flatten(0, 1); // [B (L − 1)]
    let predicted = after_first(predicted);
    let counted = rows_that_count(&predicted);
    let rows = |tensor: Tensor| match &counted {
        Some(counted) => tensor.index_select(0, counted),
        None => tensor,
    }; // [R, …]
    let rows = Rows {
        transformed: head.transform(&rows(hidden.narrow(1, 0, last).flatten(0, 1))),
        targets: rows(after_first(input_ids)),
        weights: rows(predicted).to_kind(Kind::Float),
    };
    let loss = -rows.log_likelihood(head) / total;
    let metrics = rows.metrics(head, &loss, total);
    NextToken { loss, metrics }
}

/// The true flags of `[M]`. On a GPU all rows are taken, for how many are true is not known there without waiting for it.
fn rows_that_count(flags: &Tensor) -> Option<Tensor> {
    (!flags.device().is_cuda()).then(|| flags.nonzero().squeeze_dim(-1))
}

/// R positions that predict a token.
struct Rows {
    /// `[R, E]`
    transformed: Tensor,
    /// `[R]` int64
    targets: Tensor,
    /// `[R]` float32, 0 or 1
    weights: Tensor,
}

impl Rows {
    /// Σ of log p over the rows that count.
    fn log_likelihood(&self, head: &VocabularyHead) -> Tensor {
        let (table, bias) = head.table();
        let chunk = rows_in_memory(table.size()[0], table.device());
        let Self { transformed, targets, weights } = self;
        chunked_sum(&[transformed, targets, weights], &[table, bias], chunk, |rows, shared| {
            let [transformed, targets, weights] = rows else { unreachable!("as handed in") };
            let log_p = log_likelihood_alone(transformed, &shared[0], &shared[1], targets); // [chunk]
            (log_p * weights).sum(Kind::Float)
        })
    }

    fn metrics(self, head: &VocabularyHead, loss: &Tensor, total: &Tensor) -> Metrics {
        let (table, bias) = head.table();
        let [loss, table, bias, transformed] =
            [loss, table, bias, &self.transformed].map(tch::Tensor::detach);
        let (total, Self { targets, weights, .. }) = (total.shallow_clone(), self);
        Metrics::shares(move || {
            let chunk = rows_in_memory(table.size()[0], table.device());
            let sums = |value: &dyn Fn(&Tensor, &Tensor) -> Tensor| {
                chunked_sum(&[&transformed, &targets, &weights], &[], chunk, |rows, _| {
                    let logits = rows[0].linear(&table, Some(&bias)); // [chunk, V]
                    (value(&logits, &rows[1]).to_kind(Kind::Float) * &rows[2]).sum(Kind::Float)
                }) / &total
            };
            let accuracy = sums(&|logits, targets| logits.argmax(-1, false).eq_tensor(targets));
            let entropy = sums(&|logits, _| {
                let log_p = logits.log_softmax(-1, Kind::Float);
                -(log_p.exp() * &log_p).sum_dim_intlist(-1, false, Kind::Float)
            });
            vec![(electra_objective::LM_LOSS, loss), ("lm_accuracy", accuracy), ("lm_entropy", entropy)]
        })
    }
}
