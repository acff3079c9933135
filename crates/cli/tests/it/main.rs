//! The program as a user calls it: output, messages, exit codes, and what is left behind.

mod corpus;
mod support;
mod tokenizer;
