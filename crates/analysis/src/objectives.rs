//! The objectives of a study, those that its measurements do not list among them.

use crate::findings::Findings;
use crate::measurements::{ArmFacts, ObjectiveFacts, Role};

/// The listed objectives, then those of arms that are not listed, as the arms come.
pub(crate) fn completed<'a>(
    listed: &[ObjectiveFacts],
    arms: impl Iterator<Item = &'a ArmFacts>,
) -> Vec<ObjectiveFacts> {
    let mut objectives = listed.to_vec();
    for arm in arms.filter(|arm| arm.role != Role::Scratch) {
        if !objectives.iter().any(|objective| objective.name == arm.objective) {
            objectives.push(ObjectiveFacts {
                name: arm.objective.clone(),
                title: arm.title.clone(),
                paper_glue: arm.paper_glue,
                masked_positions_alone: false,
            });
        }
    }
    objectives
}

impl Findings {
    /// These findings with the objectives that only the arms name: findings that an earlier version wrote list none.
    #[must_use]
    pub fn with_all_objectives(mut self) -> Self {
        self.objectives = completed(&self.objectives, self.arms.iter().map(|arm| &arm.facts));
        self
    }

    /// The place of an objective in the order in which objectives are shown.
    #[must_use]
    pub fn place(&self, objective: &str) -> Option<usize> {
        self.objectives.iter().position(|facts| facts.name == objective)
    }
}
