//! Masks for objectives whose loss has no place for weights of masked positions.

use electra_data::View;
use electra_masking::Weighting;
use electra_objective::{BoxError, Given, masked_view};

/// [`masked_view`], whose columns are five then: of masks that count alike.
pub(crate) fn unweighted_masks(objective: &str, given: &Given<'_>) -> Result<Box<dyn View>, BoxError> {
    if given.masking.weighting == Weighting::InverseRate {
        let found = "masking.weighting: inverse-rate; expected equal";
        return Err(format!("objective {objective}: {found}, as its loss knows no weights").into());
    }
    masked_view(given)
}
