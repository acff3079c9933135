//! Panics of the Parquet library, which has some for files that are damaged or forged.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use parquet::errors::ParquetError;

thread_local! {
    /// Whether the library is at work on this thread, so that its panics are errors, of which the caller tells.
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Calls the library; a panic of it is an error.
pub(crate) fn caught<T>(call: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !DECODING.get() {
                usual(info);
            }
        }));
    });
    DECODING.set(true);
    // What was at work when it panicked is not used again: readers end with their first error.
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    DECODING.set(false);
    outcome.unwrap_or_else(|_| Err(ParquetError::General("damaged: it cannot be decoded".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let error = caught::<()>(|| panic!("range end index 8 out of range")).unwrap_err();
        assert_eq!(error.to_string(), "Parquet error: damaged: it cannot be decoded");
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
        assert!(!DECODING.get());
    }
}
