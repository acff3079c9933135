//! GPT-BERT: masked-next-token prediction and causal language modelling in one network (Charpentier and Samuel 2024, arXiv
//! 2410.24159).

use electra_config::{Head, Positions, Scoring};
use electra_masking::MaskingConfig;
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{GptBert, SPEC};

/// One row in so many is causal, as in the paper's winning mixture.
const ROWS_TO_A_CAUSAL_ONE: u32 = 16;

/// GPT-BERT.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "gpt-bert",
    title: "GPT-BERT",
    paper: None,
    reads_masks: true,
    has_generator: false,
    scoring: Scoring::MaskedNextToken,
    couples_rows: false,
    masking: MaskingConfig::bert,
    networks: |model| model.alone(&[Head::Vocabulary(Positions::AllOfOneRowIn(ROWS_TO_A_CAUSAL_ONE))]).into(),
};

#[cfg(feature = "torch")]
mod network {
    use electra_data::{Cells, Column, Corpus, Error, Key, Row, View};
    use electra_encoder::{Attention, Encoder, Input, Select};
    use electra_masking::Stream;
    use electra_objective::{
        BoxError, DeviceBatch, Given, Inspection, Metrics, ModelConfig, Objective, Output, Spec,
        VocabularyHead, build_encoder, mean, prediction,
    };
    use tch::{Kind, Tensor, nn};

    use super::{INFO, ROWS_TO_A_CAUSAL_ONE};
    use crate::next_token::{NextToken, next_token};
    use crate::unweighted::unweighted_masks;

    /// GPT-BERT.
    pub const SPEC: Spec =
        Spec { info: INFO, view, build: |root, given| Ok(Box::new(GptBert::new(root, given.model))) };

    /// Which rows are causal: key (seed, step, example).
    const DEAL: Stream = Stream::named(b"gpt-bert");

    /// Columns of one flag: whether the row is causal, whether it is masked, and true.
    const CAUSAL_ROWS: &str = "causal_rows";
    const MASKED_ROWS: &str = "masked_rows";
    const ROWS: &str = "rows";
    /// The positions that causal rows predict, `[L]` flags.
    const CONTINUED: &str = "continued";

    /// The columns of masks, then [`CONTINUED`], [`CAUSAL_ROWS`], [`MASKED_ROWS`], [`ROWS`]. A causal row has no masks.
    #[derive(Debug)]
    struct Dealt {
        masks: Box<dyn View>,
    }

    fn view(given: &Given<'_>) -> Result<Box<dyn View>, BoxError> {
        Ok(Box::new(Dealt { masks: unweighted_masks(INFO.name, given)? }))
    }

    impl View for Dealt {
        fn columns(&self, length: usize) -> Vec<Column> {
            let mut columns = self.masks.columns(length);
            columns.push(Column::flags(CONTINUED, length));
            columns.extend([CAUSAL_ROWS, MASKED_ROWS, ROWS].map(|name| Column::flags(name, 1)));
            columns
        }

        fn fill(&self, corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
            let (input_ids, length) = (row.input_ids, row.length);
            let is_causal = key.rng(DEAL).below(ROWS_TO_A_CAUSAL_ONE) == 0;
            let (mut masks, [_, _, _, _]) = row.split();
            self.masks.fill(corpus, key, &mut masks)?;
            let [
                Cells::Ids(masked_input_ids),
                Cells::Ids(_),
                Cells::Flags(masked_valid),
                Cells::Flags(masked_distinct),
                Cells::Reals(_),
                Cells::Flags(continued),
                Cells::Flags(causal_row),
                Cells::Flags(masked_row),
                Cells::Flags(any_row),
            ] = row.columns()
            else {
                unreachable!("the kinds are those that `columns` gives")
            };
            if is_causal {
                masked_input_ids.copy_from_slice(input_ids);
                masked_valid.fill(false);
                masked_distinct.fill(false);
            }
            for (position, flag) in continued.iter_mut().enumerate() {
                *flag = is_causal && (1..length).contains(&position);
            }
            (causal_row[0], masked_row[0], any_row[0]) = (is_causal, !is_causal, true);
            Ok(())
        }
    }

    /// One network that is both a masked and a causal language model.
    ///
    /// Of sixteen rows one is a text to be continued: it is not masked, its positions attend to themselves and what stands
    /// before them, and every token but the first is predicted. The others are masked and attend to all tokens, and their
    /// masked tokens are predicted. In both the token at t is predicted from the output at t − 1, by one head. Each loss is
    /// a mean over what it predicts, and counts by its share of the step's rows, as where each kind of row has processors of
    /// its own. Both kinds go through the encoder in one pass with an attention mask for each row. That has no kernels of
    /// its own: its layers are computed by the formula.
    #[derive(Debug)]
    pub struct GptBert {
        encoder: Encoder,
        head: VocabularyHead,
        weight: f64,
    }

    /// The two losses of a step, and what the first one's predictions are.
    struct Predicted {
        masked: Tensor,
        /// `[B, N, V]`
        logits: Tensor,
        /// `[B, N]`
        targets: Tensor,
        causal: NextToken,
    }

    impl GptBert {
        /// Its parameters lie under `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let encoder = build_encoder(root, config);
            let table = encoder.embeddings().word_embeddings();
            let head = VocabularyHead::new(&(root / "main"), &config.encoder, table);
            Self { head, encoder, weight: config.softmax_weight }
        }

        fn predict(&self, batch: &DeviceBatch, train: bool) -> Predicted {
            let pairs = attended(&batch.attention_mask, batch.column(CAUSAL_ROWS)); // [B, L, L]
            let input = Input { attention: Attention::Pairs(&pairs), ..batch.masked() };
            let hidden = self.encoder.forward_select_t(&input, Select::All, train); // [B, L, D]
            // [CLS] is never masked; an unused slot has its position.
            let before = (batch.column("masked_positions") - 1).clamp_min(0).unsqueeze(-1); // [B, N, 1]
            let at_masks = hidden.gather(1, &before.expand([-1, -1, hidden.size()[2]], false), false); // [B, N, D]
            let targets = batch.targets();
            let (log_p, logits) = self.head.log_likelihood(&at_masks, &targets);
            let masked = -mean(&log_p, batch.column("masked_valid"), batch.total("masked_valid"));
            let (continued, total) = (batch.column(CONTINUED), batch.total(CONTINUED));
            let causal = next_token(&self.head, &hidden, &batch.input_ids, continued, total);
            Predicted { masked, logits, targets, causal }
        }
    }

    /// Which keys each query attends to: all tokens, and in causal rows those that do not stand after it.
    ///
    /// # Shapes
    /// bool `[B, L]`, `[B, 1]` → `[B, L, L]`
    fn attended(attention_mask: &Tensor, causal_rows: &Tensor) -> Tensor {
        let length = attention_mask.size()[1];
        let before = Tensor::ones([length, length], (Kind::Bool, attention_mask.device())).tril(0); // [L, L]
        let free = causal_rows.logical_not().unsqueeze(-1).logical_or(&before); // [B, L, L]
        attention_mask.unsqueeze(1).logical_and(&free)
    }

    impl Objective for GptBert {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let Predicted { masked, logits, targets, causal } = self.predict(batch, train);
            let (valid, slots) = (batch.column("masked_valid"), batch.total("masked_valid"));
            let metrics = prediction(&logits, &targets, valid, slots, &masked).and(causal.metrics);
            let share = |rows: &str| batch.total(rows) / batch.total(ROWS);
            let loss = masked * share(MASKED_ROWS) + causal.loss * share(CAUSAL_ROWS);
            let main_loss = loss.detach();
            let metrics = metrics.and(Metrics::shares(move || vec![("main_loss", main_loss)]));
            Output { loss: loss * self.weight, metrics }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            let masked = tch::no_grad(|| self.predict(batch, false).masked);
            Some(Inspection { masked_lm_loss: Some(masked), corrupted_ids: None, replaced_logits: None })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_causal_row_attends_to_what_stands_before_and_another_to_all_tokens() {
            let tokens =
                Tensor::from_slice(&[true, true, true, false, true, true, false, false]).view([2, 4]);
            let causal = Tensor::from_slice(&[true, false]).view([2, 1]);
            let found =
                Vec::<i64>::try_from(attended(&tokens, &causal).to_kind(Kind::Int64).view([-1])).unwrap();
            let first = [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0]];
            let second = [[1, 1, 0, 0]; 4];
            assert_eq!(found, [first, second].concat().concat());
        }

        #[test]
        fn a_sixteenth_of_the_rows_is_causal() {
            let is_causal =
                |example| Key { seed: 1, step: 2, example }.rng(DEAL).below(ROWS_TO_A_CAUSAL_ONE) == 0;
            let count = (0..16_000).filter(|&example| is_causal(example)).count();
            // 1,000 with a standard deviation of 31.
            assert!((900..1100).contains(&count), "{count}");
        }
    }
}
