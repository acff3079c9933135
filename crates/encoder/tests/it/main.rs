//! The crate as others use it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod encoder;
mod golden;
mod hub;
mod initialise;
mod loader;
mod neighbours;
mod parts;
mod support;
