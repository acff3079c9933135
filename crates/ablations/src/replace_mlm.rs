//! Replace MLM (paper §3.5).

use electra_config::{Head, Positions, Scoring};
use electra_masking::MaskingConfig;
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{ReplaceMlm, SPEC};

/// Replace MLM as in the paper.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "replace-mlm",
    title: "Replace MLM",
    paper: Some(82.4),
    reads_masks: false,
    has_generator: true,
    scoring: Scoring::Unmasked,
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| model.with_generator(&[Head::Vocabulary(Positions::Masked)]).into(),
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::{Encoder, Select};
    use electra_objective::{
        Corruption, DeviceBatch, Inspection, ModelConfig, Objective, Output, Spec, VocabularyHead,
        build_with_generator, masked_lm_loss, masked_view, prediction, predicts_with_table,
    };
    use tch::nn;

    use super::INFO;

    /// Replace MLM as in the paper.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: masked_view,
        build: |root, given| {
            predicts_with_table(given.model)?;
            Ok(Box::new(ReplaceMlm::new(root, given.model)))
        },
    };

    /// Masked language modelling whose input holds samples of a generator where `[MASK]` would stand.
    ///
    /// The encoder predicts the original tokens at the masked positions from the corrupted text. It tests how much
    /// of ELECTRA's gain comes from never showing `[MASK]`, which fine-tuning never shows either.
    #[derive(Debug)]
    pub struct ReplaceMlm {
        corruption: Corruption,
        encoder: Encoder,
        head: VocabularyHead,
        gen_weight: f64,
        softmax_weight: f64,
    }

    impl ReplaceMlm {
        /// Its parameters lie under `root / "generator"` and `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let (generator, encoder) = build_with_generator(root, config);
            let table = encoder.embeddings().word_embeddings();
            Self {
                corruption: Corruption::Generator(Box::new(generator)),
                head: VocabularyHead::new(&(root / "main"), &config.encoder, table),
                encoder,
                gen_weight: config.gen_weight,
                softmax_weight: config.softmax_weight,
            }
        }
    }

    impl Objective for ReplaceMlm {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let hidden = self.encoder.forward_select_t(
                &input,
                Select::Positions(batch.column("masked_positions")),
                train,
            ); // [B, N, D]
            let targets = batch.targets();
            let (valid, slots) = (batch.column("masked_valid"), batch.total("masked_valid"));
            let (log_p, logits) = self.head.log_likelihood(&hidden, &targets); // [B, N], [B, N, V]
            let main_loss = masked_lm_loss(batch, &log_p);
            let metrics = prediction(&logits, &targets, valid, slots, &main_loss).prefixed("main_");
            let loss = main_loss * self.softmax_weight + corrupted.weighted_gen_loss(self.gen_weight);
            Output { loss, metrics: corrupted.metrics.and(metrics) }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            Some(Inspection::new(tch::no_grad(|| self.corruption.forward_t(batch, false)), None))
        }
    }
}
