//! Settings of masking, as Python names them.

use electra_masking::{Choice, MaskRate, MaskingConfig};
use pyo3::PyResult;

use crate::error::value;

/// A rule by name, with the share and the choice in place of the rule's own.
pub(crate) fn masking(rule: &str, mask_prob: Option<f64>, choice: &str) -> PyResult<MaskingConfig> {
    let base = match rule {
        "electra" => MaskingConfig::electra(),
        "bert" => MaskingConfig::bert(),
        "reference" => MaskingConfig::reference(),
        _ => return Err(value(format_args!("masking: \"{rule}\"; expected electra, bert or reference"))),
    };
    let choice = match choice {
        "token" => Choice::Token,
        "whole-word" => Choice::WholeWord,
        "n-gram" => Choice::NGram { max: 3 },
        _ => return Err(value(format_args!("choice: \"{choice}\"; expected token, whole-word or n-gram"))),
    };
    Ok(MaskingConfig { mask_prob: mask_prob.map_or(base.mask_prob, MaskRate::Fixed), choice, ..base })
}
