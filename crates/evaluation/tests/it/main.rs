//! Fine-tuning from files to files.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod errors;
mod folder;
mod learning;
mod multi_label;
mod predictor;
mod probe;
mod support;
