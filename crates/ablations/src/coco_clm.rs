//! Corrective language modelling: COCO-LM without its contrastive loss (Meng et al., arXiv 2102.08473, §3).

use electra_config::{Head, Positions, Scoring};
use electra_masking::MaskingConfig;
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{CocoClm, SPEC};

/// Corrective language modelling as in COCO-LM.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "coco-clm",
    title: "Corrective LM (COCO-LM)",
    paper: None,
    reads_masks: false,
    has_generator: true,
    scoring: Scoring::Unmasked,
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| {
        model.with_generator(&[Head::Vocabulary(Positions::Masked), Head::Gate(Positions::All)]).into()
    },
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::{Encoder, Select};
    use electra_objective::{
        CopyGate, Corruption, DeviceBatch, Inspection, ModelConfig, Objective, Output, Spec, VocabularyHead,
        binary_cross_entropy, build_with_generator, detection, masked_lm_loss, masked_view, prediction,
        predicts_with_table,
    };
    use tch::{Kind, Tensor, nn};

    use super::INFO;
    use crate::copy_log_likelihood;

    /// Corrective language modelling as in COCO-LM.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: masked_view,
        build: |root, given| {
            predicts_with_table(given.model)?;
            Ok(Box::new(CocoClm::new(root, given.model)))
        },
    };

    /// Of every token, whether it was copied; at the masked positions, what stood there.
    ///
    /// The input is ELECTRA's. A gate says of every token whether it is the original one, as ELECTRA's discriminator
    /// does, and learns from that alone. A vocabulary head predicts the original tokens at the masked positions under
    /// p(v) = gate · 1\[v = input\] + (1 − gate) · softmax(v), where no gradient goes through the gate. So the head
    /// learns most where the gate says that a token was replaced.
    ///
    /// # Formula
    /// `gen_weight · L_MLM + λ · L_copy + softmax_weight · L_LM`: `L_copy` is the binary cross-entropy of the gate over all
    /// tokens but padding, `L_LM` the mean of −log p over the masked positions. λ is `disc_weight`, 50 as in the authors'
    /// code (`binary_loss_weight`), and the other weights are 1. That code computes (1 − gate) · −log softmax for `L_LM`;
    /// this is the paper's formula.
    #[derive(Debug)]
    pub struct CocoClm {
        corruption: Corruption,
        encoder: Encoder,
        head: VocabularyHead,
        gate: CopyGate,
        gen_weight: f64,
        copy_weight: f64,
        softmax_weight: f64,
    }

    impl CocoClm {
        /// Its parameters lie under `root / "generator"` and `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let (generator, encoder) = build_with_generator(root, config);
            let main = root / "main";
            let table = encoder.embeddings().word_embeddings();
            Self {
                corruption: Corruption::Generator(Box::new(generator)),
                head: VocabularyHead::new(&main, &config.encoder, table),
                gate: CopyGate::new(&main, &config.encoder),
                encoder,
                gen_weight: config.gen_weight,
                copy_weight: config.disc_weight,
                softmax_weight: config.softmax_weight,
            }
        }
    }

    /// The rows of a batch at the positions `[B, N]`.
    ///
    /// # Shapes
    /// `[B, L, D]` → `[B, N, D]`
    fn gathered(hidden: &Tensor, positions: &Tensor) -> Tensor {
        let size = hidden.size()[2];
        hidden.gather(1, &positions.unsqueeze(-1).expand([-1, -1, size], false), false)
    }

    impl Objective for CocoClm {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let hidden = self.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
            let gate = self.gate.forward(&hidden); // [B, L]
            let (tokens, count) = (&batch.attention_mask, batch.total("attention_mask"));
            let copied = corrupted.replaced.logical_not(); // [B, L]
            let copy_loss = binary_cross_entropy(&gate, &copied, tokens, count);

            let (positions, targets) = (batch.column("masked_positions"), batch.targets()); // [B, N]
            let (log_softmax, logits) = self.head.log_likelihood(&gathered(&hidden, positions), &targets);
            let at_masks = |of_tokens: &Tensor| of_tokens.gather(1, positions, false);
            let stopped = at_masks(&gate.detach().to_kind(Kind::Float)); // [B, N]
            let log_p = copy_log_likelihood(&stopped, &log_softmax, &at_masks(&copied)); // [B, N]
            let lm_loss = masked_lm_loss(batch, &log_p);

            let (valid, slots) = (batch.column("masked_valid"), batch.total("masked_valid"));
            let found = detection(&-&gate, &corrupted.replaced, tokens, count, &copy_loss);
            let corrected = prediction(&logits, &targets, valid, slots, &lm_loss).prefixed("main_");
            let loss = copy_loss * self.copy_weight
                + lm_loss * self.softmax_weight
                + corrupted.weighted_gen_loss(self.gen_weight);
            Output { loss, metrics: corrupted.metrics.and(found).and(corrected) }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            tch::no_grad(|| {
                let corrupted = self.corruption.forward_t(batch, false);
                let hidden = self.encoder.forward_t(&batch.with_ids(&corrupted.input_ids), false); // [B, L, D]
                // What is not copied was replaced.
                Some(Inspection::new(corrupted, Some(-self.gate.forward(&hidden)))) // [B, L]
            })
        }
    }
}
