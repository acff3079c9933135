//! ELECTRA with a planted defect: a control.

use electra_objective::{ObjectiveInfo, electra};

#[cfg(feature = "torch")]
pub use network::{SPEC, SPEC_ALL, ShuffledElectra};

/// 30 % of the labels are shuffled.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "electra-shuffled",
    title: "ELECTRA, 30 % of the labels shuffled",
    paper: None,
    ..electra::INFO
};

/// All labels are shuffled.
pub const INFO_ALL: ObjectiveInfo =
    ObjectiveInfo { name: "electra-shuffled-all", title: "ELECTRA, all labels shuffled", ..INFO };

#[cfg(feature = "torch")]
mod network {
    use electra_data::{Cells, Column, Corpus, Error, Key, Row, View};
    use electra_encoder::{Encoder, Select};
    use electra_masking::Stream;
    use electra_objective::{
        BoxError, Detector, DeviceBatch, Given, Inspection, ModelConfig, Objective, Output, Spec, masked_view,
    };
    use tch::nn;

    use super::{INFO, INFO_ALL};

    /// 30 % of the labels are shuffled.
    pub const SPEC: Spec = Spec {
        info: INFO,
        view: |given| view(given, 0.3),
        build: |root, given| Ok(Box::new(ShuffledElectra::new(root, given.model))),
    };

    /// All labels are shuffled.
    pub const SPEC_ALL: Spec = Spec { info: INFO_ALL, view: |given| view(given, 1.0), build: SPEC.build };

    /// Replaced token detection that learns from labels of which some are shuffled.
    ///
    /// As ELECTRA in everything else. In each row a share of the tokens that are not padding, chosen anew, get each
    /// other's labels, so the share of tokens called replaced stays what it was, row by row. A study that does not find this
    /// worse than ELECTRA could not find a real defect of that size either.
    #[derive(Debug)]
    pub struct ShuffledElectra(Detector);

    impl ShuffledElectra {
        /// Its parameters lie under `root / "generator"` and `root / "main"`.
        #[must_use]
        pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
            Self(Detector::new(root, config))
        }
    }

    impl Objective for ShuffledElectra {
        fn encoder(&self) -> &Encoder {
            &self.0.encoder
        }

        fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
            let corrupted = self.0.corruption.forward_t(batch, train);
            let input = batch.with_ids(&corrupted.input_ids);
            let hidden = self.0.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
            let logits = self.0.head.forward(&hidden); // [B, L]
            let labels = corrupted.replaced.gather(1, batch.column(LABEL_POSITIONS), false); // [B, L]
            self.0.output(corrupted, &logits, &labels, &batch.attention_mask, batch.total("attention_mask"))
        }

        fn inspect(&self, batch: &DeviceBatch) -> Option<Inspection> {
            Some(self.0.inspect(batch))
        }
    }

    /// Which positions are shuffled and how their labels are permuted: key (seed, step, example).
    const SHUFFLE: Stream = Stream::named(b"shuffle\0");

    /// The column that says whose label each position of a row gets, `[L]` ids.
    const LABEL_POSITIONS: &str = "label_positions";

    /// The columns of masks, then [`LABEL_POSITIONS`].
    #[derive(Debug)]
    struct ShuffledLabels {
        masks: Box<dyn View>,
        /// Of the tokens that are not padding, 0 to 1.
        share: f64,
    }

    fn view(given: &Given<'_>, share: f64) -> Result<Box<dyn View>, BoxError> {
        Ok(Box::new(ShuffledLabels { masks: masked_view(given)?, share }))
    }

    impl View for ShuffledLabels {
        fn columns(&self, length: usize) -> Vec<Column> {
            let mut columns = self.masks.columns(length);
            columns.push(Column::ids(LABEL_POSITIONS, length));
            columns
        }

        fn fill(&self, corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
            let length = row.length;
            let (mut masks, own) = row.split();
            self.masks.fill(corpus, key, &mut masks)?;
            let [Cells::Ids(positions)] = own else {
                unreachable!("the kinds are those that `columns` gives")
            };
            shuffle(key, self.share, length, positions);
            Ok(())
        }
    }

    /// `positions` becomes a permutation of itself that moves about a share of the first `length`.
    fn shuffle(key: Key, share: f64, length: usize, positions: &mut [i64]) {
        for (position, source) in positions.iter_mut().enumerate() {
            *source = position as i64;
        }
        let mut rng = key.rng(SHUFFLE);
        let chosen: Vec<usize> = (0..length).filter(|_| rng.unit() < share).collect();
        // Fisher and Yates: every order of the chosen positions is equally likely.
        for last in (1..chosen.len()).rev() {
            positions.swap(chosen[last], chosen[rng.below(last as u32 + 1) as usize]);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn positions(example: u64, share: f64) -> Vec<i64> {
            let mut positions = vec![-1; 500];
            shuffle(Key { seed: 1, step: 2, example }, share, 450, &mut positions);
            positions
        }

        fn moved(positions: &[i64]) -> usize {
            (0_i64..).zip(positions).filter(|(position, source)| position != *source).count()
        }

        #[test]
        fn about_the_share_of_the_tokens_gets_a_label_of_another() {
            let third = positions(7, 0.3);
            let mut sorted = third.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..500).collect::<Vec<i64>>(), "a permutation");
            assert_eq!(third[450..], (450..500).collect::<Vec<i64>>(), "padding is left alone");
            // 135 of 450 are expected to be chosen, with a standard deviation of 10; nearly all of these get another's.
            let count = moved(&third);
            assert!((90..=180).contains(&count), "{count} of 450");
            assert_eq!(moved(&positions(7, 0.0)), 0);
            assert!(moved(&positions(7, 1.0)) > 430);
        }

        #[test]
        fn the_shuffle_is_a_function_of_the_example() {
            assert_eq!(positions(7, 0.3), positions(7, 0.3));
            assert_ne!(positions(7, 0.3), positions(8, 0.3));
        }
    }
}
