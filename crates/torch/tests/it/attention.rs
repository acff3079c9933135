use crate::{devices, gpu_or_skip, numbers, values};
use electra_torch::{Sequences, flash_attention};
use tch::{Device, Kind, Tensor};

/// Rows of L positions of which the first so many are tokens.
fn mask(tokens: &[i64], length: i64, device: Device) -> Tensor {
    let place = Tensor::arange(length, (Kind::Int64, device));
    let tokens = Tensor::from_slice(tokens).to_device(device).unsqueeze(-1);
    place.unsqueeze(0).lt_tensor(&tokens)
}

#[test]
fn tokens_and_padding_are_sequences() {
    for device in devices() {
        let sequences = Sequences::of_tokens_and_padding(&mask(&[3, 5, 0, 1], 5, device)).unwrap();
        assert_eq!(sequences.first().kind(), Kind::Int);
        assert_eq!(values(sequences.first()), [0.0, 3.0, 5.0, 10.0, 10.0, 10.0, 15.0, 16.0, 20.0]);
        let one = Sequences::of_tokens_and_padding(&mask(&[1, 0], 1, device)).unwrap();
        assert_eq!(values(one.first()), [0.0, 1.0, 1.0, 1.0, 2.0]);
    }
}

#[test]
fn padding_in_front_of_a_token_is_refused() {
    let mask = Tensor::from_slice(&[true, true, false, true]).view([2, 2]);
    let error = Sequences::of_tokens_and_padding(&mask).unwrap_err().to_string();
    assert!(error.contains("padding comes before a token of its row: expected it behind"), "{error}");
    let error = Sequences::of_tokens_and_padding(&Tensor::from_slice(&[true])).unwrap_err().to_string();
    assert!(error.contains("expected bool [B, L]"), "{error}");
}

#[test]
fn the_cpu_has_no_flash_attention() {
    let sequences = Sequences::of_tokens_and_padding(&mask(&[3, 1], 4, Device::Cpu)).unwrap();
    let query = numbers(&[2, 4, 2, 32], 1, Kind::BFloat16, Device::Cpu);
    assert!(flash_attention(&query, &query, &query, || Ok(&sequences), 0.0).unwrap().is_none());
}

/// Against the same attention with a mask.
#[test]
fn flash_attention_sees_what_a_mask_lets_it() {
    let Some(device) = gpu_or_skip("attention::flash_attention_sees_what_a_mask_lets_it") else { return };
    let (rows, length, heads, size) = (4, 40, 2, 32);
    let padding = mask(&[40, 17, 1, 39], length, device);
    let [query, key, value] = [1, 2, 3].map(|seed| {
        numbers(&[rows, length, heads, size], seed, Kind::BFloat16, device).set_requires_grad(true)
    });
    let sequences = Sequences::of_tokens_and_padding(&padding).unwrap();
    let attended = flash_attention(&query, &key, &value, || Ok(&sequences), 0.0).unwrap();
    let attended = attended.expect("this GPU has flash attention");
    let [q, k, v] = [&query, &key, &value].map(|tensor| {
        tensor.detach().to_kind(Kind::Double).to_device(Device::Cpu).transpose(1, 2).set_requires_grad(true)
    });
    let mask = padding.to_device(Device::Cpu);
    let scores = (q.matmul(&k.transpose(-2, -1)) / (size as f64).sqrt())
        .masked_fill(&mask.unsqueeze(1).unsqueeze(1).logical_not(), f64::NEG_INFINITY);
    let expected = scores.softmax(-1, Kind::Double).matmul(&v).transpose(1, 2); // [B, L, H, A]

    // At tokens, and weighted so that every gradient is another.
    let weight = numbers(&[rows, length, heads, size], 4, Kind::Double, Device::Cpu)
        * mask.unsqueeze(-1).unsqueeze(-1).to_kind(Kind::Double);
    let weigh = |tensor: &Tensor| tensor.to_device(Device::Cpu).to_kind(Kind::Double) * &weight;
    let far = |given: &Tensor, expected: &Tensor| {
        let largest = |tensor: Tensor| tensor.abs().max().double_value(&[]);
        let difference = given.to_device(Device::Cpu).to_kind(Kind::Double) - expected;
        largest(difference) / largest(expected.shallow_clone())
    };
    assert!(far(&weigh(&attended), &weigh(&expected)) < 0.03);
    weigh(&attended).sum(Kind::Double).backward();
    weigh(&expected).sum(Kind::Double).backward();
    for (given, expected, name) in [(&query, &q, "query"), (&key, &k, "key"), (&value, &v, "value")] {
        let far = far(&given.grad().transpose(1, 2), &expected.grad());
        assert!(far < 0.03, "the gradient of {name} is off by {far} of its largest number");
    }
    // With dropout some of it is missing, and what is there is larger.
    let dropped = flash_attention(&query, &key, &value, || Ok(&sequences), 0.5).unwrap().unwrap();
    assert!(dropped.ne_tensor(&attended).any().int64_value(&[]) == 1);
}
