//! What ranks say of one that is gone.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::meeting::{failed, list};
use super::{Groups, Met, Ranks};
use crate::Error;

/// How long a rank that has lost another waits for the others to say that they are there.
const PATIENCE: Duration = Duration::from_secs(3);
const INTERVAL: Duration = Duration::from_millis(20);

impl Ranks {
    /// Ends in good order, once all ranks have come to their end.
    pub(crate) fn leave(&self) -> Result<(), Error> {
        self.max([0.0])?;
        let Some(met) = &self.meeting else { return Ok(()) };
        met.groups.replace(Groups::default());
        let all = met.size as i64;
        let said = met.store.add("left", 1);
        if met.hosts_store && said.is_ok() {
            // Others may still read what this process hosts.
            wait_until(PATIENCE, || met.store.add("left", 0).is_ok_and(|left| left >= all));
        }
        Ok(())
    }

    /// Lets the others know of this rank's error, and puts in the place of a lost rank which one it was and why.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let Some(met) = &self.meeting else { return error };
        let key = failed(met.rank);
        if let Error::Lost { said } = error {
            // First of all: it spreads to ranks that are not neighbours of the lost one.
            met.groups.replace(Groups::default());
            // Where the store is gone, its host is.
            let _ = met.store.set(&key, "");
            let found = met.find(&said);
            met.linger();
            return found;
        }
        let _ = met.store.set(&key, &error.to_string());
        met.groups.replace(Groups::default());
        met.linger();
        error
    }
}

impl Met {
    /// Which rank was lost.
    fn find(&self, said: &str) -> Error {
        let mut words: Vec<Option<String>> = vec![None; self.size];
        let mut is_store_gone = false;
        wait_until(PATIENCE, || {
            for (rank, word) in words.iter_mut().enumerate().filter(|(_, word)| word.is_none()) {
                match self.store.get(&failed(rank)) {
                    Ok(told) => *word = told,
                    Err(_) => is_store_gone = true,
                }
            }
            is_store_gone || words.iter().all(Option::is_some)
        });
        let cause = words.iter().position(|word| word.as_ref().is_some_and(|word| !word.is_empty()));
        let silent: Vec<usize> = (0..self.size).filter(|rank| words[*rank].is_none()).collect();
        let why = match cause {
            Some(rank) => format!("rank {rank} ended: {}", words[rank].as_deref().unwrap_or_default()),
            None if is_store_gone => format!("the host of the store is gone: {said}"),
            None if silent.is_empty() => format!("the connection was lost: {said}"),
            None => format!("{} ended without a word or does not answer", list(silent.into_iter())),
        };
        Error::LostRank { rank: self.rank, size: self.size, why }
    }

    /// Lets others read what is in the store that this process hosts.
    fn linger(&self) {
        if self.hosts_store {
            let all = self.size as i64;
            let _ = self.store.add("gone", 1);
            wait_until(PATIENCE, || self.store.add("gone", 0).is_ok_and(|gone| gone >= all));
        } else {
            let _ = self.store.add("gone", 1);
        }
    }
}

fn wait_until(patience: Duration, mut is_done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_done() && begin.elapsed() < patience {
        sleep(INTERVAL);
    }
}
