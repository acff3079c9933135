use tch::{Device, Kind, Tensor};

use super::*;

#[test]
fn a_checksum_sees_a_bit_and_a_change_of_places() {
    let tensors =
        || vec![Tensor::ones([2, 3], tch::kind::FLOAT_CPU), Tensor::arange(4, (Kind::Float, Device::Cpu))];
    let sum = checksum(&tensors()).unwrap();
    assert_eq!(checksum(&tensors()).unwrap(), sum);
    let changed = tensors();
    let _ = changed[0].get(1).get(2).fill_(1.000_000_1);
    assert_ne!(checksum(&changed).unwrap(), sum);
    let mut swapped = tensors();
    swapped[1] = Tensor::from_slice(&[1.0_f32, 0.0, 2.0, 3.0]);
    assert_ne!(checksum(&swapped).unwrap(), sum);
}

#[test]
fn the_first_difference_is_found() {
    assert_eq!(difference("a\nb\nc", "a\nd\ne"), ("b".to_owned(), "d".to_owned()));
    assert_eq!(difference("a", "a\nb"), ("no such setting".to_owned(), "b".to_owned()));
}
