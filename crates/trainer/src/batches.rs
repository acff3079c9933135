//! Batches made by a thread of their own while the step before is computed.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use electra_data::{Batch, Corpus, Loader, MaskingConfig};
use electra_masking::Scratch;

use crate::Error;

/// How many batches may wait.
const AHEAD: usize = 2;

/// What a run's batches are a function of, beside the step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) masking: &'a MaskingConfig,
    /// For each token whether it goes on a word; empty unless words are masked whole.
    pub(crate) continues_word: &'a [bool],
    pub(crate) batch_size: usize,
    /// In how many parts a step's batch comes.
    pub(crate) parts: usize,
    pub(crate) seed: u64,
}

impl<'a> Source<'a> {
    /// A loader for each part of a step's batch, in the order of the rows: the parts are to time what ranks
    /// are to machines.
    fn loaders(&self) -> Result<Vec<Loader<'a>>, Error> {
        let loader = || {
            let masking = self.masking.clone();
            Loader::new(self.corpus, masking, self.continues_word, self.batch_size, self.seed)
        };
        (0..self.parts).map(|part| Ok(loader()?.for_rank(part, self.parts)?)).collect()
    }

    /// N, slots of a row for masked positions.
    pub(crate) fn max_masked(&self) -> Result<usize, Error> {
        Ok(self.loaders()?[0].empty_batch().max_masked)
    }

    /// The examples of a step.
    pub(crate) fn examples(&self, step: u64) -> Result<Vec<u64>, Error> {
        let order = electra_data::Order::new(self.corpus.examples(), self.batch_size, self.seed)?;
        Ok(order.step(step).collect())
    }
}

/// The parts of a run's batches, step after step. Dropped, it ends its thread.
#[derive(Debug)]
pub(crate) struct Batches {
    full: Receiver<Result<Batch, Error>>,
    empty: SyncSender<Batch>,
}

impl Batches {
    /// Starts the thread, at a step.
    pub(crate) fn start<'scope, 'a: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        source: Source<'a>,
        first_step: u64,
    ) -> Result<Self, Error> {
        let loaders = source.loaders()?;
        let (full_sender, full) = sync_channel(AHEAD);
        let (empty, emptied) = sync_channel(AHEAD + 1);
        scope.spawn(move || {
            let mut scratch = Scratch::default();
            for (step, part) in
                (first_step..).flat_map(|step| (0..loaders.len()).map(move |part| (step, part)))
            {
                let mut batch = emptied.try_recv().unwrap_or_else(|_| loaders[part].empty_batch());
                let filled = loaders[part].fill(step, &mut batch, &mut scratch);
                let failed = filled.is_err();
                let sent = full_sender.send(filled.map(|()| batch).map_err(Error::from));
                // Nobody listens once the run is over.
                if sent.is_err() || failed {
                    return;
                }
            }
        });
        Ok(Self { full, empty })
    }

    /// The next part.
    pub(crate) fn next(&mut self) -> Result<Batch, Error> {
        self.full.recv().expect("the thread ends with an error, after which no more is asked for")
    }

    /// Gives a part back, to be filled again.
    pub(crate) fn give_back(&mut self, batch: Batch) {
        // Full only if more came back than went out; then there is one less to reuse.
        let _ = self.empty.try_send(batch);
    }
}
