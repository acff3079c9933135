//! Tests of whole runs, through the public face.
//!
//! Runs in one process share libtorch's random generator, so those whose bytes are compared have no dropout,
//! or are processes of their own.

// What a test prepares for itself either works or the test fails.
#![allow(clippy::unwrap_used)]

mod accumulation;
mod budget;
mod child;
mod damage;
mod disk_full;
mod init;
mod kill;
mod logs;
mod nonfinite;
mod ranks;
mod remarks;
mod resume;
mod settings;
mod support;
mod validation;
