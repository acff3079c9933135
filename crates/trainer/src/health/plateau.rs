//! The plateau of token frequencies.
//!
//! A language model learns first how frequent tokens are, and only then how they depend on their neighbours. Between the two its
//! loss stays where frequencies alone bring it (`electra_masking::unigram_loss`): for a hundred steps, or for as long as it
//! is trained.

use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{Predicted, Remark, RunState};

/// A mean loss of at most so many times the unigram loss has come to the plateau. Small networks stay a few parts of a
/// hundred above it, since they learn frequencies of rare tokens slowly.
const REACHED: f64 = 1.05;
/// A mean loss below this has left it.
const LEFT: f64 = 0.95;
/// A mean loss above this has left it upwards. It is more than `REACHED`, lest chance ends and begins it again and again.
const LOST: f64 = 1.1;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plateau {
    losses: Window,
    /// Steps that were done when the loss first came down to the plateau.
    first: Option<u64>,
    /// Steps that were done when it came there last; none while it is elsewhere.
    since: Option<u64>,
    /// Log lines from then on.
    lines: usize,
    is_said: bool,
}

impl Plateau {
    /// A run that only passes by spends less time there than it took to come; one that has stayed as long is on the plateau.
    pub(super) fn take(
        &mut self,
        step: u64,
        loss: f64,
        (predicted, unigram_loss): (Predicted, f64),
        lines: usize,
    ) -> Option<Remark> {
        let mean = self.losses.mean(loss, lines)?;
        let (share, words) = (mean / unigram_loss, predicted.words());
        let remark = |since, is_over, text| {
            Some(Remark { step, state: RunState::UnigramPlateau, since, is_over, text })
        };
        let Some(since) = self.since else {
            if (LEFT..=REACHED).contains(&share) {
                self.first.get_or_insert(step);
                (self.since, self.lines) = (Some(step), 0);
            }
            return None;
        };
        self.lines += 1;
        if !(LEFT..=LOST).contains(&share) {
            let was_said = std::mem::take(&mut self.is_said);
            self.since = None;
            let direction = if share > LOST { format!("; the {words} is above it") } else { String::new() };
            let text = format!(
                "left the unigram plateau at step {step}, where it was since step {since}{direction}"
            );
            return if was_said { remark(since, true, text) } else { None };
        }
        let took = self.first.unwrap_or(since);
        if self.is_said || self.lines < lines || step - since < took {
            return None;
        }
        self.is_said = true;
        let text = format!(
            "on the unigram plateau since step {since}: the {words} is {mean:.2}, and token frequencies alone give \
             {unigram_loss:.2}"
        );
        remark(since, false, text)
    }
}
