//! Batches on a device.

use electra_data::{Column, ColumnData, Data};
use electra_masking::Stream;
use electra_objective::DeviceBatch;
use tch::{Device, Kind, Tensor};

fn data(positions: &[i64], valid: &[bool], first_id: i64) -> electra_data::Batch {
    let (rows, slots) = (2, positions.len() / 2);
    let columns = vec![
        ColumnData { column: Column::ids("masked_positions", slots), data: Data::Ids(positions.to_vec()) },
        ColumnData { column: Column::flags("masked_valid", slots), data: Data::Flags(valid.to_vec()) },
        ColumnData {
            column: Column::reals("uniforms", slots),
            data: Data::Reals(
                (0..rows * slots).map(|slot| (slot as f32 + first_id as f32) / 100.0).collect(),
            ),
        },
    ];
    let input_ids: Vec<i64> = (0..rows as i64 * 6).map(|cell| first_id + cell).collect();
    let mut attention_mask = vec![true; rows * 6];
    attention_mask[11] = first_id > 10;
    electra_data::Batch::from_arrays(6, input_ids, attention_mask, vec![first_id; rows * 6], columns)
}

#[test]
fn targets_are_the_tokens_at_masked_positions() {
    let batch = DeviceBatch::new(&data(&[1, 4, 2, 0], &[true, true, true, false], 10), Device::Cpu);
    let targets: Vec<i64> = batch.targets().flatten(0, 1).try_into().unwrap();
    assert_eq!(targets, [11, 14, 18, 16]);
}

#[test]
fn totals_are_scalars_that_nothing_divides_by_0() {
    let batch = DeviceBatch::new(&data(&[1, 4, 2, 0], &[true, true, true, false], 10), Device::Cpu);
    for (name, total) in [("attention_mask", 11.0), ("masked_valid", 3.0)] {
        assert_eq!(batch.total(name).double_value(&[]), total, "{name}");
        assert_eq!((batch.total(name).kind(), batch.total(name).dim()), (Kind::Float, 0), "{name}");
    }
    let batch = DeviceBatch::new(&data(&[0; 4], &[false; 4], 10), Device::Cpu);
    assert_eq!(batch.total("masked_valid").double_value(&[]), 1.0);
    let mut replaced = batch.with("masked_valid", Tensor::from_slice(&[true, true]).view([2, 1]));
    assert_eq!(replaced.total("masked_valid").double_value(&[]), 2.0);
    assert_eq!(replaced.column("masked_valid").size(), [2, 1]);
    assert!(replaced.get("sampled_ids").is_none());
    replaced = replaced.with("sampled_ids", Tensor::from_slice(&[7_i64, 8]).view([2, 1]));
    assert!(replaced.get("sampled_ids").is_some());
}

#[test]
fn a_step_has_a_generator_of_its_own_for_each_stream() {
    let mut batch = DeviceBatch::new(&data(&[1, 4, 2, 0], &[true; 4], 10), Device::Cpu);
    let number = |batch: &DeviceBatch, name| batch.rng(Stream::named(name)).next_u64();
    let first = number(&batch, b"first\0\0\0");
    assert_eq!(first, number(&batch, b"first\0\0\0"));
    assert_ne!(first, number(&batch, b"second\0\0"));
    batch.step = 1;
    assert_ne!(first, number(&batch, b"first\0\0\0"));
}

#[test]
fn a_copy_is_the_other_batch_in_the_same_memory() {
    let mut batch = DeviceBatch::new(&data(&[1, 4, 2, 0], &[true, true, true, false], 10), Device::Cpu);
    let other = DeviceBatch::new(&data(&[2, 3, 1, 5], &[false, true, false, true], 20), Device::Cpu);
    let tensors = |batch: &DeviceBatch| {
        [
            &batch.input_ids,
            &batch.attention_mask,
            &batch.token_type_ids,
            batch.column("masked_positions"),
            batch.column("masked_valid"),
            batch.column("uniforms"),
            batch.total("attention_mask"),
            batch.total("masked_valid"),
        ]
        .map(Tensor::shallow_clone)
    };
    let before = tensors(&batch);
    assert!(before.iter().zip(&tensors(&other)).all(|(own, other)| !own.equal(other)));
    batch.copy_(&other);
    assert!(before.iter().zip(&tensors(&other)).all(|(own, other)| own.equal(other)));
}
