//! The crate as its users see it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod by_task;
mod families;
mod markup;
mod opening;
mod page;
#[path = "../../../analysis/tests/it/random.rs"]
mod random;
mod render;
mod search;
mod sentences;
#[path = "../../examples/fabricate/sizes.rs"]
mod sizes;
#[path = "../../examples/fabricate/study.rs"]
mod study;
mod sweep;
#[path = "../../../analysis/tests/it/table.rs"]
mod table;
