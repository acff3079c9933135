//! Batches on a device.

use electra_objective::Batch;
use tch::{Device, Kind, Tensor};

fn data(examples: &[u64], positions: &[i64], valid: &[bool]) -> electra_data::Batch {
    let rows = examples.len();
    electra_data::Batch {
        rows,
        max_length: 6,
        max_masked: positions.len() / rows,
        examples: examples.to_vec(),
        input_ids: (0..rows as i64 * 6).map(|at| 10 + at).collect(),
        attention_mask: vec![true; rows * 6],
        token_type_ids: vec![0; rows * 6],
        masked_input_ids: vec![4; rows * 6],
        masked_positions: positions.to_vec(),
        masked_valid: valid.to_vec(),
    }
}

#[test]
fn sampling_numbers_belong_to_the_example() {
    let two = Batch::new(&data(&[7, 9], &[1, 2, 3, 4], &[true; 4]), 1, 5, Device::Cpu);
    let other = Batch::new(&data(&[9], &[1, 2], &[true; 2]), 1, 5, Device::Cpu);
    assert!(two.uniforms.get(1).equal(&other.uniforms.get(0)), "whatever the batch");
    assert!(!two.uniforms.get(0).equal(&two.uniforms.get(1)));
    for (seed, step) in [(1, 6), (2, 5)] {
        let batch = Batch::new(&data(&[7, 9], &[1, 2, 3, 4], &[true; 4]), seed, step, Device::Cpu);
        assert!(!batch.uniforms.equal(&two.uniforms), "seed {seed}, step {step}");
    }
    let many = Batch::new(&data(&[1], &[1; 1000], &[false; 1000]), 1, 0, Device::Cpu).uniforms;
    assert!(many.min().double_value(&[]) >= 0.0 && many.max().double_value(&[]) < 1.0);
    // A mean of 1,000 uniform numbers has a standard deviation of 0.0091.
    assert!((many.mean(Kind::Double).double_value(&[]) - 0.5).abs() < 0.055);
}

#[test]
fn slots_of_one_position_share_their_number() {
    let batch = data(&[7], &[1, 3, 3, 3, 5, 0], &[true, true, true, true, true, false]);
    let uniforms = Batch::new(&batch, 1, 0, Device::Cpu).uniforms;
    let number = |slot: i64| uniforms.double_value(&[0, slot]);
    assert!(number(1) == number(2) && number(2) == number(3));
    assert!(number(0) != number(1) && number(3) != number(4));
    let once = Batch::new(&batch, 1, 0, Device::Cpu).counted_once();
    let once: Vec<bool> = once.flatten(0, 1).try_into().unwrap();
    assert_eq!(once, [true, true, false, false, true, false]);
}

#[test]
fn targets_are_the_tokens_at_masked_positions() {
    let batch = Batch::new(&data(&[7, 8], &[1, 4, 2, 0], &[true, true, true, false]), 1, 0, Device::Cpu);
    let targets: Vec<i64> = batch.targets().flatten(0, 1).try_into().unwrap();
    assert_eq!(targets, [11, 14, 18, 16]);
}

#[test]
fn a_copy_is_the_other_batch_in_the_same_memory() {
    let mut batch = Batch::new(&data(&[7, 8], &[1, 4, 2, 0], &[true, true, true, false]), 1, 0, Device::Cpu);
    let mut data = data(&[9, 5], &[2, 3, 1, 5], &[false, true, false, true]);
    data.input_ids.reverse();
    data.attention_mask[11] = false;
    data.token_type_ids[3] = 1;
    data.masked_input_ids[2] = 9;
    let other = Batch::new(&data, 1, 7, Device::Cpu);
    let tensors = |batch: &Batch| {
        [
            &batch.input_ids,
            &batch.attention_mask,
            &batch.token_type_ids,
            &batch.masked_input_ids,
            &batch.masked_positions,
            &batch.masked_valid,
            &batch.uniforms,
        ]
        .map(Tensor::shallow_clone)
    };
    let before = tensors(&batch);
    assert!(before.iter().zip(&tensors(&other)).all(|(one, other)| !one.equal(other)));
    batch.copy_(&other);
    assert!(before.iter().zip(&tensors(&other)).all(|(one, other)| one.equal(other)));
}
