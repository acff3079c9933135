//! The crate as others use it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "clippy takes helpers of tests for other code")]

mod encoder;
mod forged;
mod golden;
mod hub;
mod initialise;
mod loader;
mod neighbours;
mod others;
mod parts;
mod support;
