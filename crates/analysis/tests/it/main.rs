//! The crate as its users see it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod errors;
mod random;
#[path = "../../examples/verdicts/scenario.rs"]
mod scenario;
mod simulation;
mod statistics;
mod sweep;
mod table;
mod verdicts;
