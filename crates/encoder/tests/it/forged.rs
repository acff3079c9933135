//! Files of weights that were damaged or forged: read as they stand, or refused by their names.

use std::path::Path;

use electra_encoder::Weights;
use proptest::prelude::*;
use tch::{Device, Kind, Tensor};

/// Sizes that a header may name.
const SIZES: [u64; 12] = [0, 1, 2, 3, 4, 8, 16, 1 << 20, 1 << 31, 1 << 40, i64::MAX as u64, u64::MAX];
/// Where a tensor's values may begin and end.
const OFFSETS: [(u64, u64); 8] = [(0, 0), (0, 16), (0, 16), (0, 8), (8, 16), (16, 16), (8, 4), (0, u64::MAX)];
const KINDS: [&str; 8] = ["F32", "F16", "I64", "U8", "BOOL", "F8_E4M3", "U16", "F33"];

/// Two tensors in a file, as they are written.
fn whole() -> Vec<u8> {
    let table = Tensor::arange(6, (Kind::Float, Device::Cpu)).reshape([2, 3]);
    let ids = Tensor::from_slice(&[1_i64, 2]);
    let weights = Weights::new([("table".to_owned(), table), ("ids".to_owned(), ids)]);
    weights.to_bytes(Path::new("written")).unwrap()
}

/// What a header says of a tensor: name, kind, shape, and where its values begin and end.
type Entry = (String, &'static str, Vec<u64>, (u64, u64));

/// A header before sixteen bytes of values.
fn forged(tensors: &[Entry], length: Option<u64>) -> Vec<u8> {
    let entries = tensors.iter().map(|(name, kind, shape, (begin, end))| {
        format!("{name:?}:{{\"dtype\":{kind:?},\"shape\":{shape:?},\"data_offsets\":[{begin},{end}]}}")
    });
    let header = format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
    let length = length.unwrap_or(header.len() as u64);
    [&length.to_le_bytes()[..], header.as_bytes(), &[7; 16]].concat()
}

/// What is read is written and read again as the same; what is not is refused with the file.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    std::fs::write(&path, bytes).unwrap();
    let weights = match Weights::read(&path) {
        Ok(weights) => weights,
        Err(error) => {
            let message = error.to_string();
            prop_assert!(message.contains(&path.display().to_string()), "{}", message);
            return Ok(());
        }
    };
    let written = weights.to_bytes(&path).unwrap();
    std::fs::write(&path, &written).unwrap();
    prop_assert_eq!(Weights::read(&path).unwrap().to_bytes(&path).unwrap(), written);
    Ok(())
}

fn any_size() -> impl Strategy<Value = u64> {
    prop::sample::select(&SIZES[..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn damaged_files_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let mut bytes = whole();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(&bytes)?;
    }

    #[test]
    fn forged_headers_are_read_or_refused(
        tensors in prop::collection::vec(
            (
                "[ab\u{e9}\n]{0,2}",
                prop::sample::select(&KINDS[..]),
                prop::collection::vec(any_size(), 0..4),
                prop::sample::select(&OFFSETS[..]),
            ),
            0..3,
        ),
        length in prop::option::weighted(0.1, any_size()),
    ) {
        check(&forged(&tensors, length))?;
    }
}
