#![doc = include_str!("../README.md")]

mod arms;
mod budget;
mod clock;
mod collect;
mod devices;
mod error;
mod estimate;
mod files;
mod folder;
mod graph;
mod job;
#[cfg(test)]
mod objectives;
mod plan;
mod pool;
mod power;
mod progress;
mod search;
mod source;
mod start;
mod study;

pub use error::Error;
pub use estimate::{ArmEstimate, Estimate, Pace, estimate};
pub use job::{Done, Job, Kind};
pub use plan::{
    AnalysisPlan, ArmPlan, ArmSyntheticPlan, BudgetPlan, CheckpointsPlan, ContinuesPlan, CurvesPlan,
    DataPlan, EstimatePlan, Languages, Plan, RunPlan, SearchPlan, Split, SyntheticPlan, TasksPlan,
};
pub use pool::{CHILD, Event};
pub use power::Power;
pub use study::{Ended, Study, run};
