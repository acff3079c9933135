//! Causal language modelling: the GPT row of the comparison (Radford et al. 2018).

use electra_config::{Head, Positions, Scoring};
use electra_masking::MaskingConfig;
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{Clm, SPEC};

/// Causal language modelling.
///
/// Operations are counted as the program executes them: attention is computed to all keys and masked, and the head at all
/// positions of a row, its last one included.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "clm",
    title: "CLM (GPT)",
    paper: None,
    reads_masks: false,
    has_generator: false,
    scoring: Scoring::LogLikelihood,
    couples_rows: false,
    // Nothing is masked; the share is what budgets and cards of other objectives have there.
    masking: MaskingConfig::electra,
    networks: |model| model.alone(&[Head::Vocabulary(Positions::All)]).into(),
};

#[cfg(feature = "torch")]
mod network {
    use electra_data::{Cells, Column, Corpus, Error, Key, Row, View};
    use electra_encoder::{Attention, Encoder, Input, Select};
    use electra_objective::{
        DeviceBatch, ModelConfig, Objective, Output, Spec, VocabularyHead, build_encoder,
    };
    use tch::nn;

    use super::INFO;
    use crate::next_token::{NextToken, next_token};

    /// Causal language modelling.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: |_| Ok(Box::new(Continued)),
        build: |root, given| Ok(Box::new(Clm::new(root, given.model))),
    };

    /// The flags of the predicted positions, `[L]`: every token but the first.
    const CONTINUED: &str = "continued";

    /// The column [`CONTINUED`].
    #[derive(Debug)]
    struct Continued;

    impl View for Continued {
        fn columns(&self, length: usize) -> Vec<Column> {
            vec![Column::flags(CONTINUED, length)]
        }

        fn fill(&self, _corpus: &Corpus, _key: Key, row: &mut Row<'_>) -> Result<(), Error> {
            let length = row.length;
            let [Cells::Flags(continued)] = row.columns() else {
                unreachable!("the kinds are those that `columns` gives")
            };
            for (position, flag) in continued.iter_mut().enumerate() {
                *flag = (1..length).contains(&position);
            }
            Ok(())
        }
    }

    /// Each token is predicted from those before it.
    ///
    /// The encoder attends to a position and what stands before it, across the segments of a row. The head is that of
    /// masked language modelling. The loss is `−log p(x_t | x_<t)` averaged over all tokens but `[CLS]`, which nothing
    /// precedes: `[SEP]` is predicted, padding is not. Fine-tuning lets the same encoder attend to all tokens. Causal
    /// attention has no kernels of its own: its layers are computed by the formula.
    #[derive(Debug)]
    pub struct Clm {
        encoder: Encoder,
        head: VocabularyHead,
        weight: f64,
    }

    impl Clm {
        /// Its parameters lie under `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let encoder = build_encoder(root, config);
            let table = encoder.embeddings().word_embeddings();
            let head = VocabularyHead::new(&(root / "main"), &config.encoder, table);
            Self { head, encoder, weight: config.softmax_weight }
        }
    }

    impl Objective for Clm {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let attention = Attention::Causal(&batch.attention_mask);
            let input = Input { attention, ..batch.original() };
            let hidden = self.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
            let (continued, total) = (batch.column(CONTINUED), batch.total(CONTINUED));
            let NextToken { loss, metrics } =
                next_token(&self.head, &hidden, &batch.input_ids, continued, total);
            Output { loss: loss * self.weight, metrics }
        }
    }
}
