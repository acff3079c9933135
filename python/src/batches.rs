//! Batches of a corpus.

use std::path::PathBuf;

use electra_data::{Batch, Corpus, Data, Loader};
use electra_masking::Masker;
use electra_tokenizer::Tokenizer;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict};

use crate::error::value;
use crate::settings;

/// The folder of the tokenizer in that of a corpus.
pub(crate) const TOKENIZER: &str = "tokenizer";

/// The masked batches of a corpus: functions of (seed, step).
#[pyclass(frozen, module = "electra._native")]
pub(crate) struct Batches {
    corpus: Corpus,
    masker: Masker,
    batch_size: usize,
    seed: u64,
    rank: usize,
    ranks: usize,
}

#[pymethods]
impl Batches {
    #[new]
    #[pyo3(signature = (corpus, batch_size, seed, *, masking="electra", mask_prob=None, choice="token", rank=0, ranks=1))]
    #[expect(clippy::too_many_arguments, reason = "Python's keywords")]
    fn new(
        py: Python<'_>,
        corpus: PathBuf,
        batch_size: usize,
        seed: u64,
        masking: &str,
        mask_prob: Option<f64>,
        choice: &str,
        rank: usize,
        ranks: usize,
    ) -> PyResult<Self> {
        let config = settings::masking(masking, mask_prob, choice)?;
        let folder = corpus;
        let (corpus, tokenizer) = py.detach(|| {
            let corpus = Corpus::open(&folder).map_err(value)?;
            let tokenizer = Tokenizer::load(folder.join(TOKENIZER)).map_err(value)?;
            PyResult::Ok((corpus, tokenizer))
        })?;
        let found = tokenizer.fingerprint_hex();
        if found != corpus.manifest().tokenizer {
            let (shown, expected) = (folder.join(TOKENIZER), &corpus.manifest().tokenizer);
            return Err(value(format_args!(
                "{}: another tokenizer than the corpus was built with: its sha256 is {found}, corpus.json says {expected}",
                shown.display()
            )));
        }
        let continues_word = tokenizer.continues_word();
        let masker = Masker::new(config, corpus.vocabulary(), continues_word, corpus.max_length(), seed);
        let batches = Self { masker: masker.map_err(value)?, corpus, batch_size, seed, rank, ranks };
        batches.loader().map_err(value)?;
        Ok(batches)
    }

    /// The columns of a step's batch, each as (kind, width, bytes): `ids` are little-endian int64, `flags` are bytes,
    /// `reals` are float32.
    fn batch<'py>(&self, py: Python<'py>, step: u64) -> PyResult<Bound<'py, PyDict>> {
        let batch = py.detach(|| self.loader()?.batch(step)).map_err(value)?;
        let columns = PyDict::new(py);
        let examples: Vec<i64> = batch.examples.iter().map(|&example| example as i64).collect();
        let set = |name: &str, kind: &str, width: usize, bytes: &[u8]| {
            columns.set_item(name, (kind, width, PyByteArray::new(py, bytes)))
        };
        let Batch { max_length, input_ids, attention_mask, token_type_ids, .. } = &batch;
        set("examples", "ids", 1, bytemuck::cast_slice(&examples))?;
        set("input_ids", "ids", *max_length, bytemuck::cast_slice(input_ids))?;
        set("attention_mask", "flags", *max_length, bytemuck::cast_slice(attention_mask))?;
        set("token_type_ids", "ids", *max_length, bytemuck::cast_slice(token_type_ids))?;
        for column in &batch.columns {
            let (kind, bytes): (_, &[u8]) = match &column.data {
                Data::Ids(data) => ("ids", bytemuck::cast_slice(data)),
                Data::Flags(data) => ("flags", bytemuck::cast_slice(data)),
                Data::Reals(data) => ("reals", bytemuck::cast_slice(data)),
            };
            set(column.column.name, kind, column.column.width, bytes)?;
        }
        Ok(columns)
    }

    /// Examples in the corpus.
    #[getter]
    fn examples(&self) -> u64 {
        self.corpus.examples()
    }

    /// L, the length of a row.
    #[getter]
    fn max_length(&self) -> usize {
        self.corpus.max_length()
    }
}

impl Batches {
    fn loader(&self) -> Result<Loader<'_>, electra_data::Error> {
        Loader::new(&self.corpus, &self.masker, self.batch_size, self.seed)?.for_rank(self.rank, self.ranks)
    }
}
