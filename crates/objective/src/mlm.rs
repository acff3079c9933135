//! Masked language modelling: BERT, the baseline (paper §3.1).

use electra_config::{Head, Positions, Scoring};
use electra_masking::{MaskingConfig, Shares};

use crate::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{Mlm, SPEC, SPEC_85_15};

/// BERT's masking: 80 % `[MASK]`, 10 % random, 10 % unchanged.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "mlm",
    title: "BERT (MLM)",
    paper: Some(82.2),
    reads_masks: true,
    has_generator: false,
    scoring: Scoring::PseudoLogLikelihood,
    couples_rows: false,
    masking: MaskingConfig::bert,
    networks: |model| model.alone(&[Head::Vocabulary(Positions::Masked)]).into(),
};

/// A control: the reference's 85 % `[MASK]` and 15 % unchanged.
pub const INFO_85_15: ObjectiveInfo = ObjectiveInfo {
    name: "mlm-85-15",
    title: "MLM, 85 % masks",
    paper: None,
    masking: || {
        let corruption = Shares { mask: 0.85, random: 0.0, keep: 0.15 };
        MaskingConfig { corruption, ..MaskingConfig::electra() }
    },
    ..INFO
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::{Encoder, Select};
    use tch::{Kind, Tensor, nn};

    use super::{INFO, INFO_85_15};
    use crate::{
        DeviceBatch, Inspection, Metrics, ModelConfig, Objective, Output, Spec, VocabularyHead,
        build_encoder, masked_lm_loss, masked_view, prediction,
    };

    /// BERT's masking: 80 % `[MASK]`, 10 % random, 10 % unchanged.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: masked_view,
        build: |root, given| Ok(Box::new(Mlm::new(root, given.model))),
    };

    /// A control: the reference's 85 % `[MASK]` and 15 % unchanged.
    pub const SPEC_85_15: Spec = Spec { info: INFO_85_15, ..SPEC };

    /// Masked language modelling.
    ///
    /// Some tokens are replaced by `[MASK]` (or kept, or made random: that is the masking's affair), and the
    /// encoder predicts the original tokens there. The loss is −log p(x) averaged over the masked positions.
    #[derive(Debug)]
    pub struct Mlm {
        encoder: Encoder,
        head: VocabularyHead,
        weight: f64,
    }

    impl Mlm {
        /// Its parameters lie under `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let encoder = build_encoder(root, config);
            let table = encoder.embeddings().word_embeddings();
            let head = VocabularyHead::new(&(root / "main"), &config.encoder, table);
            Self { head, encoder, weight: config.softmax_weight }
        }

        /// Logits `[B, N, V]` at the masked positions, and the loss of them.
        fn predict(&self, batch: &DeviceBatch, targets: &Tensor, train: bool) -> (Tensor, Tensor) {
            let hidden = self.encoder.forward_select_t(
                &batch.masked(),
                Select::Positions(batch.column("masked_positions")),
                train,
            ); // [B, N, D]
            let (log_p, logits) = self.head.log_likelihood(&hidden, targets);
            (logits, masked_lm_loss(batch, &log_p))
        }
    }

    impl Objective for Mlm {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let targets = batch.targets();
            let (logits, loss) = self.predict(batch, &targets, train);
            let (valid, slots) = (batch.column("masked_valid"), batch.total("masked_valid"));
            let metrics = prediction(&logits, &targets, valid, slots, &loss);
            Output { loss: loss * self.weight, metrics: metrics.and(masked_rate(batch)) }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            let (_, loss) = tch::no_grad(|| self.predict(batch, &batch.targets(), false));
            Some(Inspection { masked_lm_loss: Some(loss), corrupted_ids: None, replaced_logits: None })
        }
    }

    fn masked_rate(batch: &DeviceBatch) -> Metrics {
        let valid = batch.column("masked_valid").shallow_clone();
        let tokens = batch.total("attention_mask").shallow_clone();
        Metrics::shares(move || vec![("masked_rate", valid.sum(Kind::Float) / tokens)])
    }
}
