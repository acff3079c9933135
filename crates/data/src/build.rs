//! From documents to a corpus on all cores, the order kept.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use electra_text::{Event, sentences};
use rayon::prelude::*;

use crate::{CorpusWriter, Error, Manifest, Unit};

/// Text that is encoded at once, in bytes: enough to keep every core busy, little enough to be forgotten.
const CHUNK: usize = 4 << 20;
/// What an event takes beside its text, so that a chunk of very short lines is no larger than another.
const EVENT: usize = 64;
/// Chunks that may wait between two stages.
const WAITING: usize = 2;

/// How far a build is, to be read from another thread; and the switch that stops it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Documents packed.
    pub documents: AtomicU64,
    /// Tokens of text packed.
    pub tokens: AtomicU64,
    /// Examples made.
    pub examples: AtomicU64,
    /// Set to true, it stops the build with [`Error::Interrupted`]; nothing is left behind.
    pub stop: AtomicBool,
}

/// What is left of an event once its text is encoded.
enum Encoded {
    Units(Vec<Vec<u32>>),
    EndOfDocument,
}

/// Builds a corpus from a stream of documents.
///
/// Three stages run beside one another: one thread reads, all cores encode, one thread packs and writes.
/// Chunks keep their order, so the corpus is the same on any number of threads. Memory is that of a few
/// chunks of text, however long the stream is.
///
/// # Errors
/// The first error of `events`, in order; those of [`CorpusWriter`]; [`Error::Interrupted`]. Nothing is
/// left behind then.
pub fn build<I>(
    events: I,
    encode: impl Fn(&str) -> Vec<u32> + Sync,
    mut writer: CorpusWriter,
    progress: &Progress,
) -> Result<Manifest, Error>
where
    I: Iterator<Item = Result<Event, electra_text::Error>> + Send + 'static,
{
    let (to_encode, texts) = sync_channel(WAITING);
    // Not a scoped thread: a reader that waits for its input must not hold up a build that has been
    // stopped. It ends by itself when nobody listens any more.
    let reader = Builder::new().spawn(move || {
        for chunk in (Chunks { events }) {
            if to_encode.send(chunk).is_err() {
                return;
            }
        }
    });
    let reader = reader.map_err(Error::Thread)?;
    let unit = writer.config().unit;
    let encode_line = |line: &str| match unit {
        Unit::Line => vec![encode(line)],
        Unit::Sentence => sentences(line).map(&encode).collect(),
    };
    std::thread::scope(|scope| {
        let (to_pack, encoded) = sync_channel::<Vec<Encoded>>(WAITING);
        let packer = Builder::new().spawn_scoped(scope, move || -> Result<CorpusWriter, Error> {
            for chunk in encoded {
                pack(chunk, &mut writer, progress)?;
            }
            Ok(writer)
        });
        let packer = packer.map_err(Error::Thread)?;
        let outcome = loop {
            if progress.stop.load(Ordering::Relaxed) {
                break Err(Error::Interrupted);
            }
            let chunk = match texts.recv_timeout(Duration::from_millis(100)) {
                Ok(Ok(chunk)) => chunk,
                Ok(Err(error)) => break Err(error.into()),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => {
                    // A reader that panicked hung up as well; its text must not pass for the whole.
                    reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                    break Ok(());
                }
            };
            let chunk = chunk
                .into_par_iter()
                .map(|event| match event {
                    // What is stopped is thrown away, so nothing more need be encoded.
                    Event::Line(_) if progress.stop.load(Ordering::Relaxed) => Encoded::Units(Vec::new()),
                    Event::Line(line) => Encoded::Units(encode_line(&line)),
                    Event::EndOfDocument => Encoded::EndOfDocument,
                })
                .collect();
            // The packer hangs up only when it has failed; its own error is the one to report.
            if to_pack.send(chunk).is_err() {
                break Ok(());
            }
        };
        drop(to_pack);
        let writer = packer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        outcome?;
        writer.finish()
    })
}

fn pack(chunk: Vec<Encoded>, writer: &mut CorpusWriter, progress: &Progress) -> Result<(), Error> {
    for event in chunk {
        match event {
            Encoded::Units(units) => units.iter().try_for_each(|unit| writer.push(unit))?,
            Encoded::EndOfDocument => writer.end_document()?,
        }
    }
    let counts = writer.counts();
    progress.documents.store(counts.documents, Ordering::Relaxed);
    progress.tokens.store(counts.text_tokens, Ordering::Relaxed);
    progress.examples.store(counts.examples, Ordering::Relaxed);
    Ok(())
}

/// Events in lists of about [`CHUNK`] bytes of text; an error is an item of its own, the last.
struct Chunks<I> {
    events: I,
}

impl<I: Iterator<Item = Result<Event, electra_text::Error>>> Iterator for Chunks<I> {
    type Item = Result<Vec<Event>, electra_text::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::new();
        let mut bytes = 0;
        for event in self.events.by_ref() {
            match event {
                Ok(event) => {
                    bytes += EVENT + if let Event::Line(line) = &event { line.len() } else { 0 };
                    chunk.push(event);
                }
                Err(error) => return Some(Err(error)),
            }
            if bytes >= CHUNK {
                break;
            }
        }
        (!chunk.is_empty()).then_some(Ok(chunk))
    }
}
