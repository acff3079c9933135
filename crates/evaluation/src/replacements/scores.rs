//! From sorted positions to shares and scores; no libtorch in it.

use std::collections::BTreeMap;

use electra_metrics::auc;
use serde::Serialize;

use super::Kind;
use crate::Error;

/// What was put in the place of masked tokens, and which of it was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replacements {
    /// Masked positions.
    pub masked: u64,
    /// Mean of −log p(original) at the masked positions, in nats: the generator's, or the encoder's own where it is
    /// what predicts from `[MASK]`; none where nothing does.
    pub masked_lm_loss: Option<f64>,
    /// Every kind; none where the encoder sees masks and nothing is replaced.
    pub kinds: Vec<KindScores>,
    /// Over all kinds; none where nothing says what was replaced.
    pub detection: Option<Detection>,
}

/// The masked positions of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindScores {
    /// The kind.
    pub kind: Kind,
    /// How many there are.
    pub count: u64,
    /// Of all masked positions.
    pub share: f64,
    /// Share that is called replaced at probability one half; none of those that are right, which were not replaced.
    pub recall: Option<f64>,
    /// Probability that one of them looks more replaced than a token that is not, ties counting one half; none of
    /// those that are right.
    pub auc: Option<f64>,
}

/// How well replaced tokens are told from the others, padding left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// As of a kind, over all that was replaced.
    pub recall: Option<f64>,
    /// As of a kind, over all that was replaced.
    pub auc: Option<f64>,
    /// Share of the tokens that were not replaced that is called replaced.
    pub false_alarms: Option<f64>,
    /// The AUC at masked positions alone: replaced ones against those that got the original back.
    pub masked_auc: Option<f64>,
    /// The AUC at masked positions of one who knows nothing but the class of the original word, and for each class how
    /// often it is replaced: what a detector has without having understood anything.
    pub class_auc: Option<f64>,
    /// By how much `masked_auc` exceeds `class_auc`.
    pub excess: Option<f64>,
}

/// Logits of "replaced" by what became of the token.
#[derive(Clone, Debug, Default)]
pub(super) struct Logits {
    /// At masked positions, by kind.
    pub(super) kinds: [Vec<f64>; Kind::ALL.len()],
    /// At every token that was not replaced, right samples among them.
    pub(super) original: Vec<f64>,
    /// By class of the original, of which words that the lexicon lacks have one: masked positions that got the original
    /// back, and those that were replaced.
    pub(super) classes: BTreeMap<Option<String>, [u64; 2]>,
}

impl Logits {
    /// # Errors
    /// [`Error::Metrics`] if a logit is not a number.
    pub(super) fn detection(&self) -> Result<Detection, Error> {
        let replaced: Vec<f64> = self.kinds[1..].iter().flatten().copied().collect();
        let masked_auc = auc_of(&replaced, &self.kinds[Kind::Right as usize])?;
        let class_auc = self.class_auc();
        Ok(Detection {
            recall: called_replaced(&replaced),
            auc: auc_of(&replaced, &self.original)?,
            false_alarms: called_replaced(&self.original),
            masked_auc,
            class_auc,
            excess: masked_auc.zip(class_auc).map(|(found, known)| found - known),
        })
    }

    /// The area under the curve of the share that is replaced of each class, ties counting one half.
    fn class_auc(&self) -> Option<f64> {
        let mut classes: Vec<[f64; 2]> =
            self.classes.values().map(|counts| counts.map(|count| count as f64)).collect();
        classes.sort_by(|a, b| (a[1] / (a[0] + a[1])).total_cmp(&(b[1] / (b[0] + b[1]))));
        let (mut right, mut above) = (0.0, 0.0);
        let mut level = 0;
        while level < classes.len() {
            // Classes of one share are tied.
            let share = |class: &[f64; 2]| {
                class[1] * (classes[level][0] + classes[level][1])
                    == classes[level][1] * (class[0] + class[1])
            };
            let tied = classes[level..].iter().take_while(|class| share(class));
            let [of_right, of_replaced] =
                tied.clone().fold([0.0, 0.0], |sum, class| [sum[0] + class[0], sum[1] + class[1]]);
            level += tied.count();
            above += of_replaced * (right + of_right / 2.0);
            right += of_right;
        }
        let replaced: f64 = classes.iter().map(|class| class[1]).sum();
        (right > 0.0 && replaced > 0.0).then(|| above / (right * replaced))
    }

    /// Recall and AUC of a kind.
    pub(super) fn recall_and_auc(&self, kind: Kind) -> Result<(Option<f64>, Option<f64>), Error> {
        if kind == Kind::Right {
            return Ok((None, None));
        }
        let logits = &self.kinds[kind as usize];
        Ok((called_replaced(logits), auc_of(logits, &self.original)?))
    }
}

fn auc_of(replaced: &[f64], others: &[f64]) -> Result<Option<f64>, Error> {
    if replaced.is_empty() || others.is_empty() {
        return Ok(None);
    }
    let scores = [replaced, others].concat();
    let labels: Vec<bool> = (0..scores.len()).map(|index| index < replaced.len()).collect();
    Ok(Some(auc(&scores, &labels)?))
}

fn called_replaced(logits: &[f64]) -> Option<f64> {
    let called = logits.iter().filter(|logit| **logit > 0.0).count();
    (!logits.is_empty()).then(|| called as f64 / logits.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_and_auc_are_those_counted_by_hand() {
        let mut found = Logits { original: vec![-2.0, -1.0, 0.5, -3.0], ..Logits::default() };
        found.kinds[Kind::Right as usize] = vec![-3.0];
        found.kinds[Kind::SameClass as usize] = vec![-1.0, 1.0];
        found.kinds[Kind::OtherClass as usize] = vec![2.0, 0.0, 3.0];
        // −1 is above −2 and −3 and level with −1, 1 above all four: (2.5 + 4) / 8.
        assert_eq!(found.recall_and_auc(Kind::SameClass).unwrap(), (Some(0.5), Some(6.5 / 8.0)));
        // 2 and 3 are above all, 0 above three; 0 itself is not called replaced.
        assert_eq!(found.recall_and_auc(Kind::OtherClass).unwrap(), (Some(2.0 / 3.0), Some(11.0 / 12.0)));
        assert_eq!(found.recall_and_auc(Kind::SameFeatures).unwrap(), (None, None));
        assert_eq!(found.recall_and_auc(Kind::Right).unwrap(), (None, None));
        let all = found.detection().unwrap();
        assert_eq!((all.recall, all.auc, all.false_alarms), (Some(0.6), Some(17.5 / 20.0), Some(0.25)));
    }

    #[test]
    fn the_class_alone_has_the_auc_of_its_share_that_is_replaced() {
        let mut found = Logits::default();
        found.kinds[Kind::Right as usize] = vec![-3.0, -1.0];
        found.kinds[Kind::SameClass as usize] = vec![-2.0, 1.0];
        let counts = [(Some("stop"), [6, 0]), (Some("noun"), [1, 3]), (Some("verb"), [2, 6]), (None, [1, 1])];
        found.classes = counts.map(|(class, counts)| (class.map(str::to_owned), counts)).into();
        // By hand: scores 0 (6 right), 1/2 (1, 1), 3/4 (3, 9), the last two classes being tied.
        let expected = (1.0 * (6.0 + 0.5) + 9.0 * (7.0 + 1.5)) / (10.0 * 10.0);
        let all = found.detection().unwrap();
        assert!((all.class_auc.unwrap() - expected).abs() < 1e-12);
        // 1 is above both, −2 above −3.
        assert_eq!(all.masked_auc, Some(0.75));
        assert!((all.excess.unwrap() - (0.75 - expected)).abs() < 1e-12);
        let mut scores = Vec::new();
        let mut labels = Vec::new();
        for [right, replaced] in found.classes.values() {
            let share = *replaced as f64 / (right + replaced) as f64;
            scores.extend(vec![share; (right + replaced) as usize]);
            labels.extend((0..right + replaced).map(|index| index >= *right));
        }
        assert!((auc(&scores, &labels).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn nothing_found_is_no_number_and_a_logit_that_is_none_is_an_error() {
        let all = Logits::default().detection().unwrap();
        assert_eq!((all.recall, all.auc, all.false_alarms), (None, None, None));
        let mut found = Logits { original: vec![f64::NAN], ..Logits::default() };
        found.kinds[Kind::SameClass as usize] = vec![1.0];
        assert!(matches!(found.recall_and_auc(Kind::SameClass), Err(Error::Metrics(_))));
    }
}
