#![doc = include_str!("../README.md")]

mod analyse;
mod chart;
mod conclusion;
mod document;
mod error;
mod format;
mod html;
mod markdown;
mod measurements;
mod ordering;
mod results;
mod tables;
mod verdict;
mod write;

pub use analyse::analyse;
pub use error::Error;
pub use measurements::{
    ArmFacts, CheckpointFacts, DiagnosticPoint, Expectation, Fact, Failure, Hash, Matched, Measurements,
    PlanFacts, Predictions, Provenance, Role, RunFacts, Schedule, TaskFacts, TaskScore,
};
pub use results::{
    AnalysisConfig, ArmResult, Comparison, Conclusion, Control, CurvePoint, Estimate, FORMAT, Noise,
    PaperOrdering, Range, Results, SeedScore, Test, Verdict,
};
pub use write::{read, write};
