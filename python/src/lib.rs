//! `electra._native`: masking, tokenizer and corpora for Python. `python/electra/data.py` is what users see of it.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it made of Python's values")]

mod batches;
mod build;
mod error;
mod masker;
mod settings;
mod tokenizer;

use pyo3::pymodule;

/// What `electra.data` is made of.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::batches::Batches;
    #[pymodule_export]
    use crate::build::build_corpus;
    #[pymodule_export]
    use crate::masker::Masker;
    #[pymodule_export]
    use crate::tokenizer::Tokenizer;
}
