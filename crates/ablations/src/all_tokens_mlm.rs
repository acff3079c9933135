//! All-Tokens MLM (paper §3.5).

use electra_config::{Head, Positions, Scoring};
use electra_masking::MaskingConfig;
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{AllTokensMlm, SPEC, SPEC_NO_GATE, copy_log_likelihood};

/// All-Tokens MLM as in the paper, with the gate.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "all-tokens-mlm",
    title: "All-Tokens MLM",
    paper: Some(84.3),
    reads_masks: false,
    has_generator: true,
    scoring: Scoring::Unmasked,
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| {
        model.with_generator(&[Head::Vocabulary(Positions::All), Head::Gate(Positions::All)]).into()
    },
};

/// A control: the softmax alone predicts.
pub const INFO_NO_GATE: ObjectiveInfo = ObjectiveInfo {
    name: "all-tokens-mlm-no-gate",
    title: "All-Tokens MLM, no gate",
    paper: None,
    networks: |model| model.with_generator(&[Head::Vocabulary(Positions::All)]).into(),
    ..INFO
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::{Encoder, Select};
    use electra_objective::{
        CopyGate, Corruption, DeviceBatch, Inspection, Metrics, ModelConfig, Objective, Output, Spec,
        VocabularyHead, auc, build_with_generator, chunked_sum, masked_view, mean, mean_here,
        predicts_with_table, rows_in_memory,
    };
    use electra_torch::log_likelihood_alone;
    use tch::{Kind, Tensor, nn};

    use super::{INFO, INFO_NO_GATE};

    /// All-Tokens MLM as in the paper, with the gate.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: masked_view,
        build: |root, given| {
            predicts_with_table(given.model)?;
            Ok(Box::new(AllTokensMlm::new(root, given.model, true)))
        },
    };

    /// A control: the softmax alone predicts.
    pub const SPEC_NO_GATE: Spec = Spec {
        info: INFO_NO_GATE,
        build: |root, given| {
            predicts_with_table(given.model)?;
            Ok(Box::new(AllTokensMlm::new(root, given.model, false)))
        },
        ..SPEC
    };

    /// Replace MLM at every position, with a gate that copies the input.
    ///
    /// The encoder predicts the original token everywhere, padding aside. Most tokens need only be copied, so a
    /// gate D says how likely the input token is the original: p(v) = D·1\[v = input\] + (1 − D)·softmax(v). It
    /// tests MLM with ELECTRA's other two properties: no `[MASK]`, and a loss on all tokens.
    #[derive(Debug)]
    pub struct AllTokensMlm {
        corruption: Corruption,
        encoder: Encoder,
        head: VocabularyHead,
        gate: Option<CopyGate>,
        gen_weight: f64,
        softmax_weight: f64,
    }

    impl AllTokensMlm {
        /// Its parameters lie under `root / "generator"` and `root / "main"`. Without the gate p is the softmax
        /// alone (the paper says that the gate helped).
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig, gate: bool) -> Self {
            let (generator, encoder) = build_with_generator(root, config);
            let main = root / "main";
            let table = encoder.embeddings().word_embeddings();
            Self {
                corruption: Corruption::Generator(Box::new(generator)),
                head: VocabularyHead::new(&main, &config.encoder, table),
                gate: gate.then(|| CopyGate::new(&main, &config.encoder)),
                encoder,
                gen_weight: config.gen_weight,
                softmax_weight: config.softmax_weight,
            }
        }

        /// Σ of −log p(original) over the positions with weight. Logits exist for one chunk of positions at a time.
        fn loss(
            &self,
            hidden: &Tensor,
            gate: Option<&Tensor>,
            batch: &DeviceBatch,
            replaced: &Tensor,
        ) -> Tensor {
            let real = rows_that_count(&batch.attention_mask);
            // [R, …]
            let rows = |tensor: &Tensor| match &real {
                Some(real) => tensor.flatten(0, 1).index_select(0, real),
                None => tensor.flatten(0, 1),
            };
            let (table, bias) = self.head.table();
            let (targets, copied) = (rows(&batch.input_ids), rows(&replaced.logical_not()));
            let weights = rows(&batch.attention_mask).to_kind(Kind::Float);
            let gate = gate.map_or_else(|| weights.zeros_like(), rows);
            let chunk = rows_in_memory(table.size()[0], table.device());
            let transformed = self.head.transform(&rows(hidden)); // [R, E]
            chunked_sum(
                &[&transformed, &gate, &targets, &copied, &weights],
                &[table, bias],
                chunk,
                |rows, shared| {
                    let [transformed, gate, targets, copied, weights] = rows else {
                        unreachable!("as handed in")
                    };
                    let log_softmax = log_likelihood_alone(transformed, &shared[0], &shared[1], targets); // [chunk]
                    let log_p = match &self.gate {
                        Some(_) => copy_log_likelihood(gate, &log_softmax, copied),
                        None => log_softmax,
                    };
                    -(log_p * weights).sum(Kind::Float)
                },
            )
        }
    }

    /// The rows of `[B·L, …]` that are not padding. On a GPU all are taken, for how many they are is not known there without
    /// waiting for it.
    fn rows_that_count(attention_mask: &Tensor) -> Option<Tensor> {
        (!attention_mask.device().is_cuda()).then(|| attention_mask.flatten(0, 1).nonzero().squeeze_dim(-1))
    }

    /// log p(original) under a copy gate with logit z, where the softmax gives the original ℓ = log softmax:
    /// log(σ(z) + σ(−z)·e^ℓ) where the input token is the original one, log(σ(−z)·e^ℓ) elsewhere.
    ///
    /// # Shapes
    /// `gate` z, `log_softmax` ℓ, `copied` (bool): one shape → the same
    pub fn copy_log_likelihood(gate: &Tensor, log_softmax: &Tensor, copied: &Tensor) -> Tensor {
        let predicted = (-gate).log_sigmoid() + log_softmax;
        let either = gate.log_sigmoid().logaddexp(&predicted);
        either.where_self(copied, &predicted)
    }

    impl Objective for AllTokensMlm {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let hidden = self.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
            let gate = self.gate.as_ref().map(|gate| gate.forward(&hidden)); // [B, L]
            let sum = self.loss(&hidden, gate.as_ref(), batch, &corrupted.replaced);
            let main_loss = sum / batch.total("attention_mask");
            let metrics = diagnostics(&main_loss, gate.as_ref(), batch, &corrupted.replaced);
            let loss = main_loss * self.softmax_weight + corrupted.weighted_gen_loss(self.gen_weight);
            Output { loss, metrics: corrupted.metrics.and(metrics) }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            tch::no_grad(|| {
                let corrupted = self.corruption.forward_t(batch, false);
                let replaced = self.gate.as_ref().map(|gate| {
                    let hidden = self.encoder.forward_t(&batch.with_ids(&corrupted.input_ids), false); // [B, L, D]
                    -gate.forward(&hidden) // [B, L]: what is not copied was replaced
                });
                Some(Inspection::new(corrupted, replaced))
            })
        }
    }

    /// `main_loss` and `gate_bias`, how far the gate's mean is from the share of original tokens (calibration), over the whole
    /// step. Over the rows at hand: the gate's mean where the input is the original token and where it was replaced, and how well
    /// it tells them apart.
    fn diagnostics(loss: &Tensor, gate: Option<&Tensor>, batch: &DeviceBatch, replaced: &Tensor) -> Metrics {
        let loss = loss.detach();
        let metrics = Metrics::shares(move || vec![("main_loss", loss)]);
        let Some(gate) = gate else { return metrics };
        let (gate, tokens) = (gate.detach().to_kind(Kind::Float), batch.attention_mask.shallow_clone());
        let (copied, total) = (replaced.logical_not(), batch.total("attention_mask").shallow_clone());
        let bias = {
            let [gate, tokens, copied] = [&gate, &tokens, &copied].map(Tensor::shallow_clone);
            Metrics::shares(move || {
                let copies = mean(&copied, &tokens, &total);
                vec![("gate_bias", mean(&gate.sigmoid(), &tokens, &total) - copies)]
            })
        };
        metrics.and(bias).and(Metrics::averages(move || {
            let probability = gate.sigmoid();
            vec![
                ("gate_on_original", mean_here(&probability, &copied.logical_and(&tokens))),
                ("gate_on_replaced", mean_here(&probability, &copied.logical_not().logical_and(&tokens))),
                ("gate_auc", auc(&gate.masked_select(&tokens), &copied.masked_select(&tokens))),
            ]
        }))
    }
}
