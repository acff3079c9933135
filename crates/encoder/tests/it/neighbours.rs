//! Heads that attend to neighbours from the start: what they attend to, and what stays as it was drawn.

use electra_encoder::{Encoder, EncoderConfig, Input, Tied, initialise, initialise_neighbour_heads};
use tch::{Device, Kind, Tensor, nn};

use crate::support::{Rows, electra};

/// Sizes of the plans, of the paper's Small and Base, and of generators.
fn sizes() -> Vec<(&'static str, EncoderConfig)> {
    let of_size = |hidden_size, num_attention_heads, embedding_size, initializer_range| EncoderConfig {
        vocab_size: 300,
        embedding_size,
        hidden_size,
        num_attention_heads,
        intermediate_size: 32,
        num_hidden_layers: 1,
        max_position_embeddings: 512,
        initializer_range,
        neighbour_heads: 4.min(num_attention_heads),
        ..EncoderConfig::tiny()
    };
    let tiny = of_size(64, 4, 64, 0.12);
    let small = of_size(256, 4, 128, 0.02);
    vec![
        ("a generator of width 32", tiny.generator(0.5)),
        ("a generator of one head", small.generator(0.25)),
        ("width 64", tiny),
        ("width 128", of_size(128, 4, 128, 0.1)),
        ("Small", small),
        ("Base", of_size(768, 12, 768, 0.02)),
    ]
}

/// An encoder of one layer, and its parameters.
fn encoder(config: &EncoderConfig) -> (nn::VarStore, Encoder) {
    let var_store = nn::VarStore::new(Device::Cpu);
    let encoder = Encoder::new(&(var_store.root() / "electra"), config);
    initialise(&var_store, config.initializer_range, 5).unwrap();
    initialise_neighbour_heads(&var_store, config).unwrap();
    (var_store, encoder)
}

/// The attention's probabilities of the first layer, `[H, L, L]`, computed from the parameters.
fn probabilities(var_store: &nn::VarStore, encoder: &Encoder, length: i64) -> Tensor {
    let config = encoder.config();
    let row: Vec<i64> =
        (0..length).map(|place| (7 * place * place + 3 * place) % config.vocab_size).collect();
    let rows = Rows::padded(&[&row], length as usize);
    let x = encoder.hidden_states_t(&rows.input(), false).swap_remove(0).squeeze_dim(0); // [L, D]
    let variables = var_store.variables();
    let [query, key] = ["query", "key"].map(|name| {
        let weight = &variables[&format!("electra.encoder.layer.0.attention.self.{name}.weight")];
        x.linear(weight, None::<&Tensor>).view([length, config.num_attention_heads, -1]).transpose(0, 1)
    });
    let head_size = (config.hidden_size / config.num_attention_heads) as f64;
    (query.matmul(&key.transpose(1, 2)) / head_size.sqrt()).softmax(-1, Kind::Float)
}

#[test]
fn attention_peaks_at_the_neighbours_in_short_rows_and_long_ones() {
    for (name, config) in sizes() {
        let (var_store, encoder) = encoder(&config);
        for length in [8, 46, 128, 512] {
            let probabilities = probabilities(&var_store, &encoder, length);
            for (head, offset) in [-1, 1, -2, 2].into_iter().enumerate().take(config.neighbour_heads as usize)
            {
                let head = probabilities.get(head as i64);
                // The attention of all tokens that have such a neighbour, by how far away it is.
                let mean_at = |away: i64| {
                    let diagonal = head.diagonal(away, 0, 1);
                    diagonal.mean(Kind::Double).double_value(&[])
                };
                let peak = mean_at(offset);
                for away in (1 - length..length).filter(|&away| away != offset) {
                    assert!(mean_at(away) < 0.8 * peak, "{name}, {length} tokens, {away} beside {offset}");
                }
                // Far above 1/L, which is where attention begins.
                assert!(peak > 0.6_f64.min(0.1 + 20.0 / length as f64), "{name}, {length} tokens: {peak}");
            }
            // The others do not know of it.
            for head in config.neighbour_heads..config.num_attention_heads {
                let most = probabilities.get(head).max().double_value(&[]);
                assert!(most < 0.9, "{name}, {length}: {most}");
            }
        }
    }
}

#[test]
fn everything_else_has_the_values_that_it_had() {
    for tied in [Tied::AllEmbeddings, Tied::WordOnly, Tied::None] {
        let (before, after) = (electra(tied), electra(tied));
        let config = EncoderConfig { neighbour_heads: 1, ..crate::support::config() };
        for network in [&before, &after] {
            initialise(&network.var_store, 0.1, 3).unwrap();
        }
        initialise_neighbour_heads(&after.var_store, &config).unwrap();
        // E 10 and heads of 8: min(8 / 2, 10 / 8) = 1 frequency, so 2 columns.
        let changes = |name: &str, place: usize, columns: usize| {
            let (row, column) = (place / columns, place % columns);
            if name.ends_with("position_embeddings.weight") {
                true
            } else if name.ends_with("word_embeddings.weight")
                || name.ends_with("token_type_embeddings.weight")
            {
                column < 2
            } else {
                let heads = [
                    "project.weight",
                    "layer.0.attention.self.query.weight",
                    "layer.0.attention.self.key.weight",
                ];
                heads.iter().any(|ending| name.ends_with(ending)) && row < 2
            }
        };
        let after = after.var_store.variables();
        for (name, parameter) in before.var_store.variables() {
            let columns = *parameter.size().last().unwrap() as usize;
            let values = |tensor: &Tensor| Vec::<f32>::try_from(tensor.detach().flatten(0, -1)).unwrap();
            let pairs = values(&parameter).into_iter().zip(values(&after[&name]));
            for (place, (before, after)) in pairs.enumerate() {
                assert_eq!(before != after, changes(&name, place, columns), "{name} {place} {tied:?}");
            }
            assert!(after[&name].requires_grad(), "{name}");
        }
    }
}

#[test]
fn without_such_heads_nothing_changes() {
    let config = EncoderConfig { neighbour_heads: 0, ..sizes()[2].1.clone() };
    let (with, _) = encoder(&config);
    let drawn = nn::VarStore::new(Device::Cpu);
    let _ = Encoder::new(&(drawn.root() / "electra"), &config);
    initialise(&drawn, config.initializer_range, 5).unwrap();
    for (name, parameter) in drawn.variables() {
        assert_eq!(parameter, with.variables()[&name], "{name}");
    }
}

/// Words of the same class do not change what the heads attend to, as they are 0 in the heads' columns.
#[test]
fn words_do_not_disturb_the_heads() {
    let (_, config) = sizes().swap_remove(2);
    let (var_store, encoder) = encoder(&config);
    let table = &var_store.variables()["electra.embeddings.word_embeddings.weight"];
    assert_eq!(table.narrow(1, 0, 16).abs().max().double_value(&[]), 0.0);
    assert!(table.narrow(1, 16, 48).abs().min().double_value(&[]) > 0.0);
    let states = |ids: &[i64]| {
        let rows = Rows::padded(&[ids], 8);
        let input: Input<'_> = rows.input();
        encoder.hidden_states_t(&input, false).swap_remove(0).narrow(2, 0, 16)
    };
    // The phases are the same; the amplitude is a matter of the LayerNorm.
    let [one, other] = [states(&[1, 2, 3, 4, 5, 6, 7, 8]), states(&[20, 30, 40, 50, 60, 70, 80, 90])]
        .map(|x| &x / x.norm_scalaropt_dim(2, [-1].as_slice(), true));
    assert!(crate::support::difference(&one, &other) < 0.2);
}
