//! A discriminator that calls every token original.
//!
//! Most tokens are original, so that is the best answer of one that cannot tell them apart, and every discriminator
//! gives it for a while.

use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{Remark, RunState};

/// A mean recall below this is as good as none.
const NONE: f64 = 0.01;
/// With this mean recall the state is over. It is more than `NONE`, lest chance ends and begins it again and again.
const SOME: f64 = 0.05;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Detector {
    recalls: Window,
    /// Steps that were done when the discriminator was first seen to call every token original; none while it does not.
    since: Option<u64>,
}

impl Detector {
    pub(super) fn take(&mut self, step: u64, recall: f64, lines: usize) -> Option<Remark> {
        let mean = self.recalls.mean(recall, lines)?;
        let (since, is_over, text) = match self.since {
            None if mean < NONE => {
                self.since = Some(step);
                let text = format!(
                    "the discriminator calls every token original at step {step}, or nearly every one; early in a run \
                     this is usual"
                );
                (step, false, text)
            }
            Some(since) if mean >= SOME => {
                self.since = None;
                let text = format!(
                    "the discriminator finds replaced tokens since step {step}: recall is {mean:.2}; it had called every \
                     token original since step {since}"
                );
                (since, true, text)
            }
            _ => return None,
        };
        Some(Remark { step, state: RunState::CallsAllOriginal, since, is_over, text })
    }
}
