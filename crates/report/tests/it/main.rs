//! The crate as its users see it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod by_task;
mod errors;
mod markup;
mod page;
mod render;
mod sentences;
mod statistics;
#[path = "../../examples/fabricate/study.rs"]
mod study;
mod table;
mod verdicts;
