//! From documents to a corpus.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use electra_data::{CorpusConfig, CorpusWriter, ExampleConfig, Manifest, Progress, Unit, build};
use electra_text::Event;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyString};

use crate::batches::TOKENIZER;
use crate::error::value;
use crate::tokenizer::Tokenizer;

/// Tokens in a shard before the next is begun, as `electra corpus build` has it.
const SHARD_TOKENS: u64 = 1 << 28;

/// Packs documents, each an iterable of lines or one string with lines, into a corpus; gives the number of examples.
#[pyfunction]
#[pyo3(signature = (tokenizer, documents, output, *, max_length=128, segments=2, seed=0))]
pub(crate) fn build_corpus(
    py: Python<'_>,
    tokenizer: &Tokenizer,
    documents: &Bound<'_, PyAny>,
    output: PathBuf,
    max_length: usize,
    segments: u8,
    seed: u64,
) -> PyResult<u64> {
    let base = match segments {
        1 => ExampleConfig::one_segment(max_length),
        2 => ExampleConfig::two_segments(max_length),
        _ => return Err(value(format_args!("segments: {segments}; expected 1 or 2"))),
    };
    let config = CorpusConfig {
        examples: ExampleConfig { seed, ..base },
        unit: Unit::Line,
        vocabulary: tokenizer.vocabulary()?,
        tokenizer: tokenizer.0.fingerprint(),
        shard_tokens: SHARD_TOKENS,
        reading: None,
        sources: Vec::new(),
    };
    let raised = Arc::new(Mutex::new(None));
    let documents = documents.try_iter()?.unbind();
    let events =
        Documents { documents, lines: Vec::new().into_iter(), ends: false, raised: Arc::clone(&raised) };
    let built = py.detach(|| write(&tokenizer.0, events, &output, config));
    if let Some(error) = raised.lock().ok().and_then(|mut raised| raised.take()) {
        return Err(error);
    }
    Ok(built.map_err(value)?.counts.examples)
}

fn write(
    tokenizer: &electra_tokenizer::Tokenizer,
    events: Documents,
    output: &Path,
    config: CorpusConfig,
) -> Result<Manifest, Box<dyn std::error::Error + Send + Sync>> {
    // A corpus is text and nothing else: an article that spells out "[SEP]" must not end a segment.
    let tokenizer = tokenizer.clone().special_tokens_as_text(true);
    let writer = CorpusWriter::create(output, config)?;
    tokenizer.save(writer.folder().join(TOKENIZER))?;
    Ok(build(events, |text| tokenizer.encode(text), writer, &Progress::default())?)
}

/// What Python gives, as events. Another thread pulls them, and has Python's lock for each document.
struct Documents {
    documents: Py<PyIterator>,
    lines: std::vec::IntoIter<String>,
    /// Whether the end of a document is the next event after its lines.
    ends: bool,
    /// What Python raised; the stream ends there.
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Iterator for Documents {
    type Item = Result<Event, electra_text::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.lines.next() {
                return Some(Ok(Event::Line(line)));
            }
            if std::mem::take(&mut self.ends) {
                return Some(Ok(Event::EndOfDocument));
            }
            match Python::attach(|py| self.document(py)) {
                Ok(Some(lines)) => {
                    self.ends = !lines.is_empty();
                    self.lines = lines.into_iter();
                }
                Ok(None) => return None,
                Err(error) => {
                    if let Ok(mut raised) = self.raised.lock() {
                        *raised = Some(error);
                    }
                    // Whatever it says, Python's own error is the one that is raised.
                    return Some(Err(electra_text::Error::NoInput));
                }
            }
        }
    }
}

impl Documents {
    /// The lines of the next document that are not blank.
    fn document(&self, py: Python<'_>) -> PyResult<Option<Vec<String>>> {
        let Some(document) = self.documents.bind(py).clone().next().transpose()? else { return Ok(None) };
        let lines: Vec<String> = match document.cast::<PyString>() {
            Ok(text) => text.extract::<String>()?.lines().map(str::to_owned).collect(),
            Err(_) => document.try_iter()?.map(|line| line?.extract()).collect::<PyResult<_>>()?,
        };
        Ok(Some(lines.into_iter().filter(|line| !line.trim().is_empty()).collect()))
    }
}
