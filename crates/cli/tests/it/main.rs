//! The program as a user calls it: output, messages, exit codes, and what is left behind.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod ablate;
mod corpus;
mod default_plan;
mod detect;
mod export;
mod finetune;
mod flops;
mod kernels;
mod replacements;
mod support;
mod tokenizer;
mod trace;
