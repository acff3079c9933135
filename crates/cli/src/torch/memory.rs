//! Memory that runs out. libtorch throws, which is a panic where an operation of a network has no other way to fail.

use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use anyhow::Result;

/// Memory ran out.
#[derive(Debug)]
pub(super) struct OutOfMemory {
    /// How much was asked for, in a clause; empty where libtorch does not say.
    asked: String,
    /// What takes less.
    advice: String,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory ran out{}; {}", self.asked, self.advice)
    }
}

impl std::error::Error for OutOfMemory {}

/// What libtorch and the C++ library say when there is no memory.
const SAID: [&str; 4] = ["can't allocate memory", "out of memory", "not enough memory", "bad_alloc"];

/// Runs a command; memory that runs out in it is an error of one line, with `advice`.
pub(super) fn caught(advice: impl FnOnce() -> String, command: impl FnOnce() -> Result<()>) -> Result<()> {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // Said as an error below.
        if text(info.payload()).is_none_or(|text| asked(text).is_none()) {
            usual(info);
        }
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(command));
    let asked = match &outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => error.chain().find_map(|cause| asked(&cause.to_string())),
        Err(panic) => text(&**panic).and_then(asked),
    };
    match (asked, outcome) {
        (Some(asked), _) => Err(OutOfMemory { asked, advice: advice() }.into()),
        (None, Ok(outcome)) => outcome,
        (None, Err(panic)) => panic::resume_unwind(panic),
    }
}

/// The message of a panic.
fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())
}

/// How much was asked for, if a message says that there is no memory.
fn asked(message: &str) -> Option<String> {
    SAID.iter().any(|said| message.contains(said)).then(|| {
        let (_, behind) = message.split_once("ried to allocate ").unwrap_or_default();
        // "708040192 bytes. Error code 12", "2.00 GiB. GPU 0 has …"
        let amount =
            behind.split(['(', '\n']).next().and_then(|text| text.split(". ").next()).unwrap_or_default();
        let amount = amount.trim().trim_end_matches('.');
        if amount.is_empty() { String::new() } else { format!(": {amount} were asked for at once") }
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn libtorchs_words_become_one_line() {
        let cpu = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to \
                   allocate 708040192 bytes. Error code 12 (Cannot allocate memory)\nframe #0: …";
        let gpu = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB";
        for (message, expected) in [
            (cpu, Some(": 708040192 bytes were asked for at once")),
            (gpu, Some(": 2.00 GiB were asked for at once")),
            ("std::bad_alloc", Some("")),
            ("the shapes are those that the layers were made for", None),
        ] {
            assert_eq!(asked(message).as_deref(), expected);
        }
        let advice = || "a smaller batch takes less".to_owned();
        let expected = "memory ran out: 708040192 bytes were asked for at once; a smaller batch takes less";
        let error = caught(advice, || panic!("the shapes are right: {cpu:?}")).unwrap_err();
        assert_eq!(error.to_string(), expected);
        let error = caught(advice, || Err(anyhow!("{cpu}").context("task RTE"))).unwrap_err();
        assert_eq!(error.to_string(), expected);
        let error = caught(advice, || Err(anyhow!("another one"))).unwrap_err();
        assert_eq!(error.to_string(), "another one");
        caught(advice, || Ok(())).unwrap();
    }
}
