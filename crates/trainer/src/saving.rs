//! What a run under way writes: checkpoints, and the steps that it cannot go on from.

use electra_config::Checkpoint;

use crate::checkpoint::{self, Snapshot, State};
use crate::run::Event;
use crate::training::Training;
use crate::writer::Writer;
use crate::{Error, optimizer};

impl Training<'_, '_> {
    /// Saves a checkpoint, unless the newest is of this step. Ranks that differ save nothing.
    pub(crate) fn save(&mut self) -> Result<(), Error> {
        self.ranks.have_same(self.learner.parameters(), self.step)?;
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        let saved = self.save_as(&mut writer);
        self.writer = Some(writer);
        saved
    }

    fn save_as(&mut self, writer: &mut Writer) -> Result<(), Error> {
        if writer.saved.as_ref().is_some_and(|saved| saved.step == self.step) {
            return Ok(());
        }
        let saved = self.write_checkpoint(writer).map_err(|source| Error::Save {
            step: self.step,
            last: writer.saved.as_ref().map(|saved| saved.folder.clone()),
            source: Box::new(source),
        })?;
        (self.observer)(&Event::Saved { step: saved.step, folder: saved.folder.clone() });
        writer.saved = Some(saved);
        Ok(())
    }

    fn write_checkpoint(&mut self, writer: &Writer) -> Result<Checkpoint, Error> {
        // Steps of other examples than the settings say are not saved as steps of this run.
        self.source.corpus.check_unchanged()?;
        let model = electra_encoder::Weights::from_var_store(&self.var_store, electra_encoder::Part::ALL);
        let optimizer = optimizer::state(&self.learner)?;
        let state = State {
            step: self.step,
            examples_seen: self.step * self.config.budget.batch as u64,
            elapsed_seconds: self.clock.elapsed(),
            skipped: self.learner.skipped()?,
            // Durable before the checkpoint is there: its lengths must not promise more than the disk holds.
            logs: writer.logs.sync()?,
            corpus: self.texts.corpus.clone(),
            valid: self.texts.valid.clone(),
            health: self.health.clone(),
            code: crate::environment::code(),
            config: self.config.clone(),
        };
        let snapshot = Snapshot { model: &model, optimizer: &optimizer, state: &state };
        let observer = &mut *self.observer;
        let written = |file: &std::path::Path| observer(&Event::Writing { file: file.to_owned() });
        checkpoint::save(&writer.folder.checkpoints, &snapshot, self.config.checkpoint.keep, written)
    }

    /// Ends a run that has skipped too many steps in a row, naming them and their examples.
    pub(crate) fn stop_if_stuck(&self) -> Result<(), Error> {
        let counts = self.learner.skipped()?;
        if (counts.longest as u64) < self.config.optimizer.max_skipped {
            return Ok(());
        }
        let Some(writer) = &self.writer else {
            // All ranks have counted the same, and the first says it.
            return Err(Error::Lost { said: "too many steps were not finite".to_owned() });
        };
        let mut steps = Vec::new();
        let mut examples = Vec::new();
        for step in counts.longest_row() {
            examples = self.source.examples(step)?;
            steps.push(serde_json::json!({ "step": step, "examples": examples }));
        }
        let dump = writer.path().join("nonfinite.json");
        let text = serde_json::to_string_pretty(&steps).expect("the keys are strings");
        electra_store::write(&dump, format!("{text}\n"))?;
        Err(Error::NonFinite {
            count: counts.longest as u64,
            step: counts.longest_end as u64,
            examples,
            dump,
        })
    }
}
