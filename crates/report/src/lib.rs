#![doc = include_str!("../README.md")]

mod analyse;
mod by_task;
mod chart;
mod conclusion;
mod document;
mod error;
mod format;
mod html;
mod markdown;
mod measurements;
mod ordering;
mod replacements;
mod results;
mod tables;
mod verdict;
mod write;

pub use analyse::analyse;
pub use error::Error;
pub use measurements::{
    ArmFacts, CheckpointFacts, DetectionFacts, DiagnosticPoint, Expectation, Fact, Failure, Hash, KindFacts,
    LanguageFacts, Matched, Measurements, PlanFacts, Predictions, Provenance, ReplacementFacts, Role,
    RunFacts, Schedule, TaskFacts, TaskScore,
};
pub use results::{
    AnalysisConfig, ArmResult, Comparison, Conclusion, Control, CurvePoint, Estimate, FORMAT, Noise,
    PaperOrdering, Range, Results, SeedScore, TaskComparisons, Test, Verdict,
};
pub use write::{read, write};
