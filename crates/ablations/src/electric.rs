//! Electric: an energy of each token, by noise-contrastive estimation (Clark et al. 2020, arXiv 2012.08561).

use electra_config::{Head, Network, Positions, Scoring};
use electra_masking::MaskingConfig;
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{Electric, SPEC};

/// Electric.
///
/// Operations are those of two towers of the generator's size with a head of twice their width, and of the kept encoder.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "electric",
    title: "Electric",
    paper: None,
    reads_masks: false,
    has_generator: true,
    scoring: Scoring::Energy,
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| {
        let tower = |heads| Network { encoder: &model.generator, heads, positions: Positions::All };
        let [main] = model.alone(&[Head::Discriminator(Positions::All)]);
        vec![tower(&[]), tower(&[Head::TwoTowers(Positions::All)]), main]
    },
};

#[cfg(feature = "torch")]
mod network {
    use electra_data::{Cells, Column, Corpus, Error, Key, Row, View};
    use electra_encoder::{Encoder, Select};
    use electra_objective::{
        BoxError, DeviceBatch, Given, Inspection, Metrics, ModelConfig, Objective, Output, ReplacedHead,
        Spec, binary_cross_entropy, build_encoder, detection, mean_here,
    };
    use tch::{Kind, Tensor, nn};

    use super::INFO;
    use crate::two_towers::{Noise, TwoTowers};
    use crate::unweighted::unweighted_masks;

    /// Electric.
    pub const SPEC: Spec =
        Spec { info: INFO, view, build: |root, given| Ok(Box::new(Electric::new(root, given.model))) };

    /// The tokens that the noise is trained on, `[L]` flags: all but special ones and padding.
    const TEXT: &str = "text";

    /// The columns of masks, whose positions are those of the noise, then [`TEXT`].
    #[derive(Debug)]
    struct Noised {
        masks: Box<dyn View>,
        special: Vec<i64>,
    }

    fn view(given: &Given<'_>) -> Result<Box<dyn View>, BoxError> {
        let vocabulary = given.corpus.vocabulary();
        let special = [vocabulary.pad, vocabulary.cls, vocabulary.sep, vocabulary.mask];
        Ok(Box::new(Noised {
            masks: unweighted_masks(INFO.name, given)?,
            special: special.map(i64::from).into(),
        }))
    }

    impl View for Noised {
        fn columns(&self, length: usize) -> Vec<Column> {
            let mut columns = self.masks.columns(length);
            columns.push(Column::flags(TEXT, length));
            columns
        }

        fn fill(&self, corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
            let (input_ids, length) = (row.input_ids, row.length);
            let (mut masks, [text]) = row.split();
            self.masks.fill(corpus, key, &mut masks)?;
            let Cells::Flags(text) = text else { unreachable!("the kinds are those that `columns` gives") };
            for (position, (flag, id)) in text.iter_mut().zip(input_ids).enumerate() {
                *flag = position < length && !self.special.contains(id);
            }
            Ok(())
        }
    }

    /// An encoder that gives each token an energy E, low where the token fits its context.
    ///
    /// k tokens of a row of n are replaced by noise: samples of a model q that knows what stands left and right of a
    /// position. E is trained so that exp(−E) comes near the likelihood of the token given all others, with no softmax:
    /// noise-contrastive estimation tells data from noise by σ(E + log q + log(k / (n − k))), the probability of noise. A
    /// sample counts as noise even where it is the original token. q is trained by its own likelihood at all tokens that are
    /// not special; no gradient reaches it from the encoder's loss, whose weight is that of ELECTRA. log q at each token is
    /// of the original text around it, as in the released code. The towers' attention has no kernels of its own.
    #[derive(Debug)]
    pub struct Electric {
        towers: TwoTowers,
        encoder: Encoder,
        head: ReplacedHead,
        gen_weight: f64,
        disc_weight: f64,
    }

    /// What a batch became, and what is said of it.
    struct Judged {
        noise: Noise,
        /// `[B, L]`: energies.
        energies: Tensor,
        /// `[B, L]`: logits of "noise".
        logits: Tensor,
        /// `[B, L]` bool: where the noise is.
        labels: Tensor,
    }

    impl Electric {
        /// Its parameters lie under `root / "noise"` and `root / "main"`. The embeddings are the kept encoder's, which the
        /// towers share as `config.tied` says.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            let encoder = build_encoder(root, config);
            Self {
                towers: TwoTowers::new(&(root / "noise"), config, encoder.embeddings()),
                head: ReplacedHead::new(&(root / "main"), &config.encoder),
                encoder,
                gen_weight: config.gen_weight,
                disc_weight: config.disc_weight,
            }
        }

        fn judge(&self, batch: &DeviceBatch, train: bool) -> Judged {
            let noise = self.towers.forward_t(batch, batch.column(TEXT), batch.total(TEXT), train);
            let input = batch.with_ids(&noise.input_ids);
            let hidden = self.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
            let energies = self.head.forward(&hidden).to_kind(Kind::Float); // [B, L]
            let (positions, distinct) = (batch.column("masked_positions"), batch.column("masked_distinct"));
            // An unused slot adds nothing to the value at its position.
            let labels = Tensor::zeros_like(&batch.input_ids)
                .scatter_add(1, positions, &distinct.to_kind(Kind::Int64))
                .gt(0); // [B, L]
            let logits = &energies + &noise.log_q + log_odds(distinct, &batch.attention_mask);
            Judged { noise, energies, logits, labels }
        }
    }

    /// log(k / (n − k)), of k positions with noise among n tokens. A row without noise has the odds of one.
    ///
    /// # Shapes
    /// bool `[B, N]`, `[B, L]` → `[B, 1]`
    fn log_odds(noise: &Tensor, attention_mask: &Tensor) -> Tensor {
        let count = |flags: &Tensor| flags.sum_dim_intlist(1, true, Kind::Float);
        let k = count(noise).clamp_min(1.0);
        let data = (count(attention_mask) - &k).clamp_min(1.0);
        k.log() - data.log()
    }

    impl Objective for Electric {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let Judged { noise, energies, logits, labels } = self.judge(batch, train);
            let (tokens, total) = (&batch.attention_mask, batch.total("attention_mask"));
            let disc_loss = binary_cross_entropy(&logits, &labels, tokens, total);
            let metrics = noise.metrics.and(detection(&logits, &labels, tokens, total, &disc_loss));
            let metrics = metrics.and(mean_energies(&energies, tokens, &labels));
            let loss = disc_loss * self.disc_weight + noise.loss * self.gen_weight;
            Output { loss, metrics }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            tch::no_grad(|| {
                let Judged { noise, logits, .. } = self.judge(batch, false);
                Some(Inspection {
                    masked_lm_loss: Some(noise.masked_lm_loss),
                    corrupted_ids: Some(noise.input_ids),
                    replaced_logits: Some(logits),
                })
            })
        }
    }

    /// The mean energy of data and of noise, of the rows at hand.
    fn mean_energies(energies: &Tensor, tokens: &Tensor, noise: &Tensor) -> Metrics {
        let [energies, tokens, noise] = [energies, tokens, noise].map(Tensor::detach);
        Metrics::averages(move || {
            let data = tokens.logical_and(&noise.logical_not());
            vec![
                ("energy_of_data", mean_here(&energies, &data)),
                ("energy_of_noise", mean_here(&energies, &noise)),
            ]
        })
    }
}
