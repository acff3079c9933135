//! Choosing the positions to mask.

use crate::masker::Scratch;
use crate::{Choice, KeyedRng, MaskingConfig, Vocabulary};

/// A word: its positions `start..end`, and whether it has been taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    start: u32,
    end: u32,
    taken: bool,
}

impl Word {
    fn length(self) -> usize {
        (self.end - self.start) as usize
    }
}

pub(crate) struct Chooser<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) continues_word: &'a [bool],
}

impl Chooser<'_> {
    /// Leaves up to `k` positions of `ids` in `scratch.chosen`, ascending.
    pub(crate) fn choose(
        &self,
        config: &MaskingConfig,
        k: usize,
        ids: &[i64],
        rng: &mut KeyedRng,
        scratch: &mut Scratch,
    ) {
        scratch.chosen.clear();
        match config.choice {
            Choice::Token if config.with_replacement => self.with_replacement(k, ids, rng, scratch),
            Choice::Token => self.without_replacement(k, ids, rng, scratch),
            Choice::WholeWord => self.words(k, 1, ids, rng, scratch),
            Choice::NGram { max } => self.words(k, max, ids, rng, scratch),
        }
        scratch.chosen.sort_unstable();
    }

    fn candidates(&self, ids: &[i64], candidates: &mut Vec<u32>) {
        // Written without a branch: every position is stored, and only the cursor depends on the token.
        candidates.resize(ids.len(), 0);
        let mut count = 0;
        for (position, &id) in ids.iter().enumerate() {
            candidates[count] = position as u32;
            count += usize::from(self.vocabulary.is_maskable(id as u32));
        }
        candidates.truncate(count);
    }

    /// The first k steps of a Fisher–Yates shuffle of the maskable positions.
    fn without_replacement(&self, k: usize, ids: &[i64], rng: &mut KeyedRng, scratch: &mut Scratch) {
        let Scratch { candidates, chosen, .. } = scratch;
        self.candidates(ids, candidates);
        for place in 0..k.min(candidates.len()) {
            let other = place + rng.below((candidates.len() - place) as u32) as usize;
            candidates.swap(place, other);
            chosen.push(candidates[place]);
        }
    }

    /// k draws of a maskable position.
    fn with_replacement(&self, k: usize, ids: &[i64], rng: &mut KeyedRng, scratch: &mut Scratch) {
        let Scratch { candidates, chosen, .. } = scratch;
        self.candidates(ids, candidates);
        if candidates.is_empty() {
            return;
        }
        chosen.extend((0..k).map(|_| candidates[rng.below(candidates.len() as u32) as usize]));
    }

    /// Runs of up to `max` words, from starts in random order, while they fit.
    fn words(&self, k: usize, max: usize, ids: &[i64], rng: &mut KeyedRng, scratch: &mut Scratch) {
        self.split_words(ids, &mut scratch.words);
        let Scratch { candidates: starts, chosen, words } = scratch;
        starts.clear();
        starts.extend(0..words.len() as u32);
        let harmonic: f64 = (1..=max).map(|n| 1.0 / n as f64).sum();
        for place in 0..starts.len() {
            if chosen.len() >= k {
                return;
            }
            let other = place + rng.below((starts.len() - place) as u32) as usize;
            starts.swap(place, other);
            let first = starts[place] as usize;
            let run_length = if max == 1 { 1 } else { draw_length(max, rng.unit() * harmonic) };
            // Taking words one by one until one does not fit shortens the run as far as needed.
            for index in first..first + run_length {
                let adjacent =
                    index == first || words.get(index).is_some_and(|word| word.start == words[index - 1].end);
                match words.get_mut(index) {
                    Some(word) if adjacent && !word.taken && chosen.len() + word.length() <= k => {
                        word.taken = true;
                        chosen.extend(word.start..word.end);
                    }
                    _ => break,
                }
            }
        }
    }

    /// The maskable positions as words. A continuation that follows no word of its segment begins one:
    /// an example may begin in the middle of a word.
    fn split_words(&self, ids: &[i64], words: &mut Vec<Word>) {
        words.clear();
        let mut open = false;
        for (position, &id) in ids.iter().enumerate() {
            if !self.vocabulary.is_maskable(id as u32) {
                open = false;
                continue;
            }
            let continues = self.continues_word.get(id as usize).copied().unwrap_or(false);
            match words.last_mut() {
                Some(word) if open && continues => word.end += 1,
                _ => words.push(Word { start: position as u32, end: position as u32 + 1, taken: false }),
            }
            open = true;
        }
    }
}

/// The n with 1 + 1/2 + … + 1/(n − 1) ≤ `share` < 1 + 1/2 + … + 1/n.
fn draw_length(max: usize, mut share: f64) -> usize {
    for n in 1..max {
        share -= 1.0 / n as f64;
        if share < 0.0 {
            return n;
        }
    }
    max
}

#[cfg(test)]
mod tests {
    use super::draw_length;

    #[test]
    fn lengths_change_where_the_harmonic_sums_are() {
        for (share, length) in [(0.0, 1), (0.999, 1), (1.0, 2), (1.499, 2), (1.5, 3), (1.83, 3)] {
            assert_eq!(draw_length(3, share), length, "{share}");
        }
        assert_eq!(draw_length(1, 0.5), 1);
    }
}
