//! Memory that runs out, and whatever else libtorch throws.
//!
//! An operation of a network has no other way to fail than a panic, on whatever thread; and where Rust's own memory runs
//! out, the standard library aborts. Each of these ends the program here, as an interrupt does: one line, nothing left
//! that is not whole, and no destructor, since other threads still compute.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::io::Write;
use std::panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::failure::FAILED;
use crate::output;

/// Where the program asks for its memory.
#[global_allocator]
static ALLOCATOR: electra_torch::Allocator = electra_torch::Allocator::new(ran_out);

/// Memory ran out, or libtorch threw something else.
#[derive(Debug)]
pub(super) enum Thrown {
    Memory {
        /// How much was asked for, in a clause; empty where libtorch does not say.
        asked: String,
    },
    Other {
        /// What libtorch says.
        message: String,
    },
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { asked } => {
                let advice = LESS.get().map_or_else(|| ADVICE.to_owned(), |advice| advice());
                write!(f, "memory ran out{asked}; {advice}")
            }
            Self::Other { message } => write!(f, "libtorch: {message}"),
        }
    }
}

impl std::error::Error for Thrown {}

/// What is said where nothing is known that takes less memory.
pub(super) const ADVICE: &str = "a machine with more memory, or fewer programs beside this one, would do";

/// What takes less memory than the command that runs.
static LESS: OnceLock<Box<dyn Fn() -> String + Send + Sync>> = OnceLock::new();

/// What libtorch and the C++ library say when there is no memory.
const SAID: [&str; 4] = ["can't allocate memory", "out of memory", "not enough memory", "bad_alloc"];

/// How errors of libtorch look in a panic: those of tch and of electra-torch.
const SHOWN: [&str; 5] = ["Torch(\"", "Torch { message: \"", "Convert(\"", "Kind(\"", "Shape(\""];

/// From now on what libtorch throws ends the program in one line.
pub(crate) fn catch() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| match text(info.payload()).and_then(thrown) {
        Some(thrown) => end(&thrown),
        None => usual(info),
    }));
    electra_torch::on_terminate(|text| {
        end(&memory(text).unwrap_or_else(|| Thrown::Other { message: first_line(text) }))
    });
}

/// Runs a command; memory that runs out in it is an error of one line, with `advice`.
pub(super) fn caught(
    advice: impl Fn() -> String + Send + Sync + 'static,
    command: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let _ = LESS.set(Box::new(advice));
    command().map_err(|error| match error.chain().find_map(|cause| memory(&cause.to_string())) {
        Some(thrown) => thrown.into(),
        None => error,
    })
}

/// Ends the program.
fn end(thrown: &Thrown) -> ! {
    static IS_ENDING: AtomicBool = AtomicBool::new(false);
    thread_local! {
        static ENDS: Cell<bool> = const { Cell::new(false) };
    }
    if ENDS.replace(true) {
        // There was no memory for the end itself.
        let _ = std::io::stderr().write_all(b"error: memory ran out\n");
        electra_torch::exit(FAILED);
    }
    if IS_ENDING.swap(true, Ordering::Relaxed) {
        // Another thread ends the program.
        loop {
            std::thread::park();
        }
    }
    electra_store::abandon_if_free();
    output::error(&thrown.to_string());
    electra_torch::exit(FAILED)
}

/// Rust's own memory ran out.
fn ran_out(bytes: usize) {
    if !electra_store::is_reserving() {
        end(&Thrown::Memory { asked: clause(&format!("{bytes} bytes")) });
    }
}

/// The message of a panic.
fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())
}

/// What was thrown, if a panic's message is of an exception of libtorch's.
fn thrown(message: &str) -> Option<Thrown> {
    let other = || {
        let shown = SHOWN.iter().find_map(|shown| message.split_once(shown))?.1;
        Some(Thrown::Other { message: first_line(shown.split("\\n").next().unwrap_or_default()) })
    };
    memory(message).or_else(other)
}

/// The first line of an exception's text, which as it stands in a panic may end with the marks around it.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.trim_end_matches(['"', ')', '}', ' ']).replace("\\\"", "\"")
}

/// That there is no memory, and how much was asked for, if a message says so.
fn memory(message: &str) -> Option<Thrown> {
    SAID.iter().any(|said| message.contains(said)).then(|| {
        let (_, behind) = message.split_once("ried to allocate ").unwrap_or_default();
        // "708040192 bytes. Error code 12", "2.00 GiB. GPU 0 has …"
        let amount =
            behind.split(['(', '\n']).next().and_then(|text| text.split(". ").next()).unwrap_or_default();
        Thrown::Memory { asked: clause(amount.trim().trim_end_matches('.')) }
    })
}

fn clause(amount: &str) -> String {
    if amount.is_empty() { String::new() } else { format!(": {amount} were asked for at once") }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use electra_torch::Error as Torch;
    use tch::{Kind, TchError, Tensor};

    use super::*;

    /// The message of the panic of an expression.
    fn panicked<T>(run: impl FnOnce() -> T + panic::UnwindSafe) -> String {
        let payload = panic::catch_unwind(run).err().expect("it panics");
        text(&*payload).unwrap().to_owned()
    }

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
            let expected = expected.map(|asked| format!("memory ran out{asked}; a smaller batch takes less"));
            let _ = LESS.set(Box::new(|| "a smaller batch takes less".to_owned()));
            assert_eq!(memory(message).map(|thrown| thrown.to_string()), expected);
            // Debug formats escape what is in them.
            let panicked = thrown(&panicked(|| panic!("the shapes are right: {message:?}")));
            assert_eq!(panicked.map(|thrown| thrown.to_string()), expected);
        }
        let advice = || "a smaller batch takes less".to_owned();
        let expected = "memory ran out: 708040192 bytes were asked for at once; a smaller batch takes less";
        let error = caught(advice, || Err(anyhow!("{cpu}").context("task RTE"))).unwrap_err();
        assert_eq!(error.to_string(), expected);
        let error = caught(advice, || Err(anyhow!("another one"))).unwrap_err();
        assert_eq!(error.to_string(), "another one");
        caught(advice, || Ok(())).unwrap();
    }

    #[test]
    fn whatever_libtorch_throws_is_known_by_its_panic() {
        let (two, three) =
            (Tensor::ones([2], (Kind::Float, tch::Device::Cpu)), Tensor::ones([3], tch::kind::FLOAT_CPU));
        let (first, second) = (two.shallow_clone(), three.shallow_clone());
        let message = panicked(panic::AssertUnwindSafe(move || &first + &second));
        let expected = "libtorch: The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0";
        assert_eq!(thrown(&message).unwrap().to_string(), expected);
        let view = panicked(panic::AssertUnwindSafe(move || two.view([7])));
        assert_eq!(
            thrown(&view).unwrap().to_string(),
            "libtorch: shape '[7]' is invalid for input of size 2"
        );
        let vector = panicked(panic::AssertUnwindSafe(move || Vec::<Vec<f32>>::try_from(three).unwrap()));
        assert!(matches!(thrown(&vector), Some(Thrown::Other { .. })), "{vector}");
        // The values come from elsewhere, as they do where this happens.
        fn failed<E>(error: E) -> Result<(), E> {
            Err(error)
        }
        let ours = Torch::Torch { message: "it has \"no\" state\nException raised from".into() };
        let ours = panicked(panic::AssertUnwindSafe(move || failed(ours).expect("the shapes are right")));
        assert_eq!(thrown(&ours).unwrap().to_string(), "libtorch: it has \"no\" state");
        for other in [
            TchError::Convert("a".into()),
            TchError::Kind("a".into()),
            TchError::Shape("a".into()),
            TchError::Torch("a".into()),
        ] {
            let message = panicked(panic::AssertUnwindSafe(move || failed(other).unwrap()));
            assert_eq!(thrown(&message).unwrap().to_string(), "libtorch: a");
        }
        assert!(thrown("index out of bounds: the len is 3 but the index is 7").is_none());
    }
}
