//! The same objectives at several values of a setting, as the paper's Figure 4 has them at several hidden sizes.

use crate::findings::{ArmFindings, Comparison, Findings};
use crate::measurements::{Matched, Role};

/// The arms of a study by the value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep<'a> {
    /// The setting by its full key.
    pub setting: &'a str,
    /// Its values, ascending.
    pub values: Vec<f64>,
    /// In the order of the objectives; of one, the arms that have the FLOPs of another come last.
    pub series: Vec<Series<'a>>,
    /// Objectives against each other at one value and on one basis: those with equal steps first.
    pub differences: Vec<SweepDifference<'a>>,
}

/// The arms of an objective whose budgets have the same basis.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<'a> {
    /// The objective's name.
    pub objective: &'a str,
    /// Whether its arms have the FLOPs of others, and not what is equal for the study's.
    pub by_flops_of: bool,
    /// Each arm at its value, ascending.
    pub arms: Vec<(f64, &'a ArmFindings)>,
}

/// Two objectives at one value.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepDifference<'a> {
    /// The value of the setting.
    pub value: f64,
    /// What is equal for the two.
    pub equal: Matched,
    /// One of [`Findings::pairs`].
    pub pair: &'a Comparison,
}

impl Findings {
    /// The arms by the value of the plan's setting; none if the plan names none. Controls are left out.
    #[must_use]
    pub fn sweep(&self) -> Option<Sweep<'_>> {
        let setting = self.plan.sweep.as_deref()?;
        let arms = self.arms.iter().filter(|arm| arm.facts.role == Role::Arm);
        let arms: Vec<(f64, &ArmFindings)> =
            arms.filter_map(|arm| Some((arm.facts.number(setting)?, arm))).collect();
        let mut values: Vec<f64> = arms.iter().map(|(value, _)| *value).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let mut series: Vec<Series<'_>> = Vec::new();
        for by_flops_of in [false, true] {
            for &(value, arm) in arms.iter().filter(|(_, arm)| arm.facts.flops_of.is_some() == by_flops_of) {
                let objective = arm.facts.objective.as_str();
                let of_arm = |series: &&mut Series<'_>| {
                    series.objective == objective && series.by_flops_of == by_flops_of
                };
                match series.iter_mut().find(of_arm) {
                    Some(series) => series.arms.push((value, arm)),
                    None => series.push(Series { objective, by_flops_of, arms: vec![(value, arm)] }),
                }
            }
        }
        series.sort_by_key(|series| self.place(series.objective));
        series.iter_mut().for_each(|series| series.arms.sort_by(|(a, _), (b, _)| a.total_cmp(b)));
        Some(Sweep { setting, values, series, differences: self.differences(&arms) })
    }

    fn differences<'a>(&'a self, arms: &[(f64, &'a ArmFindings)]) -> Vec<SweepDifference<'a>> {
        let find = |name: &str| arms.iter().find(|(_, arm)| arm.facts.name == name);
        let difference = |pair: &'a Comparison| {
            let ((value, a), (of_b, b)) = (find(&pair.a)?, find(&pair.b)?);
            let differ = a.facts.objective != b.facts.objective && value == of_b;
            let equal = self.equal(&pair.a, &pair.b).filter(|_| differ)?;
            Some(SweepDifference { value: *value, equal, pair })
        };
        let mut differences: Vec<SweepDifference<'_>> = self.pairs.iter().filter_map(difference).collect();
        differences.sort_by(|a, b| a.value.total_cmp(&b.value));
        differences.sort_by_key(|difference| difference.equal == Matched::Flops);
        differences
    }

    /// What is equal for two arms: what is equal for the study's, or FLOPs if one has those of the other, or both have
    /// those of a third; none if that is neither.
    #[must_use]
    pub fn equal(&self, a: &str, b: &str) -> Option<Matched> {
        let other = |name: &str| {
            let arm = self.arms.iter().find(|arm| arm.facts.name == name);
            arm.and_then(|arm| arm.facts.flops_of.as_deref())
        };
        match (other(a), other(b)) {
            (None, None) => Some(self.plan.matched),
            _ if self.plan.matched == Matched::Flops => Some(Matched::Flops),
            (of_a, of_b) => (of_a.unwrap_or(a) == of_b.unwrap_or(b)).then_some(Matched::Flops),
        }
    }
}
