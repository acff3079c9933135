//! Families of scores that are not part of a study's score. Each is analysed as if it were the score.

use crate::analyse::analyse;
use crate::error::Error;
use crate::findings::{AnalysisConfig, FamilyFindings, Findings};
use crate::measurements::{FamilyFacts, Measurements};

pub(crate) fn families(
    measurements: &Measurements,
    config: &AnalysisConfig,
) -> Result<Vec<FamilyFindings>, Error> {
    let of_family = |family: &FamilyFacts| {
        let findings = analyse(&measurements.scored_by(family), config)?;
        Ok(FamilyFindings {
            name: family.name.clone(),
            title: family.title.clone(),
            findings: without_runs(findings),
        })
    };
    measurements.families.iter().map(of_family).collect()
}

impl Measurements {
    /// The same study with the scores of a family in the place of its own.
    fn scored_by(&self, family: &FamilyFacts) -> Self {
        let mut measurements = Self { tasks: family.tasks.clone(), families: Vec::new(), ..self.clone() };
        for checkpoint in measurements.runs.iter_mut().flat_map(|run| &mut run.checkpoints) {
            checkpoint.scores = checkpoint.families.remove(&family.name).unwrap_or_default();
            checkpoint.families.clear();
        }
        measurements
    }
}

/// What the study's own findings do not say already.
fn without_runs(mut findings: Findings) -> Findings {
    findings.arms.iter_mut().for_each(|arm| arm.runs.clear());
    findings.plan.file = None;
    findings.provenance.hashes.clear();
    findings.failures.clear();
    findings
}
