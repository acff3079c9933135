//! What must hold whatever the weights are.

use electra_encoder::{Attention, Encoder, EncoderConfig, Input, Select, Tied, initialise};
use tch::{Device, IndexOp, Kind, Tensor, nn};

use crate::support::{Rows, config, difference, electra, libtorch_generator};

/// An encoder whose parameters are all far from their means.
fn encoder(config: &EncoderConfig) -> (nn::VarStore, Encoder) {
    let var_store = nn::VarStore::new(Device::Cpu);
    let encoder = Encoder::new(&(var_store.root() / "main" / "electra"), config);
    initialise(&var_store, 0.2, 1).unwrap();
    (var_store, encoder)
}

fn states(encoder: &Encoder, rows: &Rows) -> Tensor {
    tch::no_grad(|| encoder.forward_t(&rows.input(), false))
}

const ROW: &[i64] = &[2, 7, 11, 13, 3, 17, 3];
const OTHER: &[i64] = &[2, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 3];

#[test]
fn padding_changes_nothing_before_it() {
    let (_parameters, encoder) = encoder(&config());
    let plain = states(&encoder, &Rows::padded(&[ROW], ROW.len()));
    let padded = states(&encoder, &Rows::padded(&[ROW], 16));
    assert_eq!(padded.size(), [1, 16, 24]);
    assert!(difference(&padded.narrow(1, 0, ROW.len() as i64), &plain) < 1e-5);

    // And what stands in the padding is of no consequence.
    let mut other = Rows::padded(&[ROW], 16);
    other.input_ids = other.input_ids.where_self(&other.attention_mask, &Tensor::from(33_i64));
    let other = states(&encoder, &other);
    assert!(difference(&other.narrow(1, 0, ROW.len() as i64), &plain) < 1e-5);

    // A control: without the mask it would be.
    let mut unmasked = Rows::padded(&[ROW], 16);
    unmasked.attention_mask = unmasked.attention_mask.ones_like();
    assert!(difference(&states(&encoder, &unmasked).narrow(1, 0, ROW.len() as i64), &plain) > 1e-2);
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() {
    let (_parameters, encoder) = encoder(&config());
    let together = states(&encoder, &Rows::padded(&[OTHER, ROW, OTHER], 12));
    let alone = states(&encoder, &Rows::padded(&[ROW], 12));
    assert!(difference(&together.i(1..2), &alone) < 1e-5);
    assert!(difference(&together.i(0), &together.i(2)) < 1e-5);
}

#[test]
fn states_at_some_positions_are_those_of_all() {
    let (parameters, encoder) = encoder(&config());
    let rows = Rows::padded(&[OTHER, ROW], 12);
    let positions = Tensor::from_slice2(&[[1_i64, 5, 11], [0, 6, 2]]);
    let learnt = |states: Tensor| {
        states.sin().sum(Kind::Float).backward();
        let all = parameters.variables();
        let gradients: std::collections::BTreeMap<_, _> =
            all.into_iter().map(|(name, parameter)| (name, parameter.grad().copy())).collect();
        let parameters: Vec<_> = parameters.variables().into_values().collect();
        electra_torch::zero_grad(&parameters).unwrap();
        (states.detach(), gradients)
    };
    let some = learnt(encoder.forward_select_t(&rows.input(), Select::Positions(&positions), false));
    let index = positions.unsqueeze(-1).expand([2, 3, 24], false);
    let all = learnt(encoder.forward_t(&rows.input(), false).gather(1, &index, false));
    assert!(difference(&some.0, &all.0) < 1e-5);
    for (name, gradient) in &some.1 {
        assert!(difference(gradient, &all.1[name]) < 1e-4, "{name}");
    }
}

#[test]
fn attention_is_to_keys_to_what_came_before_or_by_pairs() {
    let (_parameters, encoder) = encoder(&config());
    let rows = Rows::padded(&[OTHER, ROW], 12);
    let states = |attention: Attention<'_>| {
        tch::no_grad(|| encoder.forward_t(&Input { attention, ..rows.input() }, false))
    };
    let keys = &rows.attention_mask;
    let pairs = keys.unsqueeze(1).expand([2, 12, 12], false);
    let by_keys = states(Attention::Keys(keys));
    assert!(difference(&states(Attention::Pairs(&pairs)), &by_keys) < 1e-5);

    let causal = states(Attention::Causal(keys));
    let before = pairs.logical_and(&Tensor::ones([12, 12], (Kind::Bool, Device::Cpu)).tril(0));
    assert!(difference(&states(Attention::Pairs(&before)), &causal) < 1e-5);
    // The first token sees itself alone.
    assert!(difference(&causal.narrow(1, 0, 1), &by_keys.narrow(1, 0, 1)) > 1e-2);
    let message = panics(std::panic::AssertUnwindSafe(|| drop(states(Attention::Pairs(keys)))));
    assert!(message.contains("attention_mask is of another shape or kind"), "{message}");
}

#[test]
fn every_input_matters() {
    let (_parameters, encoder) = encoder(&config());
    let base = states(&encoder, &Rows::padded(&[ROW], 7));
    let mut types = Rows::padded(&[ROW], 7);
    types.token_type_ids = types.token_type_ids.zeros_like();
    assert!(difference(&states(&encoder, &types), &base) > 1e-2);
    // Two equal tokens differ by their places.
    let equal = states(&encoder, &Rows::padded(&[&[9, 9, 9, 9]], 4));
    assert!(difference(&equal.i((.., 0)), &equal.i((.., 1))) > 1e-2);
}

#[test]
fn hidden_states_are_the_layers_outputs_and_dropout_is_for_training_alone() {
    let _alone = libtorch_generator();
    let (_parameters, encoder) = encoder(&config());
    let rows = Rows::padded(&[ROW, OTHER], 12);
    let all = tch::no_grad(|| encoder.hidden_states_t(&rows.input(), false));
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|state| state.size() == [2, 12, 24]));
    assert_eq!(all[2], states(&encoder, &rows));
    assert_ne!(all[2], all[1]);

    tch::manual_seed(1);
    let first = encoder.forward_t(&rows.input(), true);
    let second = encoder.forward_t(&rows.input(), true);
    assert_ne!(first, second);
    tch::manual_seed(1);
    assert_eq!(encoder.forward_t(&rows.input(), true), first);
}

/// Both rates are used where they should be: with one of them at 0 the other still does something.
#[test]
fn each_dropout_does_something() {
    let _alone = libtorch_generator();
    let rows = Rows::padded(&[ROW, OTHER], 12);
    let plain = config().without_dropout();
    let hidden = EncoderConfig { hidden_dropout_prob: 0.5, ..plain.clone() };
    let attention = EncoderConfig { attention_probs_dropout_prob: 0.5, ..plain.clone() };
    for (config, random) in [(plain, false), (hidden, true), (attention, true)] {
        let (_parameters, encoder) = encoder(&config);
        let trained = encoder.forward_t(&rows.input(), true);
        assert_eq!(difference(&trained, &states(&encoder, &rows)) > 1e-3, random);
    }
}

#[test]
fn every_parameter_learns_and_padding_teaches_nothing() {
    let (var_store, encoder) = encoder(&config());
    let rows = Rows::padded(&[ROW, OTHER], 12);
    let weight = rows.attention_mask.to_kind(Kind::Float).unsqueeze(-1);
    let target = Tensor::arange(24, (Kind::Float, Device::Cpu)).sin();
    (encoder.forward_t(&rows.input(), false) * target * weight).sum(Kind::Float).backward();
    for (name, parameter) in var_store.variables() {
        let gradient = parameter.grad();
        assert!(gradient.defined(), "{name} has no gradient");
        // Adding a constant to every score of a row leaves its softmax as it was: a key's bias is idle.
        if !name.ends_with("key.bias") {
            assert!(gradient.abs().max().double_value(&[]) > 1e-6, "{name} does not learn");
        }
        if name.ends_with("word_embeddings.weight") {
            // Id 0 stands in the padding only.
            assert_eq!(gradient.i(0).abs().max().double_value(&[]), 0.0);
        }
    }
}

#[test]
fn tied_tables_are_one_parameter() {
    for (tied, own) in
        [(Tied::AllEmbeddings, 0), (Tied::WordOnly, 4), (Tied::GradientDisentangled, 5), (Tied::None, 5)]
    {
        let network = electra(tied);
        let names: Vec<_> = network.var_store.variables().into_keys().collect();
        let own_embeddings = names.iter().filter(|name| name.starts_with("main.electra.embeddings."));
        assert_eq!(own_embeddings.count(), own, "{tied:?}");
        assert!(names.iter().any(|name| name == "main.electra.embeddings_project.weight"));
        assert!(!names.iter().any(|name| name.contains("__")));
        initialise(&network.var_store, 0.02, 1).unwrap();
        let word = |encoder: &Encoder| encoder.embeddings().word_embeddings().data_ptr();
        assert_eq!(word(&network.generator) == word(&network.main), tied != Tied::None);
    }
}

fn panics(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let payload = std::panic::catch_unwind(run).expect_err("no panic");
    payload.downcast_ref::<String>().expect("a formatted message").clone()
}

#[test]
fn wrong_shapes_are_told_in_our_words() {
    let run = |change: fn(&mut Rows), length: usize| {
        panics(move || {
            let (_parameters, encoder) = encoder(&config());
            let mut rows = Rows::padded(&[ROW], length);
            change(&mut rows);
            let _ = states(&encoder, &rows);
        })
    };
    let message = run(|_| {}, 17);
    assert_eq!(message, "17 tokens in a row, and max_position_embeddings is 16");
    let message = run(|rows| rows.attention_mask = rows.attention_mask.to_kind(Kind::Int64), 8);
    assert!(message.contains("attention_mask is of another shape or kind"), "{message}");
    let message = run(|rows| rows.token_type_ids = rows.token_type_ids.narrow(1, 0, 4), 8);
    assert!(message.contains("token_type_ids is of another shape or kind"), "{message}");
    let message = run(|rows| rows.input_ids = rows.input_ids.i(0), 8);
    assert!(message.contains("input_ids is [8]; expected [B, L]"), "{message}");
}

#[test]
fn a_name_that_is_taken_panics() {
    let message = panics(|| {
        let (var_store, _encoder) = encoder(&config());
        let _ = Encoder::new(&(var_store.root() / "main" / "electra"), &config());
    });
    let expected = "there is a parameter main.electra.embeddings.word_embeddings.weight already";
    assert_eq!(message, expected);
}

#[test]
fn parameters_without_values_show() {
    let var_store = nn::VarStore::new(Device::Cpu);
    let encoder = Encoder::new(&(var_store.root() / "electra"), &config());
    let rows = Rows::padded(&[ROW], 7);
    let input = Input { ..rows.input() };
    assert!(bool::try_from(encoder.forward_t(&input, false).isnan().all()).unwrap());
}
