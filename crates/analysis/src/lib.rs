#![doc = include_str!("../README.md")]

mod analyse;
mod check;
mod compare;
mod curve;
mod draws;
mod error;
mod examples;
mod families;
mod findings;
mod layout;
mod measurements;
mod mixed;
mod objectives;
mod ordering;
mod power;
mod ranks;
mod remarks;
mod scores;
mod sweep;
mod take_off;
mod verdict;

pub use analyse::analyse;
pub use curve::{family_by_share, scores_by_share};
pub use error::Error;
pub use findings::{
    AnalysisConfig, ArmFindings, Comparison, Control, CurvePoint, Estimate, FamilyFindings, Findings, Noise,
    Range, Rank, SeedScore, TakeOff, TaskComparisons, Test, TestSets, Verdict,
};
pub use measurements::{
    ArmFacts, CheckpointFacts, DetectionFacts, DiagnosticPoint, Expectation, Fact, Failure, FamilyFacts,
    Hash, KindFacts, LanguageFacts, Matched, Measurements, ObjectiveFacts, PlanFacts, Predictions,
    Provenance, ReplacementFacts, Role, RunFacts, Schedule, TaskFacts, TaskScore, Trial,
};
pub use ordering::{Claim, Ordering, PaperOrdering, differ_in_the_paper};
pub use power::{Pilot, PlannedPair, planned};
pub use remarks::{Caveat, Note};
pub use sweep::{Series, Sweep, SweepDifference};
pub use take_off::{DETECTOR_AUC, SHARE_OF_UNIGRAM, Threshold};
pub use verdict::FEWEST_RUNS;
