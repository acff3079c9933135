//! Masking for data loaders of one's own.

use electra_masking::MaskedRows;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict};

use crate::error::value;
use crate::settings;
use crate::tokenizer::Tokenizer;

/// What `labels` hold where nothing is predicted, as transformers has it.
const IGNORED: i64 = -100;

/// Masks batches: a function of (seed, step, example).
#[pyclass(frozen, module = "electra._native")]
pub(crate) struct Masker {
    masker: electra_masking::Masker,
    max_length: usize,
    pad: i64,
    size: i64,
}

#[pymethods]
impl Masker {
    #[new]
    #[pyo3(signature = (tokenizer, max_length, seed, *, masking="electra", mask_prob=None, choice="token"))]
    fn new(
        tokenizer: &Tokenizer,
        max_length: usize,
        seed: u64,
        masking: &str,
        mask_prob: Option<f64>,
        choice: &str,
    ) -> PyResult<Self> {
        let vocabulary = tokenizer.vocabulary()?;
        let config = settings::masking(masking, mask_prob, choice)?;
        let continues_word = tokenizer.0.continues_word();
        let masker = electra_masking::Masker::new(config, &vocabulary, continues_word, max_length, seed);
        let (pad, size) = (i64::from(vocabulary.pad), i64::from(vocabulary.size));
        Ok(Self { masker: masker.map_err(value)?, max_length, pad, size })
    }

    /// Masks rows of ids, special tokens included, each with the number of its example; pads them to the longest.
    ///
    /// Gives L and the columns: little-endian int64, `[B, L]` each, but `attention_mask`, which is one byte a cell.
    fn mask<'py>(
        &self,
        py: Python<'py>,
        step: u64,
        examples: Vec<u64>,
        rows: Vec<Vec<i64>>,
    ) -> PyResult<(usize, Bound<'py, PyDict>)> {
        if examples.len() != rows.len() {
            let (numbers, rows) = (examples.len(), rows.len());
            return Err(value(format_args!(
                "examples: {numbers} numbers; expected {rows}, one for each row"
            )));
        }
        for (number, row) in rows.iter().enumerate() {
            if row.len() > self.max_length {
                let (length, most) = (row.len(), self.max_length);
                return Err(value(format_args!(
                    "row {number}: {length} ids; expected at most {most}, max_length"
                )));
            }
            if let Some(id) = row.iter().find(|id| !(0..self.size).contains(*id)) {
                let last = self.size - 1;
                return Err(value(format_args!("row {number}: the id {id}; expected 0 to {last}")));
            }
        }
        let length = rows.iter().map(Vec::len).max().unwrap_or(0);
        let (masked, labels, attention) = py.detach(|| self.columns(step, &examples, &rows, length));
        let columns = PyDict::new(py);
        columns.set_item("input_ids", PyByteArray::new(py, bytemuck::cast_slice(&masked)))?;
        columns.set_item("labels", PyByteArray::new(py, bytemuck::cast_slice(&labels)))?;
        columns.set_item("attention_mask", PyByteArray::new(py, bytemuck::cast_slice(&attention)))?;
        Ok((length, columns))
    }
}

impl Masker {
    fn columns(
        &self,
        step: u64,
        examples: &[u64],
        rows: &[Vec<i64>],
        length: usize,
    ) -> (Vec<i64>, Vec<i64>, Vec<bool>) {
        let mut ids = vec![self.pad; rows.len() * length];
        let mut attention = vec![false; ids.len()];
        for (place, row) in rows.iter().enumerate() {
            let cells = place * length..place * length + row.len();
            ids[cells.clone()].copy_from_slice(row);
            attention[cells].fill(true);
        }
        let original = ids.clone();
        let slots = self.masker.capacity();
        let mut positions = vec![0; rows.len() * slots];
        let mut valid = vec![false; positions.len()];
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let mut masked = MaskedRows {
            masked_input_ids: &mut ids,
            masked_positions: &mut positions,
            masked_valid: &mut valid,
        };
        self.masker.mask_batch(step, examples, &lengths, &mut masked);
        let mut labels = vec![IGNORED; original.len()];
        for (slot, position) in positions.iter().enumerate().filter(|(slot, _)| valid[*slot]) {
            let cell = slot / slots * length + *position as usize;
            labels[cell] = original[cell];
        }
        (ids, labels, attention)
    }
}
