//! Fuzz targets: one for each reader of files that others may have written.
//!
//! A [`Reader`] has seeds, which the project's own writers make, and a check, which reads any bytes. A check panics where
//! a reader does not keep its promises; a refusal is fine, if its message is. `fuzz_targets/` makes a libFuzzer program
//! of each, and `cargo xtask fuzz` runs them.

use std::alloc::System;
use std::fs;
use std::path::Path;

use cap::Cap;

mod place;
#[path = "../../crates/analysis/tests/it/random.rs"]
mod random;
mod readers;

pub use readers::READERS;

/// What a reader may hold at a time. Inputs are some thousand bytes, so more than this is a number from a file that was
/// believed.
const MOST_MEMORY: usize = 256 << 20;

/// The longest message, in characters. A line of a terminal holds no list of 100,000 names.
const LONGEST_MESSAGE: usize = 4000;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MOST_MEMORY);

/// What became of an input: it was read, or refused with this message.
pub type Outcome = Result<(), String>;

/// Something that reads files.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The name of its target.
    pub name: &'static str,
    /// Inputs that are read, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads an input, whatever it is.
    pub check: fn(&[u8]) -> Outcome,
}

impl Reader {
    /// The reader of a target.
    ///
    /// # Panics
    /// If there is none of this name.
    #[must_use]
    pub fn named(name: &str) -> &'static Self {
        READERS.iter().find(|reader| reader.name == name).expect("a target has the name of a reader")
    }

    /// Writes the seeds to the first folder that the command line names, where libFuzzer looks for inputs to begin with.
    /// Seeds are made when they are needed, so they are never of an older format than the program.
    pub fn plant(&self) {
        let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
        let Some(folder) = words.find(|word| Path::new(word).is_dir()) else { return };
        for (number, seed) in (self.seeds)().into_iter().enumerate() {
            let path = Path::new(&folder).join(format!("seed-{number}"));
            fs::write(path, seed).expect("the folder of the inputs can be written to");
        }
    }

    /// Reads an input, and checks the message if it is refused.
    ///
    /// # Panics
    /// If the reader does not keep its promises.
    pub fn run(&self, bytes: &[u8]) {
        if let Err(message) = (self.check)(bytes) {
            check_message(&message);
        }
    }
}

/// A message names what it is about, and is not longer than somebody reads. It may quote anything: the program shows
/// control characters as escapes.
fn check_message(message: &str) {
    let place = place::shown();
    assert!(message.contains(&place) || message.starts_with("--set"), "names no file: {message:?}");
    check_length(message);
}

/// The same of a message about something that is no file.
fn check_length(message: &str) {
    assert!(message.chars().count() <= LONGEST_MESSAGE, "too long: {message:?}");
}

/// Makes a libFuzzer program of the reader of a name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(
            init: $crate::Reader::named($name).plant(),
            |bytes: &[u8]| $crate::Reader::named($name).run(bytes)
        );
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_read() {
        for reader in READERS {
            let seeds = (reader.seeds)();
            assert!(!seeds.is_empty(), "{}", reader.name);
            for (number, seed) in seeds.iter().enumerate() {
                assert_eq!((reader.check)(seed), Ok(()), "{}, seed {number}", reader.name);
                assert!(seed.len() < 1 << 15, "{}, seed {number}: {} bytes", reader.name, seed.len());
            }
        }
    }

    #[test]
    fn every_reader_has_a_target() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut targets: Vec<_> = files.map(|file| file.file_stem().unwrap().to_owned()).collect();
        let mut readers: Vec<_> = READERS.iter().map(|reader| reader.name).collect();
        targets.sort();
        readers.sort_unstable();
        assert_eq!(targets, readers);
    }

    #[test]
    fn nothing_is_refused_with_its_file() {
        for reader in READERS {
            for bytes in [&b""[..], b"\0", b"\xff\xfe\n====\n{", b"{}\n====\n{}\n====\n"] {
                reader.run(bytes);
            }
        }
    }

    #[test]
    #[should_panic(expected = "names no file")]
    fn a_message_without_a_file_is_found() {
        check_message("x: is not a shard");
    }

    #[test]
    #[should_panic(expected = "too long")]
    fn a_message_that_nobody_reads_is_found() {
        check_message(&format!("{}/x: {}", place::shown(), "é".repeat(LONGEST_MESSAGE)));
    }
}
