use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;
use compact_str::CompactString;

/// Entries a cache holds before it starts anew: some 10 MB.
const MAX_ENTRIES: usize = 1 << 16;
/// Longer pieces are seldom seen twice.
const MAX_PIECE_BYTES: usize = 64;

/// Ids of pieces seen before. A piece's ids depend on the piece alone, so that what a cache holds changes
/// the speed and never the result.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    spans: AHashMap<CompactString, (u32, u32)>,
    ids: Vec<u32>,
}

impl Cache {
    /// Appends the ids of `piece` to `ids`, from the cache or by `encode`.
    pub(crate) fn extend(
        &mut self,
        ids: &mut Vec<u32>,
        piece: &str,
        encode: impl FnOnce(&mut Vec<u32>, &str),
    ) {
        if let Some(&(start, end)) = self.spans.get(piece) {
            ids.extend_from_slice(&self.ids[start as usize..end as usize]);
            return;
        }
        let known = ids.len();
        encode(ids, piece);
        if piece.len() > MAX_PIECE_BYTES {
            return;
        }
        if self.spans.len() == MAX_ENTRIES {
            self.spans.clear();
            self.ids.clear();
        }
        let start = self.ids.len() as u32;
        self.ids.extend_from_slice(&ids[known..]);
        self.spans.insert(piece.into(), (start, self.ids.len() as u32));
    }
}

/// Caches waiting for a thread that encodes; each is used by one thread at a time.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Cache>>);

impl Pool {
    pub(crate) fn take(&self) -> Lent<'_> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lent { pool: self, cache: cache.unwrap_or_default() }
    }
}

/// A cache that goes back to its pool when dropped.
pub(crate) struct Lent<'p> {
    pool: &'p Pool,
    pub(crate) cache: Cache,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let cache = std::mem::take(&mut self.cache);
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).push(cache);
    }
}
