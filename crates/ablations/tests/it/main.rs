//! The objectives against PyTorch, and what must hold of each of them.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod flops;
mod golden;
mod inspection;
mod invariants;
mod parts;
mod registry;
mod support;
