//! What a plan can find, told before it begins.

use electra_analysis::{PlannedPair, Role, planned};
use electra_config::ObjectiveInfo;

use crate::Plan;
use crate::plan::Languages;

/// What a plan can find, if its runs scatter as those of its pilot.
#[derive(Clone, Debug, PartialEq)]
pub struct Power {
    /// The pilot's record.
    pub record: String,
    /// Runs of each arm.
    pub runs: usize,
    /// How often a detectable difference is found.
    pub power: f64,
    /// Pair by pair.
    pub pairs: Vec<PlannedPair>,
    /// Of the differences that the paper reports between these arms: how many there are, how many are as large in the
    /// pilot as to be detectable, and how many are to be expected to be found.
    pub paper: Option<(usize, usize, f64)>,
}

impl Plan {
    /// What this plan can find by its pilot; none without one.
    #[must_use]
    pub fn power(&self, objectives: &[&ObjectiveInfo]) -> Option<Power> {
        let (pilot, config) = (self.pilot.as_ref()?, self.analysis_config());
        let arms = self.pretrained_arms();
        let compared: Vec<_> = arms.iter().filter(|arm| arm.role == Role::Arm).collect();
        let names: Vec<&str> = compared.iter().map(|arm| arm.name.as_str()).collect();
        let runs = self.pretraining_seeds.len();
        let each =
            self.data.synthetic.as_ref().is_some_and(|language| language.languages == Languages::EachSeed);
        let pairs = planned(&names, runs, each, pilot, &config);
        let score = |name: &str| {
            let arm = compared.iter().find(|arm| arm.name == name)?;
            ObjectiveInfo::find(objectives, &arm.objective).ok()?.paper
        };
        let differs = |pair: &&PlannedPair| {
            score(&pair.a)
                .zip(score(&pair.b))
                .is_some_and(|(a, b)| electra_analysis::differ_in_the_paper(a, b))
        };
        let with_scores: Vec<&PlannedPair> =
            pairs.iter().filter(differs).filter(|pair| pair.difference.is_some()).collect();
        let large =
            |pair: &&&PlannedPair| pair.difference.is_some_and(|found| found.abs() >= pair.detectable);
        // The paper's table compares objectives at one size.
        let is_table = self.sweep.is_none() && !with_scores.is_empty();
        let paper = is_table.then(|| {
            let found = with_scores.iter().filter_map(|pair| pair.power).sum();
            (with_scores.len(), with_scores.iter().filter(large).count(), found)
        });
        Some(Power { record: pilot.record.clone(), runs, power: config.power, pairs, paper })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objectives::OBJECTIVES;

    #[test]
    fn a_plan_with_a_pilot_tells_what_it_can_find() {
        let text = Plan::text("default").unwrap();
        let plan = |set: &str| Plan::read("default", &text, false, &[set.to_owned()], &OBJECTIVES).unwrap();
        let power = |runs: &str| plan(&format!("pretraining_seeds=[{runs}]")).power(&OBJECTIVES).unwrap();
        let (six, ten) = (power("1,2,3,4,5,6"), power("1,2,3,4,5,6,7,8,9,10"));
        assert_eq!((six.runs, six.pairs.len(), six.paper.unwrap().0), (6, 10, 7));
        let (PlannedPair { detectable: few, .. }, PlannedPair { detectable: many, .. }) =
            (&six.pairs[0], &ten.pairs[0]);
        assert!(few > many && *many > 0.0, "{few}, {many}");
        assert!(ten.paper.unwrap().2 > six.paper.unwrap().2);
        let message = |set: &str| {
            Plan::read("default", &text, false, &[set.to_owned()], &OBJECTIVES).unwrap_err().to_string()
        };
        assert!(
            message("pilot.standard_deviations.mlm=0.0").ends_with("expected a number of points above 0")
        );
        assert!(message("pilot.scores.bert=1.0").contains("pilot.scores"));
    }
}
