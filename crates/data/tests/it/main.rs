//! Tests of the whole way from documents to masked batches, through the public face.

mod corpus;
mod examples;
mod golden;
mod masking;
mod order;
mod shard;
mod support;
