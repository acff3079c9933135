//! Tests through the public face.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod degenerate;
mod golden;
mod properties;
