//! Shards: what goes in comes out, or an error with its place.

use std::path::Path;

use electra_data::shard::{Shard, ShardHeader, ShardSummary, ShardWriter};
use electra_data::{Error, Example};
use proptest::prelude::*;

fn header(vocab_size: u32) -> ShardHeader {
    ShardHeader { vocab_size, max_length: 64, tokenizer: [9; 32] }
}

type Rows = Vec<(Vec<u32>, usize)>;

fn write(path: &Path, vocab_size: u32, rows: &Rows) -> ShardSummary {
    let mut writer = ShardWriter::create(path, header(vocab_size)).unwrap();
    for (ids, first_segment) in rows {
        writer.push(Example { input_ids: ids, first_segment: *first_segment }).unwrap();
    }
    writer.finish().unwrap()
}

fn read(path: &Path) -> Result<Rows, Error> {
    let shard = Shard::open(path)?;
    (0..shard.examples())
        .map(|index| shard.example(index).map(|example| (example.input_ids(), example.first_segment())))
        .collect()
}

fn any_rows(vocab_size: u32, most: usize) -> impl Strategy<Value = Rows> {
    let row = prop::collection::vec(0..vocab_size, 1..=64)
        .prop_flat_map(|ids| (0..=ids.len()).prop_map(move |first| (ids.clone(), first)));
    prop::collection::vec(row, 0..most)
}

fn small_rows() -> Rows {
    (0..7u32).map(|row| ((0..3 + row).map(|index| row * 10 + index).collect(), 2)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn round_trip(rows in prop_oneof![any_rows(100, 60), any_rows(1 << 16, 60), any_rows(1 << 20, 60)]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard.bin");
        let summary = write(&path, 1 << 20, &rows);
        prop_assert_eq!(summary.examples, rows.len() as u64);
        prop_assert_eq!(summary.tokens, rows.iter().map(|row| row.0.len() as u64).sum::<u64>());
        prop_assert_eq!(summary.bytes, std::fs::metadata(&path).unwrap().len());
        prop_assert_eq!(read(&path).unwrap(), rows);
    }

    #[test]
    fn round_trip_in_two_bytes(rows in any_rows(1 << 16, 60)) {
        let folder = tempfile::tempdir().unwrap();
        let (two, four) = (folder.path().join("two"), folder.path().join("four"));
        let sizes = [write(&two, 1 << 16, &rows).bytes, write(&four, (1 << 16) + 1, &rows).bytes];
        prop_assert!(rows.len() < 4 || sizes[0] < sizes[1]);
        prop_assert_eq!(read(&two).unwrap(), read(&four).unwrap());
    }

    #[test]
    fn a_changed_byte_gives_an_error_or_the_same(
        rows in prop_oneof![any_rows(1 << 16, 40), any_rows(1 << 20, 40)],
        wide: bool,
        copies in prop_oneof![4 => Just(1usize), 1 => Just(60)],
        index: prop::sample::Index,
        flip in 1u8..,
    ) {
        // Sixty copies of up to forty rows make several blocks.
        let rows: Rows = rows.iter().cycle().take(rows.len() * copies).cloned().collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard.bin");
        let vocab_size = if wide { 1 << 20 } else { 1 << 16 };
        let rows: Rows = rows.into_iter().map(|(ids, first)| (ids.iter().map(|id| id % vocab_size).collect(), first)).collect();
        write(&path, vocab_size, &rows);
        let mut bytes = std::fs::read(&path).unwrap();
        let index = index.index(bytes.len());
        bytes[index] ^= flip;
        std::fs::write(&path, bytes).unwrap();
        if let Ok(read) = read(&path) {
            prop_assert_eq!(read, rows);
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_shard(bytes in prop::collection::vec(any::<u8>(), 0..400), marked: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard.bin");
        let mut bytes = bytes;
        if marked {
            bytes.splice(..bytes.len().min(12), *b"ELECTRA\x1a\x01\0\0\0");
        }
        std::fs::write(&path, bytes).unwrap();
        prop_assert!(read(&path).is_err());
    }
}

#[test]
fn several_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard.bin");
    for examples in [1023, 1024, 1025, 3000] {
        let rows: Rows = (0..examples).map(|row| (vec![row % 500; 1 + row as usize % 5], 1)).collect();
        write(&path, 500, &rows);
        assert_eq!(read(&path).unwrap(), rows);
        Shard::open(&path).unwrap().verify().unwrap();
    }
}

#[test]
fn any_changed_byte_gives_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard.bin");
    write(&path, 100, &small_rows());
    let whole = std::fs::read(&path).unwrap();
    for index in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[index] ^= flip;
            std::fs::write(&path, bytes).unwrap();
            let error = read(&path).expect_err(&format!("byte {index} flipped by {flip:02x} went unseen"));
            assert!(error.to_string().contains("shard.bin"), "{error}");
        }
    }
}

#[test]
fn any_truncation_or_growth_gives_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard.bin");
    write(&path, 100, &small_rows());
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(read(&path).is_err(), "cut to {length} bytes");
    }
    let mut longer = whole.clone();
    longer.push(0);
    std::fs::write(&path, &longer).unwrap();
    assert!(read(&path).is_err(), "one byte longer");
    longer.extend(&whole);
    std::fs::write(&path, &longer).unwrap();
    assert!(read(&path).is_err(), "twice");
}

#[test]
fn errors_say_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard.bin");
    write(&path, 100, &small_rows());
    let whole = std::fs::read(&path).unwrap();
    let error = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read(&path).unwrap_err().to_string()
    };

    let mut flipped = whole.clone();
    flipped[70] ^= 1;
    let message = error(&flipped);
    assert!(message.contains("shard.bin: damaged at byte 64: block 0 has the checksum"), "{message}");
    let message = error(&whole[..whole.len() - 10]);
    assert!(message.contains("truncated or damaged"), "{message}");
    let mut newer = whole.clone();
    newer[8] = 2;
    let message = error(&newer);
    assert!(message.contains("is a shard of version 2; this program reads version 1"), "{message}");
    let message = error(b"some text");
    assert!(message.contains("is not a shard"), "{message}");
    let message = error(b"");
    assert!(message.contains("is not a shard"), "{message}");
    let missing = read(&folder.path().join("none")).unwrap_err().to_string();
    assert!(missing.contains("none: opening it: "), "{missing}");
}

/// Found by fuzzing: nothing else compares the trailer's number of ids with the blocks.
#[test]
fn a_trailer_that_speaks_of_other_ids_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard.bin");
    write(&path, 100, &small_rows());
    let mut bytes = std::fs::read(&path).unwrap();
    let trailer = bytes.len() - 64;
    bytes[trailer + 13] = 1;
    bytes[trailer + 44..trailer + 48].fill(0);
    let checksum = crc32fast::hash(&bytes[trailer..]);
    bytes[trailer + 44..trailer + 48].copy_from_slice(&checksum.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let message = Shard::open(&path).unwrap().verify().unwrap_err().to_string();
    let expected =
        format!("damaged at byte {trailer}: the trailer speaks of 1099511627818 ids, the blocks hold 42");
    assert!(message.ends_with(&expected), "{message}");
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard.bin");
    let mut writer = ShardWriter::create(&path, header(100)).unwrap();
    let mut push = |ids: &[u32], first_segment| {
        writer.push(Example { input_ids: ids, first_segment }).unwrap_err().to_string()
    };
    assert_eq!(push(&[5, 100], 1), "token id 100 is not in a vocabulary of 100 tokens (ids 0 to 99)");
    assert!(push(&[], 0).contains("expected 1 to 64 tokens"));
    assert!(push(&[1; 65], 1).contains("65 tokens"));
    assert!(push(&[1, 2], 3).contains("3 in the first segment"));
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Another program writes to a shard whose blocks were checked: an error or other ids, never a panic or a read out of
/// bounds; and it is noticed.
#[test]
fn a_shard_that_changes_while_it_is_mapped_is_noticed() {
    use std::io::{Seek, SeekFrom, Write};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard.bin");
    write(&path, 100, &small_rows());
    let whole = std::fs::read(&path).unwrap();
    let shard = Shard::open(&path).unwrap();
    let read_all = || (0..shard.examples()).filter(|&index| shard.example(index).is_ok()).count();
    assert_eq!(read_all(), 7);
    shard.check_unchanged().unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    let opened = file.metadata().unwrap().modified().unwrap();
    for place in 64..whole.len() - 64 {
        for byte in [0x00, 0x7f, 0xff] {
            (&file).seek(SeekFrom::Start(place as u64)).unwrap();
            (&file).write_all(&[byte]).unwrap();
            for index in 0..shard.examples() {
                if let Ok(example) = shard.example(index) {
                    assert!(example.input_ids().len() <= 64 && example.first_segment() <= example.length());
                }
            }
            (&file).seek(SeekFrom::Start(place as u64)).unwrap();
            (&file).write_all(&whole[place..=place]).unwrap();
        }
    }
    assert_eq!(read_all(), 7);
    file.set_modified(opened + std::time::Duration::from_secs(1)).unwrap();
    let message = shard.check_unchanged().unwrap_err().to_string();
    assert!(message.contains("shard.bin: was written to while it was read"), "{message}");
    file.set_modified(opened).unwrap();
    shard.check_unchanged().unwrap();
    file.set_len(whole.len() as u64 + 1).unwrap();
    file.set_modified(opened).unwrap();
    assert!(shard.check_unchanged().is_err());
}
