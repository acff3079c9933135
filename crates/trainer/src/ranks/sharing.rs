//! How a run's state comes from the first rank to the others, which read nothing of its folder.

use electra_torch::{Learner, ParameterState, SkipCounts};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Ranks;
use crate::Error;

/// Where a run goes on.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Steps that are done.
    pub(crate) step: u64,
    /// Seconds of training until then.
    pub(crate) elapsed: f64,
    pub(crate) skipped: SkipCounts,
}

impl Ranks {
    /// Gives every rank the first one's place in the run, parameters and optimizer's state.
    pub(crate) fn share_state(&self, place: Place, learner: &mut Learner) -> Result<Place, Error> {
        if !self.are_several() {
            return Ok(place);
        }
        let text = serde_json::to_string(&place).expect("its keys are strings");
        let place: Place = serde_json::from_str(&self.shared_text(&text)?)
            .map_err(|error| Error::Lost { said: format!("rank 0 says {error}") })?;
        for parameter in learner.parameters() {
            self.share(&mut parameter.detach())?;
        }
        if place.step == 0 {
            return Ok(place);
        }
        let mut states = learner
            .state()?
            .map(|(name, state)| (name.to_owned(), state))
            .collect::<Vec<(String, ParameterState)>>();
        for (_, state) in &mut states {
            self.share(&mut state.exp_avg)?;
            self.share(&mut state.exp_avg_sq)?;
            let mut steps = Tensor::from_slice(&[state.steps]);
            self.share(&mut steps)?;
            state.steps = steps.f_int64_value(&[0])?;
        }
        let mut states = states.into_iter();
        learner.resume(place.step, place.skipped, |_| {
            let (_, state) = states.next().expect("one for each name");
            Ok::<_, Error>(state)
        })?;
        Ok(place)
    }
}
