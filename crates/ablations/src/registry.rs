//! Objectives by name.

use electra_config::UnknownObjective;
use electra_objective::{Spec, electra, mlm};

use crate::{all_tokens_mlm, electra_15, electra_shuffled, replace_mlm, rtd_fixed};

/// Every objective that the program knows: the paper's five in the order of Table 5, then the controls. An objective
/// that is to be compared with them is one file and one line here.
pub const OBJECTIVES: &[&Spec] = &[
    &mlm::SPEC,
    &replace_mlm::SPEC,
    &electra_15::SPEC,
    &all_tokens_mlm::SPEC,
    &electra::SPEC,
    &mlm::SPEC_85_15,
    &all_tokens_mlm::SPEC_NO_GATE,
    &rtd_fixed::SPEC_UNIGRAM,
    &rtd_fixed::SPEC_UNIFORM,
    &electra_shuffled::SPEC,
    &electra_shuffled::SPEC_ALL,
];

/// The objective of a name.
///
/// # Errors
/// [`UnknownObjective`].
pub fn objective(name: &str) -> Result<&'static Spec, UnknownObjective> {
    let found = OBJECTIVES.iter().find(|spec| spec.info.name == name);
    found.copied().ok_or_else(|| UnknownObjective {
        name: name.to_owned(),
        known: OBJECTIVES.iter().map(|spec| spec.info.name).collect(),
    })
}
