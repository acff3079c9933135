//! Batch after batch is sorted into kinds.

use electra_objective::{DeviceBatch, Inspection};
use tch::{Device, Kind as Type, TchError, Tensor};

use super::scores::{KindScores, Logits, Replacements};
use super::{Kind, Lexicon};
use crate::Error;

/// What has become of the masked tokens so far.
#[derive(Debug)]
pub struct Tally<'a> {
    lexicon: &'a Lexicon,
    /// Masked positions, each once.
    masked: u64,
    /// Σ of a batch's loss times the slots that it is the mean of, and how many those are.
    loss: Option<(f64, f64)>,
    counts: Option<[u64; Kind::ALL.len()]>,
    found: Option<Logits>,
}

impl<'a> Tally<'a> {
    /// Nothing so far.
    #[must_use]
    pub fn new(lexicon: &'a Lexicon) -> Self {
        Self { lexicon, masked: 0, loss: None, counts: None, found: None }
    }

    /// Adds a batch of which an objective has told this. A position that was drawn twice counts once.
    ///
    /// # Errors
    /// If libtorch refuses something.
    pub fn add(&mut self, batch: &DeviceBatch, inspection: &Inspection) -> Result<(), Error> {
        let distinct = batch.column("masked_distinct");
        self.masked += distinct.f_sum(Type::Int64)?.f_int64_value(&[])? as u64;
        if let Some(loss) = &inspection.masked_lm_loss {
            let slots = batch.column("masked_valid").f_sum(Type::Double)?.f_double_value(&[])?;
            // The loss is this batch's share of the step's.
            let of_step = batch.total("masked_valid").f_double_value(&[])?;
            let (sum, all) = self.loss.unwrap_or_default();
            self.loss = Some((sum + of_step * loss.f_double_value(&[])?, all + slots));
        }
        let Some(ids) = &inspection.corrupted_ids else { return Ok(()) };
        let at_masked = |cells: &Tensor| -> Result<Tensor, TchError> {
            cells.f_gather(1, batch.column("masked_positions"), false)?.f_masked_select(distinct)
        };
        let originals: Vec<i64> = host(&at_masked(&batch.input_ids)?, Type::Int64)?;
        let samples: Vec<i64> = host(&at_masked(ids)?, Type::Int64)?;
        let pairs = originals.iter().zip(&samples);
        let kinds: Vec<Kind> =
            pairs.map(|(&original, &sample)| self.lexicon.kind(original as u32, sample as u32)).collect();
        let counts = self.counts.get_or_insert_default();
        kinds.iter().for_each(|&kind| counts[kind as usize] += 1);
        if let Some(logits) = &inspection.replaced_logits {
            let found = self.found.get_or_insert_default();
            let masked: Vec<f64> = host(&at_masked(logits)?, Type::Double)?;
            kinds.iter().zip(masked).for_each(|(&kind, logit)| found.kinds[kind as usize].push(logit));
            for (&original, &kind) in originals.iter().zip(&kinds) {
                let counts = found.classes.entry(self.lexicon.class(original as u32)).or_default();
                counts[usize::from(kind != Kind::Right)] += 1;
            }
            let is_original = ids.f_eq_tensor(&batch.input_ids)?.f_logical_and(&batch.attention_mask)?;
            found.original.extend(host::<f64>(&logits.f_masked_select(&is_original)?, Type::Double)?);
        }
        Ok(())
    }

    /// Shares and scores.
    ///
    /// # Errors
    /// [`Error::Metrics`] if a logit was not a number.
    pub fn finish(&self) -> Result<Replacements, Error> {
        let counts = self.counts.iter().flat_map(|counts| Kind::ALL.into_iter().zip(counts));
        let kinds = counts.map(|(kind, &count)| {
            let (recall, auc) =
                self.found.as_ref().map_or(Ok((None, None)), |found| found.recall_and_auc(kind))?;
            let share = count as f64 / self.masked.max(1) as f64;
            Ok(KindScores { kind, count, share, recall, auc })
        });
        Ok(Replacements {
            masked: self.masked,
            masked_lm_loss: self.loss.filter(|(_, slots)| *slots > 0.0).map(|(sum, slots)| sum / slots),
            kinds: kinds.collect::<Result<_, Error>>()?,
            detection: self.found.as_ref().map(Logits::detection).transpose()?,
        })
    }
}

/// The elements of a flat tensor, wherever it is.
fn host<T>(tensor: &Tensor, kind: Type) -> Result<Vec<T>, TchError>
where
    Vec<T>: TryFrom<Tensor, Error = TchError>,
{
    Vec::try_from(tensor.f_to_kind(kind)?.f_to_device(Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of four tokens, the last of the second being padding. Of the first, positions 1 and 2 are masked,
    /// 2 twice; of the second position 1.
    fn batch() -> DeviceBatch {
        let ids = |cells: &[i64]| Tensor::from_slice(cells).view([2, -1]);
        let marks = |cells: &[bool]| Tensor::from_slice(cells).view([2, -1]);
        let attention_mask = marks(&[true, true, true, true, true, true, true, false]);
        DeviceBatch::from_tensors(ids(&[9, 0, 1, 9, 9, 2, 9, 8]), attention_mask, ids(&[0; 8]))
            .with("masked_input_ids", ids(&[9, 7, 7, 9, 9, 7, 9, 8]))
            .with("masked_positions", ids(&[1, 2, 2, 1, 0, 0]))
            .with("masked_valid", marks(&[true, true, true, true, false, false]))
            .with("masked_distinct", marks(&[true, true, false, true, false, false]))
    }

    /// `a` and `b` are alike, `c` is of another class; 9 is in no lexicon.
    fn lexicon() -> Lexicon {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.tsv");
        std::fs::write(&path, "word\tclass\na\tnoun\nb\tnoun\nc\tverb\n").unwrap();
        let token = |word: &str| Some(u32::from(word.as_bytes()[0] - b'a'));
        Lexicon::read(&path, token).unwrap()
    }

    #[test]
    fn positions_are_sorted_and_their_logits_with_them() {
        let (lexicon, batch) = (lexicon(), batch());
        // The first sample is right, the second of another class, the third of unknown class.
        let corrupted = Tensor::from_slice(&[9_i64, 0, 2, 9, 9, 9, 9, 8]).view([2, 4]);
        let logits = Tensor::from_slice(&[-4.0_f32, 1.0, 3.0, -4.0, -4.0, -5.0, -4.0, 9.0]).view([2, 4]);
        let inspection = Inspection {
            masked_lm_loss: Some(Tensor::from(2.0_f32)),
            corrupted_ids: Some(corrupted),
            replaced_logits: Some(logits),
        };
        let mut tally = Tally::new(&lexicon);
        tally.add(&batch, &inspection).unwrap();
        tally.add(&batch, &Inspection { masked_lm_loss: Some(Tensor::from(4.0_f32)), ..inspection }).unwrap();
        let found = tally.finish().unwrap();
        assert_eq!(
            (found.masked, found.masked_lm_loss),
            (6, Some(3.0)),
            "a position drawn twice counts once"
        );
        let counts: Vec<_> = found.kinds.iter().map(|scores| (scores.kind, scores.count)).collect();
        let expected = [2, 0, 0, 2, 2];
        assert_eq!(counts, Kind::ALL.into_iter().zip(expected).collect::<Vec<_>>());
        let scores = |kind: Kind| &found.kinds[kind as usize];
        assert_eq!((scores(Kind::Right).share, scores(Kind::Right).auc), (1.0 / 3.0, None));
        // Originals have −4 four times and 1, the right sample; padding has the highest logit and is none of them.
        assert_eq!((scores(Kind::OtherClass).recall, scores(Kind::OtherClass).auc), (Some(1.0), Some(1.0)));
        assert_eq!((scores(Kind::Unlisted).recall, scores(Kind::Unlisted).auc), (Some(0.0), Some(0.0)));
        let all = found.detection.unwrap();
        assert_eq!((all.recall, all.auc, all.false_alarms), (Some(0.5), Some(0.5), Some(0.2)));
        // Of the masked positions one got the original back; its logit is below one of the others. Two are nouns, of
        // which one is replaced, the third is a verb and is.
        assert_eq!((all.masked_auc, all.class_auc), (Some(0.5), Some(0.75)));
    }

    #[test]
    fn where_nothing_is_replaced_there_is_a_loss_alone() {
        let lexicon = lexicon();
        let mut tally = Tally::new(&lexicon);
        let loss = Some(Tensor::from(1.5_f32));
        let inspection = Inspection { masked_lm_loss: loss, corrupted_ids: None, replaced_logits: None };
        tally.add(&batch(), &inspection).unwrap();
        let found = tally.finish().unwrap();
        assert_eq!((found.masked, found.masked_lm_loss), (3, Some(1.5)));
        assert!(found.kinds.is_empty() && found.detection.is_none());
    }
}
