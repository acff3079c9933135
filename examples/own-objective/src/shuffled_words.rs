//! Shuffled word detection (Yamaguchi et al. 2021, "Frustratingly Simple Pretraining Alternatives to Masked Language
//! Modeling"): a share of the tokens of a text change places, and the encoder says of every token whether it is where it
//! was. No token is masked, there is no generator, and what the encoder reads are columns of this objective's own.
//!
//! This file is all of it: what the loader prepares, the network and its loss, and the value by which both are known.

use electra_config::{Head, Positions, Scoring};
use electra_data::{Cells, Column, Corpus, Error, Key, Row, View};
use electra_encoder::Encoder;
use electra_masking::{MaskingConfig, Stream};
use electra_objective::{
    DeviceBatch, ModelConfig, Objective, ObjectiveInfo, Output, ReplacedHead, Spec, binary_cross_entropy,
    build_encoder, detection,
};
use tch::nn;

/// What a trainer is handed.
pub(crate) const SPEC: Spec = Spec {
    info: ObjectiveInfo {
        name: "shuffled-words",
        title: "Shuffled words",
        paper: None,
        reads_masks: false,
        has_generator: false,
        scoring: Scoring::Discriminator,
        couples_rows: false,
        masking: MaskingConfig::electra, // of which `mask_prob` is the share of tokens that are chosen to move
        networks: |model| model.alone(&[Head::Discriminator(Positions::All)]).into(),
    },
    view: |given| Ok(Box::new(Shuffled { share: given.masking.mask_prob.mean() })),
    build: |root, given| Ok(Box::new(ShuffledWords::new(root, given.model))),
};

/// Which tokens move, and where: key (seed, step, example).
const SHUFFLE: Stream = Stream::named(b"shuffled");

/// Columns `shuffled_input_ids` `[L]` ids, padded, and `shuffled` `[L]` flags: whether the token is another one than the
/// text's.
#[derive(Debug)]
struct Shuffled {
    /// Of the tokens of a row, without its first and last, which are special.
    share: f64,
}

impl View for Shuffled {
    fn columns(&self, length: usize) -> Vec<Column> {
        vec![Column::ids("shuffled_input_ids", length), Column::flags("shuffled", length)]
    }

    fn fill(&self, _corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
        let (input_ids, length) = (row.input_ids, row.length);
        let [Cells::Ids(ids), Cells::Flags(shuffled)] = row.columns() else {
            unreachable!("the kinds are those that `columns` gives")
        };
        ids.copy_from_slice(input_ids);
        let mut rng = key.rng(SHUFFLE);
        let chosen: Vec<usize> = (1..length.saturating_sub(1)).filter(|_| rng.unit() < self.share).collect();
        // Fisher and Yates: every order of the chosen tokens is equally likely.
        for last in (1..chosen.len()).rev() {
            ids.swap(chosen[last], chosen[rng.below(last as u32 + 1) as usize]);
        }
        for ((flag, id), original) in shuffled.iter_mut().zip(&*ids).zip(input_ids) {
            *flag = id != original;
        }
        Ok(())
    }
}

/// An encoder that finds tokens which are out of place.
#[derive(Debug)]
struct ShuffledWords {
    encoder: Encoder,
    head: ReplacedHead,
    weight: f64,
}

impl ShuffledWords {
    /// Its parameters lie under `root / "main"`, where the trainer and an export look for them.
    fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
        Self {
            encoder: build_encoder(root, config),
            head: ReplacedHead::new(&(root / "main"), &config.encoder),
            weight: config.disc_weight,
        }
    }
}

impl Objective for ShuffledWords {
    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
        let input = batch.with_ids(batch.column("shuffled_input_ids"));
        let logits = self.head.forward(&self.encoder.forward_t(&input, train)); // [B, L]
        let (shuffled, tokens) = (batch.column("shuffled"), &batch.attention_mask);
        // The tokens of the whole step, of which this batch may be a part.
        let total = batch.total("attention_mask");
        let loss = binary_cross_entropy(&logits, shuffled, tokens, total);
        let metrics = detection(&logits, shuffled, tokens, total, &loss);
        Output { loss: loss * self.weight, metrics }
    }
}
