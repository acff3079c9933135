//! What the tests share.

use std::collections::BTreeMap;
use std::path::Path;

use electra_data::{Corpus, CorpusConfig, CorpusWriter, ExampleConfig, Unit, Vocabulary};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A chi-square test fails when its p-value is below this. The crate makes fewer than 50 of them, and ten
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

pub(crate) fn config(max_length: usize, size: u32) -> CorpusConfig {
    CorpusConfig {
        examples: ExampleConfig::two_segments(max_length),
        unit: Unit::Line,
        vocabulary: vocabulary(size),
        tokenizer: [7; 32],
        shard_tokens: 1 << 28,
        reading: None,
        sources: Vec::new(),
    }
}

/// A corpus of `documents` documents of a few lines each, every id from 5 up.
pub(crate) fn small_corpus(folder: &Path, max_length: usize, documents: u32) -> Corpus {
    let mut writer = CorpusWriter::create(folder, config(max_length, 500)).unwrap();
    for document in 0..documents {
        for line in 0..1 + document % 4 {
            let length = 1 + (document * 7 + line * 13) % 40;
            let unit: Vec<u32> =
                (0..length).map(|place| 5 + (document * 31 + line * 17 + place) % 495).collect();
            writer.push(&unit).unwrap();
        }
        writer.end_document().unwrap();
    }
    writer.finish().unwrap();
    Corpus::open(folder).unwrap()
}

/// Every file of a folder with its bytes.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect()
}
