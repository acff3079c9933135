use std::path::PathBuf;

use electra_config::Preset;
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

#[test]
fn two_versions_of_the_program_end_before_the_first_step() {
    let timeout = Duration::from_secs(30);
    let host = Host::open("", timeout).unwrap();
    let port = host.port();
    let texts = TextHashes { corpus: "ab".to_owned(), valid: None };
    let config = Config::preset(Preset::Tiny, "electra", 1, PathBuf::from("corpus"));
    let rank = &|rank: usize, program: &str| {
        let meeting = Meeting::on_this_machine(rank, 2, port, timeout);
        let ranks = Ranks::meet(&meeting)?;
        ranks.are_alike(program, &texts, &config).map_err(|error| ranks.explain(error))
    };
    let said = std::thread::scope(|scope| {
        let threads = [(0, "electra 0.1.0"), (1, "electra 0.2.0")]
            .map(|(number, program)| scope.spawn(move || rank(number, program)));
        threads.map(|thread| thread.join().unwrap().unwrap_err().to_string())
    });
    let cause = "rank 1 has \"electra 0.2.0\"; expected \"electra 0.1.0\", as rank 0 has";
    assert_eq!(said, [format!("rank 0 of 2 ends: rank 1 ended: {cause}"), cause.to_owned()]);
}
