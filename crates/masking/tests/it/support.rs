//! What the tests share.

use electra_masking::{MaskedRows, Masker, MaskingConfig, Scratch, Vocabulary};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A chi-square test fails when its p-value is below this. The crate makes fewer than 20 of them, and two
/// comparisons of means with bounds of six standard deviations (2·10⁻⁹ each), all on fixed seeds: a correct
/// program fails in less than one of 10⁷ choices of the seeds.
const FALSE_ALARM: f64 = 1e-9;

pub(crate) fn vocabulary(size: u32) -> Vocabulary {
    Vocabulary { size, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 }
}

/// Fails if a statistic is implausibly large for chi-square with `freedom` degrees of freedom.
pub(crate) fn assert_chi_square(what: &str, statistic: f64, freedom: usize) {
    let p = ChiSquared::new(freedom as f64).unwrap().sf(statistic);
    assert!(
        p > FALSE_ALARM,
        "{what}: chi-square {statistic:.1} with {freedom} degrees of freedom, p = {p:e}"
    );
}

/// Pearson's statistic of counts against expected counts.
pub(crate) fn pearson(counts: impl IntoIterator<Item = (u64, f64)>) -> f64 {
    counts.into_iter().map(|(count, expected)| (count as f64 - expected).powi(2) / expected).sum()
}

/// `[CLS] 10 11 12 … [SEP]` of `length` tokens.
pub(crate) fn plain_ids(length: usize) -> Vec<i64> {
    let mut ids: Vec<i64> = (0..length as i64).map(|place| 9 + place).collect();
    ids[0] = 2;
    ids[length - 1] = 3;
    ids
}

pub(crate) fn masker(config: MaskingConfig, size: u32, max_length: usize, seed: u64) -> Masker {
    Masker::new(config, &vocabulary(size), &[], max_length, seed).unwrap()
}

/// One example masked: its used positions, and the masked ids.
pub(crate) fn mask(masker: &Masker, step: u64, example: u64, ids: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let mut masked = ids.to_vec();
    let mut positions = vec![-1; masker.capacity()];
    let mut valid = vec![true; masker.capacity()];
    let mut row = MaskedRows {
        masked_input_ids: &mut masked,
        masked_positions: &mut positions,
        masked_valid: &mut valid,
    };
    let used = masker.mask(step, example, ids.len(), &mut row, &mut Scratch::default());
    assert_eq!(valid.iter().filter(|&&valid| valid).count(), used);
    assert!(valid[..used].iter().all(|&valid| valid), "used slots come first");
    assert!(positions[used..].iter().all(|&position| position == 0), "unused slots are zero");
    positions.truncate(used);
    (positions, masked)
}
