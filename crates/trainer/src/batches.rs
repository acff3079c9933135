//! Batches made by a thread of their own while the step before is computed.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope};

use electra_data::{Batch, Corpus, Loader, Order, View};

use crate::Error;

/// How many steps' batches may wait.
const AHEAD: usize = 2;

/// What a run's batches are a function of, beside the step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchSource<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) view: &'a dyn View,
    pub(crate) batch_size: usize,
    /// In how many parts this rank's rows come.
    pub(crate) parts: usize,
    pub(crate) seed: u64,
    /// Which of the step's rows these are: (rank, ranks).
    pub(crate) share: (usize, usize),
}

impl BatchSource<'_> {
    /// The examples of a step.
    pub(crate) fn examples(&self, step: u64) -> Result<Vec<u64>, Error> {
        let order = Order::new(self.corpus.examples(), self.batch_size, self.seed)?;
        Ok(order.step(step).collect())
    }
}

/// The parts of a run's batches, step after step. Dropped, it ends its thread.
#[derive(Debug)]
pub(crate) struct Batches {
    full: Receiver<Result<Vec<Batch>, Error>>,
    empty: SyncSender<Vec<Batch>>,
}

impl Batches {
    /// Starts the thread, at a step.
    pub(crate) fn start<'scope, 'a: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        source: BatchSource<'a>,
        first_step: u64,
    ) -> Result<Self, Error> {
        let BatchSource { corpus, view, batch_size, parts, seed, share: (rank, ranks) } = source;
        let loader = Loader::new(corpus, view, batch_size, seed)?.for_rank(rank, ranks)?;
        // Refuses parts that do not divide the batch before the thread begins.
        let mut first = Some(loader.empty_parts(parts)?);
        let (full_sender, full) = sync_channel(AHEAD);
        let (empty, emptied) = sync_channel(AHEAD + 1);
        let thread = Builder::new().spawn_scoped(scope, move || {
            for step in first_step.. {
                let reused = first.take().or_else(|| emptied.try_recv().ok());
                let filled = reused.map_or_else(|| loader.empty_parts(parts), Ok).and_then(|mut batch| {
                    loader.fill(step, &mut batch)?;
                    Ok(batch)
                });
                let failed = filled.is_err();
                let sent = full_sender.send(filled.map_err(Error::from));
                // Nobody listens once the run is over.
                if sent.is_err() || failed {
                    return;
                }
            }
        });
        thread.map_err(electra_data::Error::Thread)?;
        Ok(Self { full, empty })
    }

    /// The parts of the next step.
    pub(crate) fn next(&mut self) -> Result<Vec<Batch>, Error> {
        self.full.recv().expect("the thread ends with an error, after which no more is asked for")
    }

    /// Gives a step's parts back, to be filled again.
    pub(crate) fn give_back(&mut self, parts: Vec<Batch>) {
        // Full only if more came back than went out; then there is one less to reuse.
        let _ = self.empty.try_send(parts);
    }
}
