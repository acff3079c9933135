//! The program as a user calls it: output, messages, exit codes, and what is left behind.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "clippy takes helpers of tests for other code")]

mod corpus;
mod ends;
mod flops;
#[cfg(feature = "hub")]
mod hub;
mod plan;
mod support;
mod tokenizer;
#[cfg(feature = "torch")]
mod torch;
#[cfg(not(feature = "torch"))]
mod without_torch;
