//! Tests of the whole way from documents to masked batches, through the public face.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod batches;
mod corpus;
mod examples;
mod golden;
mod order;
mod shard;
mod support;
