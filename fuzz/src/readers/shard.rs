//! Shards and the manifest of a corpus.

use std::path::Path;

use electra_data::shard::{Shard, ShardHeader, ShardWriter};
use electra_data::{Corpus, CorpusConfig, CorpusWriter, Error, Example, ExampleConfig, Unit, Vocabulary};

use crate::{Outcome, Reader, place};

/// A shard as it is, then with its checksums made right, as somebody would who forges one.
pub(super) const SHARD: Reader = Reader { name: "shard", seeds: shards, check: shard };

/// `corpus.json` beside a whole shard.
pub(super) const CORPUS: Reader = Reader { name: "corpus", seeds: manifests, check: corpus };

/// Bytes of header and trailer, and of an entry of the index.
const ENDS: usize = 64;
const ENTRY: usize = 16;

type Rows = Vec<(Vec<u32>, usize)>;

fn shards() -> Vec<Vec<u8>> {
    [(1 << 16, 7), (1 << 20, 7), (1000, 0), (30, 1030)]
        .map(|(vocab_size, rows)| written(vocab_size, rows))
        .into()
}

fn written(vocab_size: u32, rows: u32) -> Vec<u8> {
    let header = ShardHeader { vocab_size, max_length: 16, tokenizer: [9; 32] };
    let row = |row: u32| ((0..1 + row % 5).map(|index| (row + index) % vocab_size).collect(), 1);
    bytes_of(header, &(0..rows).map(row).collect()).expect("what is written can be read")
}

/// The bytes of a shard of these rows.
fn bytes_of(header: ShardHeader, rows: &Rows) -> Result<Vec<u8>, Error> {
    let path = place::folder().join("written.bin");
    let mut writer = ShardWriter::create(&path, header)?;
    for (ids, first_segment) in rows {
        writer.push(Example { input_ids: ids, first_segment: *first_segment })?;
    }
    writer.finish()?;
    Ok(std::fs::read(path).expect("what was written can be read"))
}

fn read(path: &Path) -> Result<(ShardHeader, Rows), Error> {
    let shard = Shard::open(path)?;
    shard.verify()?;
    let rows = (0..shard.examples()).map(|index| {
        let example = shard.example(index)?;
        Ok((example.input_ids(), example.first_segment()))
    });
    let rows: Rows = rows.collect::<Result<_, Error>>()?;
    assert_eq!(rows.iter().map(|row| row.0.len() as u64).sum::<u64>(), shard.tokens(), "the trailer's count");
    Ok((*shard.header(), rows))
}

fn shard(bytes: &[u8]) -> Outcome {
    if let Some(forged) = forged(bytes.to_vec()) {
        outcome(&forged)?;
    }
    outcome(bytes)
}

/// What is read and written again is the same.
fn outcome(bytes: &[u8]) -> Outcome {
    let (header, rows) = read(&place::file("shard.bin", bytes)).map_err(|error| error.to_string())?;
    let again = bytes_of(header, &rows).expect("what was read can be written");
    assert_eq!(read(&place::file("again.bin", &again)).expect("what is written can be read"), (header, rows));
    Ok(())
}

/// The shard with every checksum made right.
fn forged(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let length = bytes.len();
    let end = length.checked_sub(ENDS).filter(|end| *end >= ENDS)?;
    let word = |bytes: &[u8], offset: usize| {
        Some(u64::from_le_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?))
    };
    let index = usize::try_from(word(&bytes, end + 24)?).ok().filter(|index| *index <= end)?;
    for entry in (index..end).step_by(ENTRY).filter(|entry| entry + ENTRY <= end) {
        let start = usize::try_from(word(&bytes, entry)?).ok();
        let size = (word(&bytes, entry + 8)? & u64::from(u32::MAX)) as usize;
        let block = start.and_then(|start| bytes.get(start..start.checked_add(size)?));
        if let Some(checksum) = block.map(crc32fast::hash) {
            put(&mut bytes, entry + 12, checksum);
        }
    }
    bytes[end + 32..end + 40].copy_from_slice(&(length as u64).to_le_bytes());
    let checksum = crc32fast::hash(&bytes[index..end]);
    put(&mut bytes, end + 40, checksum);
    put(&mut bytes, end + 44, 0);
    let checksum = crc32fast::hash(&bytes[end..]);
    put(&mut bytes, end + 44, checksum);
    let checksum = crc32fast::hash(&bytes[..60]);
    put(&mut bytes, 60, checksum);
    Some(bytes)
}

fn put(bytes: &mut [u8], offset: usize, value: u32) {
    bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

const SHARD_FILE: &str = "shard-00000.bin";

fn manifests() -> Vec<Vec<u8>> {
    let [manifest, shard] = manifest_and_shard();
    vec![place::join(&[&manifest, &shard])]
}

fn manifest_and_shard() -> [Vec<u8>; 2] {
    let place = place::files(&[]);
    let folder = place.path().join("corpus");
    let vocabulary = Vocabulary { size: 100, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 };
    let config = CorpusConfig {
        examples: ExampleConfig::two_segments(16),
        unit: Unit::Line,
        vocabulary,
        tokenizer: [7; 32],
        shard_tokens: 1 << 20,
        reading: Some(electra_text::ReadConfig::new(electra_text::Separator::BlankLine)),
        sources: vec![electra_data::Source { path: "a.txt".into(), bytes: Some(3) }],
    };
    let mut writer = CorpusWriter::create(&folder, config).expect("the settings are right");
    for document in 0..4 {
        writer.push(&[5, 6, 7 + document]).expect("the ids are in the vocabulary");
        writer.push(&[8, 9]).expect("the ids are in the vocabulary");
        writer.end_document().expect("a document can end");
    }
    writer.finish().expect("the temporary folder can be written to");
    ["corpus.json", SHARD_FILE].map(|name| std::fs::read(folder.join(name)).expect("it was written"))
}

fn corpus(bytes: &[u8]) -> Outcome {
    let [manifest, shard] = place::split::<2>(bytes);
    let place = place::files(&[("corpus.json", manifest), (SHARD_FILE, shard)]);
    let corpus = Corpus::open(place.path()).map_err(|error| error.to_string())?;
    let all = corpus.verify().and_then(|()| {
        for example in 0..corpus.examples() {
            assert!(corpus.example(example)?.length() <= corpus.max_length());
        }
        corpus.token_counts()
    });
    let counts = all.map_err(|error| error.to_string())?;
    assert!(counts.iter().sum::<u64>() <= corpus.manifest().shards.iter().map(|shard| shard.tokens).sum());
    Ok(())
}
