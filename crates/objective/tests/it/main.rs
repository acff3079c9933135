//! Tests of electra-objective through its public face. The objectives themselves are tested in
//! electra-ablations, all by the same tests.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod batch;
mod memory;
mod metrics;
mod modernbert;
mod pieces;
