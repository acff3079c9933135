//! ELECTRA 15 % (paper §3.5).

use electra_config::{Head, Positions};
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
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| model.with_generator(&[Head::Discriminator(Positions::Masked)]).into(),
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::{Encoder, Select};
    use electra_objective::{
        Corruption, DeviceBatch, Inspection, ModelConfig, Objective, Output, ReplacedHead, Spec,
        binary_cross_entropy, build_with_generator, detection, masked_view,
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
    pub struct Electra15 {
        corruption: Corruption,
        encoder: Encoder,
        head: ReplacedHead,
        gen_weight: f64,
        disc_weight: f64,
    }

    impl Electra15 {
        /// Its parameters lie under `root / "generator"` and `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let (generator, encoder) = build_with_generator(root, config);
            Self {
                corruption: Corruption::Generator(Box::new(generator)),
                encoder,
                head: ReplacedHead::new(&(root / "main"), &config.encoder),
                gen_weight: config.gen_weight,
                disc_weight: config.disc_weight,
            }
        }
    }

    impl Objective for Electra15 {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let positions = batch.column("masked_positions");
            let hidden = self.encoder.forward_select_t(&input, Select::Positions(positions), train); // [B, N, D]
            let logits = self.head.forward(&hidden); // [B, N]
            let replaced = corrupted.replaced.gather(1, positions, false); // [B, N]
            let (distinct, total) = (batch.column("masked_distinct"), batch.total("masked_distinct"));
            let disc_loss = binary_cross_entropy(&logits, &replaced, distinct, total);
            let metrics = detection(&logits, &replaced, distinct, total, &disc_loss);
            let loss = disc_loss * self.disc_weight + corrupted.weighted_gen_loss(self.gen_weight);
            Output { loss, metrics: corrupted.metrics.and(metrics) }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            tch::no_grad(|| {
                let corrupted = self.corruption.forward_t(batch, false);
                let hidden = self.encoder.forward_t(&batch.with_ids(&corrupted.input_ids), false); // [B, L, D]
                Some(Inspection::new(corrupted, Some(self.head.forward(&hidden)))) // [B, L]
            })
        }
    }
}
