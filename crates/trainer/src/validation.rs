//! Held-out text: what a run measures there, and what it has to be.

use std::path::Path;

use electra_config::Config;
use electra_data::{Batch, Corpus, Loader};
use electra_objective::{DeviceBatch, Given, Objective, Spec};
use electra_store::Error as StoreError;
use electra_torch::Learner;
use tch::{Kind, Tensor};

use crate::ranks::Ranks;
use crate::step::{Sums, computed};
use crate::{Error, flat};

/// Every run reads the same examples with the same masks and samples, whatever its own seed, so that runs can be compared
/// and not only the steps of one.
const SEED: u64 = 0;
const STEP: u64 = 0;

/// Held-out text, in batches that are made once.
#[derive(Debug)]
pub(crate) struct HeldOut {
    batches: Vec<Batch>,
}

impl HeldOut {
    /// The batches of a corpus, as large as the parts that the run computes at once, or a little smaller.
    pub(crate) fn new(
        corpus: &Corpus,
        objective: &Spec,
        given: &Given<'_>,
        config: &Config,
    ) -> Result<Self, Error> {
        // At the rate of masks that the run ends with, which is the same at every measurement.
        let given = Given { corpus, seed: SEED, steps: None, ..*given };
        let view = (objective.view)(&given).map_err(Error::Objective)?;
        let count = (config.data.valid_examples as u64).min(corpus.examples()) as usize;
        let loader = Loader::new(corpus, &*view, count, SEED)?;
        let mut batches = loader.empty_parts_of(config.budget.batch / config.budget.accumulation)?;
        loader.fill(STEP, &mut batches)?;
        Ok(Self { batches })
    }

    /// Loss and metrics of the text as it is, without dropout and gradients. What the batches add up to stays on the device.
    ///
    /// Ranks take the batches in turns. Each batch's numbers come to all of them as they are, and are then added up in the
    /// order of the batches, so that the ranks do not change a bit.
    pub(crate) fn measure(
        &self,
        objective: &dyn Objective,
        learner: &Learner,
        ranks: &Ranks,
    ) -> Result<Sums, Error> {
        let mut sums = Sums::new(learner.device())?;
        if !ranks.are_several() {
            for index in 0..self.batches.len() {
                self.add(index, objective, learner, &mut sums)?;
            }
            return Ok(sums);
        }
        let mut table = None;
        // A rank without a batch computes one all the same, to know what there is to be measured.
        let own = (0..self.batches.len()).filter(|index| index % ranks.size() == ranks.rank());
        let own: Vec<usize> = own.collect();
        for index in if own.is_empty() { vec![0] } else { own.clone() } {
            let mut batch = Sums::new(learner.device())?;
            self.add(index, objective, learner, &mut batch)?;
            let numbers = flat::gather(&[], &batch)?;
            let table = table.get_or_insert_with(|| {
                let size = [self.batches.len() as i64, numbers.numel() as i64];
                Tensor::zeros(size, (Kind::Float, learner.device()))
            });
            if !own.is_empty() {
                table.f_get(index as i64)?.f_copy_(&numbers)?;
            }
            sums = batch;
        }
        let mut table = table.expect("a text has a batch");
        ranks.sum(&mut table, false)?;
        let rows = (0..self.batches.len() as i64).map(|index| table.f_get(index));
        let zero = table.f_get(0)?.f_zeros_like()?;
        let total = rows.into_iter().try_fold(zero, |sum, row| sum.f_add(&row?))?;
        flat::scatter(&total, &[], &mut sums)?;
        Ok(sums)
    }

    /// Adds a batch's numbers.
    fn add(
        &self,
        index: usize,
        objective: &dyn Objective,
        learner: &Learner,
        sums: &mut Sums,
    ) -> Result<(), Error> {
        let (batch, rows) =
            (&self.batches[index], self.batches.iter().map(|batch| batch.rows).sum::<usize>());
        let on_device = DeviceBatch::new(batch, learner.device());
        let (loss, metrics) = learner.evaluate(|| {
            let output = objective.forward_t(&on_device, false);
            (output.loss, output.metrics)
        })?;
        sums.add(&loss, computed(metrics)?, rows as f64 / batch.rows as f64)
    }
}

/// Opens the held-out text that the settings name, if they name one; `origin` is what messages name.
pub(crate) fn open(config: &Config, corpus: &Corpus, origin: &str) -> Result<Option<Corpus>, Error> {
    let Some(path) = &config.data.valid else { return Ok(None) };
    let valid = Corpus::open(path)?;
    fits(&config.data.corpus, corpus, path, &valid).map_err(|(found, expected)| StoreError::Setting {
        origin: origin.to_owned(),
        key: "data.valid".to_owned(),
        found: format!("{} {found}", path.display()),
        expected,
    })?;
    Ok(Some(valid))
}

/// What is found, and what is expected, where the text is not one for this run.
fn fits(path: &Path, corpus: &Corpus, valid_path: &Path, valid: &Corpus) -> Result<(), (String, String)> {
    let (trained, held_out) = (corpus.manifest(), valid.manifest());
    let shown = path.display();
    if (&trained.tokenizer, &trained.vocabulary) != (&held_out.tokenizer, &held_out.vocabulary) {
        return Err((
            format!("was built with the tokenizer of sha256 {}", held_out.tokenizer),
            format!("a corpus of the tokenizer that {shown} was built with, {}", trained.tokenizer),
        ));
    }
    if valid.max_length() > corpus.max_length() {
        return Err((
            format!("has examples of up to {} tokens", valid.max_length()),
            format!("at most {}, as {shown} has", corpus.max_length()),
        ));
    }
    let hashes = |corpus: &Corpus| -> Vec<String> {
        corpus.manifest().shards.iter().map(|shard| shard.sha256.clone()).collect()
    };
    if valid_path == path || hashes(corpus) == hashes(valid) {
        return Err(("is the text that is trained on".to_owned(), "text that is not trained on".to_owned()));
    }
    Ok(())
}
