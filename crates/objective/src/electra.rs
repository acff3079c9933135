//! ELECTRA: replaced token detection (paper §2).

use electra_config::{Head, Positions, Scoring};
use electra_masking::MaskingConfig;

use crate::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{Electra, SPEC};

/// ELECTRA as in the paper.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "electra",
    title: "ELECTRA",
    paper: Some(85.0),
    reads_masks: false,
    has_generator: true,
    scoring: Scoring::Discriminator,
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| model.with_generator(&[Head::Discriminator(Positions::All)]).into(),
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::{Encoder, Select};
    use tch::{Tensor, nn};

    use super::INFO;
    use crate::{
        Corruption, Detector, DeviceBatch, Inspection, ModelConfig, Objective, Output, Spec, build_encoder,
        masked_view,
    };

    /// ELECTRA as in the paper.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: masked_view,
        build: |root, given| Ok(Box::new(Electra::new(root, given.model))),
    };

    /// Replaced token detection.
    ///
    /// A generator fills the masked positions with samples; the encoder says of every token whether it is the
    /// original one. The loss is `gen_weight`·`L_MLM` + λ·`L_Disc`, the latter averaged over all tokens that are not
    /// padding, `[CLS]` and `[SEP]` among them.
    #[derive(Debug)]
    pub struct Electra(Detector);

    impl Electra {
        /// Its parameters lie under `root / "generator"` and `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            Self(Detector::new(root, config))
        }

        /// Replacements from one distribution for every position, `probabilities` `[V]`, instead of a generator.
        #[must_use]
        pub fn with_fixed(root: &nn::Path<'_>, config: &ModelConfig, probabilities: &Tensor) -> Self {
            let cumulative =
                probabilities.cumsum(0, tch::Kind::Double).to_kind(tch::Kind::Float).to_device(root.device());
            Self(Detector::with(Corruption::Fixed(cumulative), build_encoder(root, config), root, config))
        }
    }

    impl Objective for Electra {
        fn encoder(&self) -> &Encoder {
            &self.0.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.0.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let hidden = self.0.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
            let logits = self.0.head.forward(&hidden); // [B, L]
            let labels = corrupted.replaced.shallow_clone();
            self.0.output(corrupted, &logits, &labels, &batch.attention_mask, batch.total("attention_mask"))
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            Some(self.0.inspect(batch))
        }
    }
}
