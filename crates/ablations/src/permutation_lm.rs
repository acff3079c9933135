//! Permutation language modelling: the XLNet row of the comparison (Yang et al. 2019, arXiv 1906.08237).

use electra_config::{Head, Positions, Scoring};
use electra_masking::{MaskRate, MaskingConfig};
use electra_objective::ObjectiveInfo;

#[cfg(feature = "torch")]
pub use network::{PermutationLm, SPEC};

/// Permutation language modelling.
///
/// One token in K = 6 is predicted, as in the paper; `mask_prob` is that share, and `corruption` plays no part, as nothing is
/// masked. Operations are those of the first stream at all positions and of the second at the predicted ones.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "permutation-lm",
    title: "Permutation LM (XLNet)",
    paper: None,
    // The second stream begins with the embedding of [MASK].
    reads_masks: true,
    has_generator: false,
    scoring: Scoring::TwoStream,
    couples_rows: false,
    masking: || MaskingConfig { mask_prob: MaskRate::Fixed(1.0 / 6.0), ..MaskingConfig::electra() },
    networks: |model| model.two_streams(&[Head::Vocabulary(Positions::Masked)]).into(),
};

#[cfg(feature = "torch")]
mod network {
    use electra_config::PositionEmbeddingType;
    use electra_data::{Cells, Column, Corpus, Error, Key, Row, View};
    use electra_encoder::{Attention, Encoder, Input, SecondStream};
    use electra_masking::Stream;
    use electra_objective::{
        BoxError, DeviceBatch, Given, Inspection, ModelConfig, Objective, Output, Spec, VocabularyHead,
        build_encoder, mean, prediction,
    };
    use tch::{Tensor, nn};

    use super::INFO;
    use crate::unweighted::unweighted_masks;

    /// Permutation language modelling.
    pub const SPEC: Spec = Spec { info: INFO, view, build };

    /// In which order the tokens of a row are predicted: key (seed, step, example).
    const ORDER: Stream = Stream::named(b"permute\0");

    /// The column that says when a position is predicted, `[L]` ids: 1, 2, … of those that are, else 0.
    const RANKS: &str = "permutation_ranks";

    /// The columns of masks, whose positions are those that are predicted, then [`RANKS`].
    #[derive(Debug)]
    struct Permuted {
        masks: Box<dyn View>,
    }

    fn view(given: &Given<'_>) -> Result<Box<dyn View>, BoxError> {
        Ok(Box::new(Permuted { masks: unweighted_masks(INFO.name, given)? }))
    }

    impl View for Permuted {
        fn columns(&self, length: usize) -> Vec<Column> {
            let mut columns = self.masks.columns(length);
            columns.push(Column::ids(RANKS, length));
            columns
        }

        fn fill(&self, corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
            let (mut masks, [_]) = row.split();
            self.masks.fill(corpus, key, &mut masks)?;
            let [_, Cells::Ids(positions), _, Cells::Flags(distinct), _, Cells::Ids(ranks)] = row.columns()
            else {
                unreachable!("the kinds are those that `columns` gives")
            };
            let chosen = positions.iter().zip(&*distinct).filter(|(_, distinct)| **distinct);
            rank(key, chosen.map(|(position, _)| *position as usize).collect(), ranks);
            Ok(())
        }
    }

    /// Gives the chosen positions the ranks 1, 2, … in a random order, and 0 to the others.
    fn rank(key: Key, mut chosen: Vec<usize>, ranks: &mut [i64]) {
        let mut rng = key.rng(ORDER);
        // Fisher and Yates: every order is equally likely.
        for last in (1..chosen.len()).rev() {
            chosen.swap(last, rng.below(last as u32 + 1) as usize);
        }
        ranks.fill(0);
        for (rank, position) in (1..).zip(chosen) {
            ranks[position] = rank;
        }
    }

    fn build(root: &nn::Path<'_>, given: &Given<'_>) -> Result<Box<dyn Objective>, BoxError> {
        let found = given.model.encoder.position_embedding_type;
        if found != PositionEmbeddingType::Absolute {
            let name = INFO.name;
            return Err(format!(
                "objective {name}: model.encoder.position_embedding_type: rotary; expected absolute, as queries of the \
                 second stream stand at other positions than the first stream's"
            )
            .into());
        }
        let mask = i64::from(given.corpus.vocabulary().mask);
        Ok(Box::new(PermutationLm::new(root, given.model, mask)))
    }

    /// Each of the last tokens in a random order is predicted from those before it in that order.
    ///
    /// A row's tokens are put into a random order, and the last sixth of it is predicted; special tokens are never among
    /// these. Two streams go through the same layers. The first one reads the tokens: all that are not predicted attend to
    /// one another, and a predicted one attends to those, to itself and to the predicted ones before it. The second has a
    /// query for each predicted token, which knows its position and not the token: it attends to the first stream at the
    /// tokens before it, itself not among them, and gives log p by the head of masked language modelling. The loss is
    /// −log p averaged over the predicted tokens. Queries begin as what embeddings make of `[MASK]` at the position: XLNet's
    /// one learnt vector, and the absolute position that ELECTRA's layers know nothing of otherwise. Attention by pairs has no
    /// kernels of its own: both streams are computed by the formula.
    #[derive(Debug)]
    pub struct PermutationLm {
        encoder: Encoder,
        head: VocabularyHead,
        weight: f64,
        /// The id of `[MASK]`.
        mask: i64,
    }

    impl PermutationLm {
        /// Its parameters lie under `root / "main"`. `mask` is the token whose embedding queries begin with.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig, mask: i64) -> Self {
            let encoder = build_encoder(root, config);
            let table = encoder.embeddings().word_embeddings();
            let head = VocabularyHead::new(&(root / "main"), &config.encoder, table);
            Self { head, encoder, weight: config.softmax_weight, mask }
        }

        /// Logits `[B, N, V]` at the predicted positions, and the loss of them.
        fn predict(&self, batch: &DeviceBatch, targets: &Tensor, train: bool) -> (Tensor, Tensor) {
            let (ranks, positions) = (batch.column(RANKS), batch.column("masked_positions"));
            let tokens = batch.attention_mask.unsqueeze(1); // [B, 1, L]
            let keys = ranks.unsqueeze(1); // [B, 1, L]
            let content = tokens.logical_and(&keys.less_equal_tensor(&ranks.unsqueeze(-1))); // [B, L, L]
            // An unused slot attends to what is not predicted, for it has to attend to something.
            let query_ranks = ranks.gather(1, positions, false).clamp_min(1).unsqueeze(-1); // [B, N, 1]
            let queries = tokens.logical_and(&keys.less_tensor(&query_ranks)); // [B, N, L]
            let input = Input { attention: Attention::Pairs(&content), ..batch.original() };
            let stream = SecondStream { word: self.mask, positions, attended: &queries };
            let hidden = self.encoder.second_stream_t(&input, stream, train); // [B, N, D]
            let (log_p, logits) = self.head.log_likelihood(&hidden, targets);
            (logits, -mean(&log_p, batch.column("masked_valid"), batch.total("masked_valid")))
        }
    }

    impl Objective for PermutationLm {
        fn encoder(&self) -> &Encoder {
            &self.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let targets = batch.targets();
            let (logits, loss) = self.predict(batch, &targets, train);
            let (valid, slots) = (batch.column("masked_valid"), batch.total("masked_valid"));
            let metrics = prediction(&logits, &targets, valid, slots, &loss);
            Output { loss: loss * self.weight, metrics }
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            let (_, loss) = tch::no_grad(|| self.predict(batch, &batch.targets(), false));
            Some(Inspection { masked_lm_loss: Some(loss), corrupted_ids: None, replaced_logits: None })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn ranks(example: u64) -> Vec<i64> {
            let mut ranks = vec![-1; 8];
            rank(Key { seed: 1, step: 2, example }, vec![1, 4, 6], &mut ranks);
            ranks
        }

        #[test]
        fn every_order_of_the_chosen_positions_is_equally_likely() {
            let mut counts = std::collections::BTreeMap::<Vec<i64>, usize>::new();
            for example in 0..6000 {
                *counts.entry(ranks(example)).or_default() += 1;
            }
            assert_eq!(counts.len(), 6, "3! orders");
            for (ranks, count) in counts {
                let others = [0, 2, 3, 5, 7].map(|position: usize| ranks[position]);
                assert_eq!(others, [0; 5]);
                // 1,000 with a standard deviation of 29.
                assert!((880..1120).contains(&count), "{ranks:?}: {count}");
            }
        }
    }
}
