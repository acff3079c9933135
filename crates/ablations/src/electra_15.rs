//! ELECTRA 15 % (paper §3.5).

use electra_config::{Head, Positions, Scoring};
use electra_masking::MaskingConfig;
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{Electra15, SPEC};

/// ELECTRA 15 % as in the paper.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "electra-15",
    title: "ELECTRA 15 %",
    paper: Some(82.4),
    reads_masks: false,
    has_generator: true,
    scoring: Scoring::Discriminator,
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| model.with_generator(&[Head::Discriminator(Positions::Masked)]).into(),
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::{Encoder, Select};
    use electra_objective::{
        Detector, DeviceBatch, Inspection, ModelConfig, Objective, Output, Spec, masked_view,
    };
    use tch::nn;

    use super::INFO;

    /// ELECTRA 15 % as in the paper.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: masked_view,
        build: |root, given| Ok(Box::new(Electra15::new(root, given.model))),
    };

    /// Replaced token detection whose main loss is taken at the masked positions only.
    ///
    /// As ELECTRA in everything else: the same generator, the same corrupted input, the same head and λ. A masked
    /// position counts also where the sample was right. It tests how much of ELECTRA's gain comes from learning
    /// from all tokens.
    #[derive(Debug)]
    pub struct Electra15(Detector);

    impl Electra15 {
        /// Its parameters lie under `root / "generator"` and `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            Self(Detector::new(root, config))
        }
    }

    impl Objective for Electra15 {
        fn encoder(&self) -> &Encoder {
            &self.0.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.0.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let positions = batch.column("masked_positions");
            let hidden = self.0.encoder.forward_select_t(&input, Select::Positions(positions), train); // [B, N, D]
            let logits = self.0.head.forward(&hidden); // [B, N]
            let labels = corrupted.replaced.gather(1, positions, false); // [B, N]
            let (distinct, total) = (batch.column("masked_distinct"), batch.total("masked_distinct"));
            self.0.output(corrupted, &logits, &labels, distinct, total)
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            Some(self.0.inspect(batch))
        }
    }
}
