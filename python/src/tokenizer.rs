//! The tokenizer.

use std::path::PathBuf;

use electra_masking::Vocabulary;
use electra_tokenizer::{TrainConfig, Trainer};
use pyo3::prelude::*;

use crate::error::value;

/// Lines that are taken from Python at once: then the lock is given back while their words are counted.
const LINES: usize = 10_000;

/// A WordPiece tokenizer, with the ids that transformers gives for the same files.
#[pyclass(frozen, module = "electra._native")]
pub(crate) struct Tokenizer(pub(crate) electra_tokenizer::Tokenizer);

#[pymethods]
impl Tokenizer {
    /// Loads a folder, a `tokenizer.json` or a `vocab.txt`.
    #[new]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| electra_tokenizer::Tokenizer::load(path)).map(Self).map_err(value)
    }

    /// Trains a vocabulary from lines of text.
    #[staticmethod]
    #[pyo3(signature = (lines, vocab_size, *, lowercase=true, strip_accents=true, min_frequency=2))]
    fn train(
        py: Python<'_>,
        lines: &Bound<'_, PyAny>,
        vocab_size: usize,
        lowercase: bool,
        strip_accents: bool,
        min_frequency: u64,
    ) -> PyResult<Self> {
        let base = TrainConfig::uncased(vocab_size);
        let config = TrainConfig { lowercase, strip_accents, min_frequency, ..base };
        let mut trainer = Trainer::new(&config).map_err(value)?;
        let mut lines = lines.try_iter()?.peekable();
        while lines.peek().is_some() {
            let chunk = lines.by_ref().take(LINES).map(|line| line?.extract::<String>());
            let chunk = chunk.collect::<PyResult<Vec<_>>>()?;
            let text = chunk.into_iter().map(Ok::<_, std::io::Error>);
            py.detach(|| trainer.feed(text)).map_err(value)?;
        }
        let trained = py.detach(|| trainer.finish(|_| ())).map_err(value)?;
        Ok(Self(trained.tokenizer))
    }

    /// Writes the Hub's set of files to a folder.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.save(folder)).map_err(value)
    }

    /// Ids of each text, without special tokens; on all cores.
    fn encode_batch(&self, py: Python<'_>, texts: Vec<String>) -> Vec<Vec<u32>> {
        py.detach(|| self.0.encode_batch(&texts))
    }

    /// Ids of a text, without special tokens.
    fn encode(&self, py: Python<'_>, text: &str) -> Vec<u32> {
        py.detach(|| self.0.encode(text))
    }

    /// The text of ids.
    #[pyo3(signature = (ids, skip_special_tokens=true))]
    fn decode(&self, ids: Vec<u32>, skip_special_tokens: bool) -> String {
        self.0.decode(&ids, skip_special_tokens)
    }

    /// V, the number of tokens.
    #[getter]
    fn vocab_size(&self) -> usize {
        self.0.vocab_size()
    }

    /// SHA-256 that names the tokenizer, in hexadecimal.
    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint_hex()
    }

    /// Ids of `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]`.
    #[getter]
    fn special_ids(&self) -> [u32; 5] {
        let special = self.0.special();
        [special.pad, special.unk, special.cls, special.sep, special.mask]
    }
}

impl Tokenizer {
    /// What masking and packing have to know of it.
    pub(crate) fn vocabulary(&self) -> PyResult<Vocabulary> {
        let [pad, unk, cls, sep, mask] = self.special_ids();
        let size = u32::try_from(self.0.vocab_size()).map_err(value)?;
        Ok(Vocabulary { size, pad, unk, cls, sep, mask })
    }
}
