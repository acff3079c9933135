use crate::Error;
use crate::ffi::dropout::{Generator, Keys};
use std::cell::RefCell;

/// What of a step's batch comes before a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preceding {
    /// Rows of the batch.
    pub examples: u64,
    /// Tokens that are not padding, in all of these rows together.
    pub tokens: u64,
}

#[derive(Debug)]
struct Part {
    generator: Generator,
    preceding: Preceding,
}

thread_local! {
    /// The part that this thread computes, if it said so.
    static PART: RefCell<Option<Part>> = const { RefCell::new(None) };
}

/// Calls `body`, in which this thread computes a part of a step's batch, so that kernels drop there what they
/// would drop of the whole batch.
///
/// A kernel's dropout is a function of (seed, row, column). Inside `body` the seeds come from a generator of
/// their own, seeded with `seed`, which is that of the step: it gives what libtorch's generator of the CPU
/// gives after `tch::manual_seed(seed)`. Each part makes the same calls in the same order, so that each call
/// has the same seeds in every part. Rows are counted from the first of the step: `preceding` says how many
/// came before, where padding is computed and where it is not; of the last layer at positions, each example
/// has as many rows as positions (positions at padding are not computed, and are to come in no part but the
/// last).
///
/// What formulas drop is not keyed by row: on a GPU, in half precision and at [`KernelLevel::Formula`] it is
/// drawn from libtorch's own generator, row after row, and the caller seeds that one for each part.
///
/// [`KernelLevel::Formula`]: crate::KernelLevel::Formula
///
/// # Errors
///
/// An exception of libtorch.
pub fn with_dropout_keys<T>(seed: u64, preceding: Preceding, body: impl FnOnce() -> T) -> Result<T, Error> {
    struct Restore(Option<Part>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PART.replace(self.0.take());
        }
    }
    let part = Part { generator: Generator::new(seed)?, preceding };
    let _restore = Restore(PART.replace(Some(part)));
    Ok(body())
}

/// Calls `body` with what a kernel of this thread drops by.
pub(crate) fn with_keys<T>(body: impl FnOnce(&Keys<'_>) -> T) -> T {
    PART.with_borrow(|part| match part {
        Some(Part { generator, preceding: Preceding { examples, tokens } }) => {
            body(&Keys::new(Some(generator), *examples, *tokens))
        }
        None => body(&Keys::new(None, 0, 0)),
    })
}
