//! Tests of masks and keyed random numbers, through the public face.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod golden;
mod masking;
mod rate;
mod support;
