//! What the language promises, tested on the files that it writes.
#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod bag_of_words;
mod files;
mod language;
mod nested;
mod oracle;
mod single_features;
mod suite;
