//! An opened corpus: a folder of shards and the manifest that describes them.

use std::collections::BTreeSet;
use std::path::Path;

use electra_masking::{Shares, unigram_loss};
use electra_store::{io, read_whole};
use electra_text::ReadConfig;
use serde::{Deserialize, Serialize};

use crate::shard::{EXAMPLES_PER_BLOCK, ExampleRef, Shard, ShardSummary};
use crate::{Error, ExampleConfig, Vocabulary};

/// The manifest's name in a corpus folder.
pub(crate) const MANIFEST: &str = "corpus.json";
pub(crate) const FORMAT: &str = "electra-corpus";
/// The only version that this program writes and reads.
pub(crate) const VERSION: u32 = 1;

/// Tokens that are enough to know frequencies by: with V tokens the entropy of n is too small by about V / 2n (Miller 1955).
const COUNTED_TOKENS: u64 = 1 << 24;

/// What examples are packed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A line of the text, as in the reference.
    Line,
    /// A sentence: lines split at the sentence boundaries of Unicode (UAX #29).
    Sentence,
}

/// What went into a corpus and what came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Documents with at least one token.
    pub documents: u64,
    /// Documents without a token.
    pub empty_documents: u64,
    /// Units with at least one token.
    pub units: u64,
    /// Tokens of the text, special tokens not counted.
    pub text_tokens: u64,
    /// How many of them were thrown away; 0 unless the examples' overflow is `drop`.
    pub tokens_dropped: u64,
    /// Examples.
    pub examples: u64,
    /// Examples with a second segment.
    pub two_segments: u64,
    /// Ids stored: text tokens that were kept, and the special tokens around them.
    pub tokens: u64,
}

/// A file that a corpus was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file as it was named.
    pub path: String,
    /// Its size on disk, where it is a file.
    pub bytes: Option<u64>,
}

/// The description of a corpus, `corpus.json` in its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `electra-corpus`.
    pub format: String,
    /// The format's version.
    pub version: u32,
    /// SHA-256 that names the tokenizer, in hexadecimal.
    pub tokenizer: String,
    /// The tokenizer's size and special tokens.
    pub vocabulary: Vocabulary,
    /// How documents were cut.
    pub examples: ExampleConfig,
    /// What examples were packed from.
    pub unit: Unit,
    /// How files were read, if they were.
    pub reading: Option<ReadConfig>,
    /// What was read, in order.
    pub sources: Vec<Source>,
    /// What went in and what came out.
    pub counts: Counts,
    /// The shards, in order.
    pub shards: Vec<ShardSummary>,
}

/// An opened corpus. Its examples are numbered across its shards.
#[derive(Debug)]
pub struct Corpus {
    manifest: Manifest,
    shards: Vec<Shard>,
    /// The number of the first example after each shard.
    ends: Vec<u64>,
}

impl Corpus {
    /// Opens a corpus folder and every shard in it.
    ///
    /// # Errors
    /// [`Error::Store`] if a file cannot be read, [`Error::Format`] if one is not what it should be or belongs
    /// to another corpus, [`Error::Damaged`] if a shard is not what was written.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        let manifest = read_manifest(&path)?;
        let mut ends = Vec::new();
        let mut shards = Vec::new();
        let mut seen = BTreeSet::new();
        for summary in &manifest.shards {
            // A file of this folder, each once: a manifest that somebody else wrote must not lead elsewhere.
            let is_beside = Path::new(&summary.file).file_name() == Some(summary.file.as_ref());
            if !is_beside || !seen.insert(&summary.file) {
                let what =
                    format!("shards: {:?}; expected the name of a file beside it, each once", summary.file);
                return Err(Error::Format { path, what });
            }
            let shard_path = folder.join(&summary.file);
            let shard = Shard::open(&shard_path)?;
            check(&manifest, summary, &shard, &shard_path)?;
            ends.push(ends.last().unwrap_or(&0) + shard.examples());
            shards.push(shard);
        }
        if ends.last().copied().unwrap_or(0) != manifest.counts.examples || manifest.counts.examples == 0 {
            let what =
                format!("speaks of {} examples; its shards hold another number", manifest.counts.examples);
            return Err(Error::Format { path, what });
        }
        Ok(Self { manifest, shards, ends })
    }

    /// The description of the corpus.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The tokenizer's size and special tokens.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.manifest.vocabulary
    }

    /// L, the length that no example exceeds.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.manifest.examples.max_length
    }

    /// How many examples there are.
    #[must_use]
    pub fn examples(&self) -> u64 {
        self.manifest.counts.examples
    }

    /// An example.
    ///
    /// # Errors
    /// [`Error::Damaged`] if its block is not what was written.
    ///
    /// # Panics
    /// If `example` is not below [`examples`](Self::examples).
    pub fn example(&self, example: u64) -> Result<ExampleRef<'_>, Error> {
        let shard = self.ends.partition_point(|&end| end <= example);
        let first = if shard == 0 { 0 } else { self.ends[shard - 1] };
        self.shards[shard].example(example - first)
    }

    /// How often each token occurs in the text, by id; special tokens count 0. It reads the whole corpus.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a block is not what was written.
    pub fn token_counts(&self) -> Result<Vec<u64>, Error> {
        let mut counts = vec![0; self.vocabulary().size as usize];
        for example in 0..self.examples() {
            for id in self.example(example)?.input_ids() {
                counts[id as usize] += 1;
            }
        }
        for id in self.vocabulary().special() {
            counts[id as usize] = 0;
        }
        Ok(counts)
    }

    /// The masked-LM loss that token frequencies alone reach on this corpus, in nats: see [`unigram_loss`]. Frequencies are
    /// those of all tokens, or of some 16 million that lie evenly over a larger corpus, which moves the loss by a
    /// thousandth of a nat.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a block is not what was written.
    pub fn unigram_loss(&self, shares: &Shares) -> Result<f64, Error> {
        self.unigram_loss_of(shares, COUNTED_TOKENS)
    }

    fn unigram_loss_of(&self, shares: &Shares, tokens: u64) -> Result<f64, Error> {
        // Whole runs of examples: a block is read and checked as a whole.
        let run = u64::from(EXAMPLES_PER_BLOCK);
        let share = self.manifest.counts.tokens.div_ceil(tokens).max(1);
        let mut counts = vec![0; self.vocabulary().size as usize];
        for first in (0..self.examples()).step_by((run * share) as usize) {
            for example in first..(first + run).min(self.examples()) {
                self.example(example)?.input_ids().into_iter().for_each(|id| counts[id as usize] += 1);
            }
        }
        Ok(unigram_loss(&counts, self.vocabulary(), shares))
    }

    /// Checks that no shard was written to since it was opened.
    ///
    /// # Errors
    /// As [`Shard::check_unchanged`](crate::shard::Shard::check_unchanged).
    pub fn check_unchanged(&self) -> Result<(), Error> {
        self.shards.iter().try_for_each(Shard::check_unchanged)
    }

    /// Checks every block of every shard now, not on its first use, and each shard against its SHA-256.
    ///
    /// # Errors
    /// [`Error::Damaged`] for the first block that is not what was written, [`Error::Format`] for a shard that
    /// is whole but not the one that was written.
    pub fn verify(&self) -> Result<(), Error> {
        self.shards.iter().zip(&self.manifest.shards).try_for_each(|(shard, summary)| {
            shard.verify()?;
            let found = shard.sha256();
            if found == summary.sha256 {
                return Ok(());
            }
            let what = format!(
                "another shard than {MANIFEST} speaks of: its sha256 is {found}, not {}",
                summary.sha256
            );
            Err(Error::Format { path: shard.path().to_owned(), what })
        })
    }
}

fn read_manifest(path: &Path) -> Result<Manifest, Error> {
    let format = |what: String| Error::Format { path: path.to_owned(), what };
    let text = read_whole(path).map_err(io(path, "reading it (a corpus folder holds one)"))?;
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| format(format!("is not JSON: {error}")))?;
    // Looked at before the rest, so that another version is called that and not a list of odd fields.
    if value.get("format").and_then(|format| format.as_str()) != Some(FORMAT) {
        return Err(format(format!("is no corpus manifest: \"format\" is not \"{FORMAT}\"")));
    }
    if value.get("version") != Some(&VERSION.into()) {
        let found = value.get("version").map_or("none".into(), ToString::to_string);
        return Err(format(format!("\"version\" is {found}; this program reads version {VERSION}")));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| format(error.to_string()))?;
    manifest.vocabulary.validate().map_err(|error| format(error.to_string()))?;
    manifest.examples.validate().map_err(|error| format(error.to_string()))?;
    Ok(manifest)
}

fn check(manifest: &Manifest, summary: &ShardSummary, shard: &Shard, path: &Path) -> Result<(), Error> {
    let header = shard.header();
    let pairs = [
        ("tokenizer", manifest.tokenizer.clone(), crate::hex(&header.tokenizer)),
        ("vocabulary size", manifest.vocabulary.size.to_string(), header.vocab_size.to_string()),
        ("max_length", manifest.examples.max_length.to_string(), header.max_length.to_string()),
        ("examples", summary.examples.to_string(), shard.examples().to_string()),
        ("tokens", summary.tokens.to_string(), shard.tokens().to_string()),
    ];
    for (field, expected, found) in pairs {
        if expected != found {
            let what =
                format!("belongs to another corpus: its {field} is {found}, {MANIFEST} says {expected}");
            return Err(Error::Format { path: path.to_owned(), what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CorpusConfig, CorpusWriter};

    /// Runs of examples that lie evenly over the corpus stand for all of it.
    #[test]
    fn a_part_of_the_tokens_tells_nearly_the_same() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("corpus");
        let config = CorpusConfig {
            examples: ExampleConfig { short_prob: 0.0, ..ExampleConfig::one_segment(10) },
            unit: Unit::Line,
            vocabulary: Vocabulary { size: 105, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
            tokenizer: [0; 32],
            shard_tokens: 30_000,
            reading: None,
            sources: Vec::new(),
        };
        let mut writer = CorpusWriter::create(&folder, config).unwrap();
        // Frequencies change over the corpus: its first half has other tokens than its second.
        for document in 0..8000_u32 {
            let word = |place: u32| 5 + 50 * (document / 4000) + (document * 7 + place * place) % 50;
            writer.push(&(0..8).map(word).collect::<Vec<_>>()).unwrap();
            writer.end_document().unwrap();
        }
        writer.finish().unwrap();
        let corpus = Corpus::open(&folder).unwrap();
        let shares = electra_masking::MaskingConfig::electra().corruption;
        let loss = |tokens| corpus.unigram_loss_of(&shares, tokens).unwrap();
        let (all, part, first) = (loss(1 << 24), loss(40_000), loss(1));
        assert_eq!(all, corpus.unigram_loss(&shares).unwrap());
        assert!((all - 100_f64.ln()).abs() < 0.1 && all != part, "{all} {part}");
        assert!((all - part).abs() < 0.02, "{all} {part}");
        assert!(first < all - 0.5, "one run has half of the tokens: {first}");
    }
}
