//! The crate as its users see it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod errors;
mod random;
mod statistics;
mod table;
mod verdicts;
