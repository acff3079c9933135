//! ELECTRA: replaced token detection (paper §2).

use electra_config::{Head, Positions};
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
        Corruption, DeviceBatch, Inspection, ModelConfig, Objective, Output, ReplacedHead, Spec,
        binary_cross_entropy, build_encoder, build_with_generator, detection, masked_view,
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
    pub struct Electra {
        corruption: Corruption,
        encoder: Encoder,
        head: ReplacedHead,
        gen_weight: f64,
        disc_weight: f64,
    }

    impl Electra {
        /// Its parameters lie under `root / "generator"` and `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let (generator, encoder) = build_with_generator(root, config);
            Self::with(Corruption::Generator(Box::new(generator)), encoder, root, config)
        }

        /// Replacements from one distribution for every position, `probabilities` `[V]`, instead of a generator.
        #[must_use]
        pub fn with_fixed(root: &nn::Path<'_>, config: &ModelConfig, probabilities: &Tensor) -> Self {
            let cumulative =
                probabilities.cumsum(0, tch::Kind::Double).to_kind(tch::Kind::Float).to_device(root.device());
            Self::with(Corruption::Fixed(cumulative), build_encoder(root, config), root, config)
        }

        fn with(corruption: Corruption, encoder: Encoder, root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let head = ReplacedHead::new(&(root / "main"), &config.encoder);
            Self { corruption, encoder, head, gen_weight: config.gen_weight, disc_weight: config.disc_weight }
        }
    }

    impl Objective for Electra {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let hidden = self.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
            let logits = self.head.forward(&hidden); // [B, L]
            let (tokens, total) = (&batch.attention_mask, batch.total("attention_mask"));
            let disc_loss = binary_cross_entropy(&logits, &corrupted.replaced, tokens, total);
            let metrics = detection(&logits, &corrupted.replaced, tokens, total, &disc_loss);
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
