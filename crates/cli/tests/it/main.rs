//! The program as a user calls it: output, messages, exit codes, and what is left behind.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod corpus;
mod detect;
mod export;
mod flops;
mod support;
mod tokenizer;
