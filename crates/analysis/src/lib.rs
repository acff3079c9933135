#![doc = include_str!("../README.md")]

mod analyse;
mod bootstrap;
mod check;
mod compare;
mod curve;
mod draws;
mod error;
mod findings;
mod measurements;
mod objectives;
mod ordering;
mod remarks;
mod scores;
mod verdict;

pub use analyse::analyse;
pub use error::Error;
pub use findings::{
    AnalysisConfig, ArmFindings, Comparison, Control, CurvePoint, Estimate, Findings, Noise, Range,
    SeedScore, TaskComparisons, Test, Verdict,
};
pub use measurements::{
    ArmFacts, CheckpointFacts, DetectionFacts, DiagnosticPoint, Expectation, Fact, Failure, Hash, KindFacts,
    LanguageFacts, Matched, Measurements, ObjectiveFacts, PlanFacts, Predictions, Provenance,
    ReplacementFacts, Role, RunFacts, Schedule, TaskFacts, TaskScore,
};
pub use ordering::{Claim, Ordering, PaperOrdering};
pub use remarks::{Caveat, Note};
