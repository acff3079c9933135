//! Panics: faults of the program itself, not of what it was given.

use std::panic;

use crate::failure::FAILED;
use crate::{output, torch};

/// From now on a panic ends the program as an error does, on whatever thread: one line, and nothing left that is not whole.
/// With `RUST_BACKTRACE=full`, the standard library's text comes first, for an engineer who looks for the fault.
pub(crate) fn catch() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted == "full") {
            usual(info);
        }
        electra_store::abandon_if_free();
        let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
        let what = info.payload_as_str().unwrap_or("of an unknown kind");
        output::error(&format!("a fault of this program{place}: {what}; please report it"));
        torch::exit(FAILED)
    }));
}
