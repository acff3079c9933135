//! `electra detect`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use electra_encoder::{
    Architecture, Attention, Encoder, EncoderConfig, HubFolder, Input, Part, Weights, initialise,
};
use electra_objective::{ReplacedHead, VocabularyHead};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor, nn};

use crate::support::{Bench, json_lines};

const MOST: usize = 20;

fn config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: 210,
        embedding_size: 12,
        hidden_size: 24,
        num_attention_heads: 3,
        intermediate_size: 40,
        max_position_embeddings: MOST as i64,
        ..EncoderConfig::tiny()
    }
}

/// A discriminator with a head so steep, and so shifted, that probabilities of all sizes come out.
struct Discriminator {
    var_store: nn::VarStore,
    encoder: Encoder,
    head: ReplacedHead,
}

fn discriminator() -> Discriminator {
    let var_store = nn::VarStore::new(Device::Cpu);
    let root = var_store.root();
    let encoder = Encoder::new(&(&root / "electra"), &config());
    let head = ReplacedHead::new(&root, &config());
    initialise(&var_store, 0.2, 3).unwrap();
    let parameter =
        |name: &str| var_store.variables()[&format!("discriminator_predictions.{name}")].shallow_clone();
    tch::no_grad(|| {
        let _ = parameter("dense_prediction.weight").g_mul_scalar_(4.0);
        let _ = parameter("dense_prediction.bias").fill_(-3.0);
    });
    Discriminator { var_store, encoder, head }
}

fn write(folder: &Path, var_store: &nn::VarStore, architecture: Architecture) {
    let weights = Weights::from_var_store(var_store, Part::ALL);
    HubFolder { config: config(), architecture, weights }.write(folder).unwrap();
}

/// With `model`, a discriminator with a tokenizer, `bare`, one without, and `generator`.
pub(crate) fn bench() -> Bench {
    let bench = Bench::with_tokenizer();
    let discriminator = discriminator();
    for name in ["model", "bare"] {
        write(&bench.path(name), &discriminator.var_store, Architecture::PreTraining);
    }
    for file in ["tokenizer.json", "tokenizer_config.json", "vocab.txt"] {
        std::fs::copy(bench.path("tokenizer").join(file), bench.path("model").join(file)).unwrap();
    }
    let generator = nn::VarStore::new(Device::Cpu);
    let root = generator.root();
    let encoder = Encoder::new(&(&root / "electra"), &config());
    let _ = VocabularyHead::new(&root, &config(), encoder.embeddings().word_embeddings());
    initialise(&generator, 0.5, 4).unwrap();
    write(&bench.path("generator"), &generator, Architecture::MaskedLm);
    bench
}

fn ask(bench: &Bench, options: &str, requests: &[Value]) -> Vec<Value> {
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    json_lines(&bench.run_with(&format!("detect --json {options}"), lines.as_bytes()).ok())
}

/// All numbers in a value, in their order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn assert_close(found: &Value, expected: &Value, what: &str) {
    let (found, expected) = (numbers(found), numbers(expected));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(&expected) {
        let tolerance = 1e-5 * expected.abs().max(1.0);
        assert!((found - expected).abs() < tolerance, "{what}: {found} {expected}");
    }
}

const SENTENCE: &str = "the cat sat on the mat and the log 고양이가 앉았다";

#[test]
fn a_text_shows_what_was_probably_replaced() {
    let bench = bench();
    let answer = &ask(&bench, "--model model", &[json!({ "text": SENTENCE })])[0];
    let tokens: Vec<&str> =
        answer["tokens"].as_array().unwrap().iter().map(|token| token.as_str().unwrap()).collect();
    assert_eq!([tokens[0], tokens[tokens.len() - 1]], ["[CLS]", "[SEP]"]);
    let probabilities = numbers(&answer["probabilities"]);
    let mut expected = String::new();
    let mut marked = 0;
    for (token, &probability) in tokens.iter().zip(&probabilities).take(tokens.len() - 1).skip(1) {
        match token.strip_prefix("##") {
            Some(rest) => expected += rest,
            None => expected = format!("{expected} {token}"),
        }
        if probability > 0.5 {
            expected += &format!("({:.2})", probability as f32);
            marked += 1;
        }
    }
    assert!(marked > 0 && marked < tokens.len() - 2, "{expected}: shows nothing");

    let lines = format!("{SENTENCE}\n\n{SENTENCE}\r\n");
    let shown = bench.run_with("detect --model model", lines.as_bytes()).ok();
    assert_eq!(shown, format!("{0}\n\n{0}\n", expected.trim_start()));

    let argument = |colour: &str| {
        let mut command = bench.command("detect --model model");
        let output = command.arg(SENTENCE).env("CLICOLOR_FORCE", colour).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(argument("0").trim_end(), expected.trim_start());
    let coloured = argument("1");
    assert!(coloured.contains("\u{1b}[31m"), "{coloured}");
    let mut plain = String::new();
    let mut parts = coloured.split("\u{1b}[");
    plain += parts.next().unwrap();
    parts.for_each(|part| plain += part.split_once('m').unwrap().1);
    assert_eq!(plain.trim_end(), expected.trim_start());
}

#[test]
fn values_are_those_of_the_network() {
    let bench = bench();
    let Discriminator { encoder, head, .. } = discriminator();
    let ids = Tensor::from_slice2(&[[2_i64, 9, 40, 3, 0], [2, 7, 7, 199, 3]]);
    let types = Tensor::from_slice2(&[[0_i64, 0, 1, 1, 0], [0, 1, 0, 1, 1]]);
    let mask = Tensor::from_slice2(&[[1_i64, 1, 1, 1, 0], [1, 1, 0, 1, 1]]);
    let keys = mask.to_kind(Kind::Bool);
    let input = Input { input_ids: &ids, token_type_ids: &types, attention: Attention::Keys(&keys) };
    let hidden = tch::no_grad(|| encoder.forward_t(&input, false));
    let logits = tch::no_grad(|| head.forward(&hidden));

    let lists = |tensor: &Tensor| Vec::<Vec<i64>>::try_from(tensor).unwrap();
    let request = json!({
        "input_ids": lists(&ids), "token_type_ids": lists(&types), "attention_mask": lists(&mask),
        "example": 7, // as `corpus inspect` has it, and passed over
    });
    let answer = &ask(&bench, "--model model --hidden", &[request])[0];
    let hidden: Vec<f32> = hidden.view(-1).try_into().unwrap();
    let logits: Vec<f32> = logits.view(-1).try_into().unwrap();
    assert_close(&answer["logits"], &json!(logits), "logits");
    assert_close(&answer["last_hidden_state"], &json!(hidden), "hidden states");
    let sigmoid: Vec<f64> = logits.iter().map(|logit| 1.0 / (1.0 + (-f64::from(*logit)).exp())).collect();
    assert_close(&answer["probabilities"], &json!(sigmoid), "probabilities");
    let shape = |value: &Value| (value.as_array().unwrap().len(), value[0].as_array().unwrap().len());
    assert_eq!(shape(&answer["tokens"]), (2, 5));
    assert_eq!(shape(&answer["logits"]), (2, 5));
    assert_eq!(shape(&answer["last_hidden_state"][1]), (5, 24));
}

#[test]
fn what_is_not_given_is_one_segment_without_padding() {
    let bench = bench();
    let ids = json!([2, 9, 40, 17, 3]);
    let answers = ask(
        &bench,
        "--model model",
        &[
            json!({ "input_ids": ids }),
            json!({ "input_ids": ids, "token_type_ids": [0, 0, 0, 0, 0], "attention_mask": [1, 1, 1, 1, 1] }),
            json!({ "input_ids": ids, "attention_mask": [true, true, true, true, true] }),
            json!({ "input_ids": [ids] }),
            json!({ "input_ids": ids, "token_type_ids": [0, 0, 0, 1, 1] }),
            json!({ "input_ids": ids, "attention_mask": [1, 1, 1, 1, 0] }),
        ],
    );
    for answer in &answers[1..4] {
        assert_close(&answer["logits"], &answers[0]["logits"], "defaults");
    }
    for answer in &answers[4..] {
        let differ = |(first, second): (f64, f64)| (first - second).abs() > 1e-3;
        let pairs = numbers(&answer["logits"]).into_iter().zip(numbers(&answers[0]["logits"]));
        assert!(pairs.into_iter().any(differ), "segments and mask count");
    }
}

/// Lines of all lengths, so that alone they have no padding and together much.
#[test]
fn a_line_is_the_same_alone_and_in_any_batch() {
    let bench = bench();
    let row = |length: usize| {
        (0..length as i64).map(|index| (index * 37 + 11 * length as i64) % 200).collect::<Vec<_>>()
    };
    let mut requests: Vec<Value> =
        (0..50).map(|index| json!({ "input_ids": row(1 + (index * 7) % MOST) })).collect();
    requests.push(json!({ "input_ids": [row(9), row(9)], "attention_mask": [[1,1,1,1,1,1,1,1,1], [1,1,1,1,0,0,0,0,0]] }));
    requests.push(json!({ "text": "the cat" }));
    let alone = ask(&bench, "--model model --hidden --batch 1", &requests);
    assert_eq!(alone.len(), 52);
    for batch in [3, 32, 1000] {
        let together = ask(&bench, &format!("--model model --hidden --batch {batch}"), &requests);
        for (index, (alone, together)) in alone.iter().zip(&together).enumerate() {
            assert_eq!(alone["tokens"], together["tokens"]);
            for field in ["logits", "probabilities", "last_hidden_state"] {
                assert_close(
                    &together[field],
                    &alone[field],
                    &format!("line {index}, {field}, batch {batch}"),
                );
            }
        }
    }
}

/// Each wrong request has its message in `detect/request.rs`; here it is where the message goes.
#[test]
fn what_cannot_be_asked_is_named_by_line_after_the_lines_before_it() {
    let bench = bench();
    let lines =
        |bad: &str| format!("{}\n{bad}\n{}\n", json!({ "input_ids": [2, 3] }), json!({ "text": "cat" }));
    let long = "the ".repeat(MOST);
    for (options, lines, expected) in [
        ("--json", lines("{\"input_ids\": [1, 2"), "not JSON: EOF while parsing a list at column 19"),
        ("--json", lines("{\"input_ids\": [2, 210]}"), "input_ids[1]: 210; expected 0 to 209"),
        (
            "--json",
            lines(&json!({ "text": long }).to_string()),
            "text: 22 tokens, of 80 bytes of text; expected at most 20, the model's max_position_embeddings",
        ),
        ("", format!("the cat\n{long}\nthe cat"), "22 tokens, of 80 bytes of text; expected at most 20"),
    ] {
        let answer = bench.run_with(&format!("detect --model model {options}"), lines.as_bytes());
        assert_eq!((answer.code, answer.out.lines().count()), (2, 1), "{}", answer.err);
        let expected = format!("error: standard input: line 2: {expected}");
        assert!(answer.err.starts_with(&expected), "{expected}: {}", answer.err);
        assert_eq!(answer.err.lines().count(), 1, "{}", answer.err);
    }
}

#[test]
fn a_generator_detects_nothing_and_has_hidden_states() {
    let bench = bench();
    for line in ["detect --model generator the", "detect --model generator --json"] {
        let message = bench.run(line).refused();
        assert!(
            message.contains("generator: ElectraForMaskedLM has no head that tells replaced tokens"),
            "{message}"
        );
    }
    let request = [json!({ "input_ids": [2, 9, 3] })];
    let hidden = &ask(&bench, "--model generator --hidden", &request)[0];
    assert_eq!(hidden.as_object().unwrap().keys().collect::<Vec<_>>(), ["last_hidden_state"]);
    let both = &ask(&bench, "--model generator --hidden --vocabulary-logits", &request)[0];
    assert_eq!(both["last_hidden_state"], hidden["last_hidden_state"]);
    assert_eq!(numbers(&both["vocabulary_logits"]).len(), 3 * 210);
    let message = bench.run("detect --model model --json --hidden --vocabulary-logits").refused();
    assert!(
        message.contains("ElectraForPreTraining has no head that predicts masked words; expected"),
        "{message}"
    );
}

#[test]
fn a_folder_without_a_tokenizer_takes_ids() {
    let bench = bench();
    let request = [json!({ "input_ids": [2, 9, 3] })];
    let (bare, whole) = (ask(&bench, "--model bare", &request), ask(&bench, "--model model", &request));
    assert!(bare[0].get("tokens").is_none());
    assert_eq!(
        (&bare[0]["logits"], &bare[0]["probabilities"]),
        (&whole[0]["logits"], &whole[0]["probabilities"])
    );
    let message = bench.run("detect --model bare the").refused();
    assert!(message.contains("bare: text needs a tokenizer"), "{message}");
}

#[test]
fn what_is_no_model_is_named() {
    let bench = bench();
    let words: String = (0..300).map(|index| format!("w{index} ").repeat(3)).collect();
    bench.write("words.txt", words);
    bench.run("tokenizer train --input words.txt --vocab-size 220 --output larger").ok();
    std::fs::copy(bench.path("larger/tokenizer.json"), bench.path("generator/tokenizer.json")).unwrap();
    for (line, expected) in [
        ("detect --model nowhere the", "nowhere/config.json"),
        ("detect --model tokenizer the", "tokenizer/config.json"),
        (
            "detect --model generator --json --hidden",
            "generator: tokenizer: 220 tokens; expected at most the model's vocab_size, 210",
        ),
        ("detect --model model --hidden the", "--json"),
        ("detect --model model --batch 0 the", "expected at least 1"),
    ] {
        let message = bench.run(line).refused();
        assert!(message.contains(expected), "{line}: {message}");
    }
}

/// What a `config.json` says is compared with the weights before anything of that size is made.
#[test]
fn sizes_that_the_weights_do_not_have_are_refused() {
    let bench = bench();
    let path = bench.path("model/config.json");
    let whole: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (field, expected) in [
        ("vocab_size", "word_embeddings.weight is [210, 12], expected [2147483647, 12]"),
        ("embedding_size", "word_embeddings.weight is [210, 12], expected [210, 2147483647]"),
        ("intermediate_size", "intermediate.dense.weight is [40, 24], expected [2147483647, 24]"),
        ("max_position_embeddings", "position_embeddings.weight is [20, 12], expected [2147483647, 12]"),
        ("type_vocab_size", "token_type_embeddings.weight is [2, 12], expected [2147483647, 12]"),
        ("num_hidden_layers", "no tensors for these parameters: electra.encoder.layer.2."),
    ] {
        let mut fields = whole.clone();
        fields[field] = json!(i32::MAX);
        std::fs::write(&path, fields.to_string()).unwrap();
        for command in ["detect --model model the", "predict --model model"] {
            let message = bench.run(command).refused();
            assert!(message.contains("model/model.safetensors: "), "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }
}

/// A program that asks and waits for the answer before it asks again must get it.
#[test]
fn a_line_is_answered_while_the_input_is_open() {
    let bench = bench();
    let mut child = bench.command("detect --model model --json").spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for text in ["the cat", "the dog"] {
        writeln!(input, "{}", json!({ "text": text })).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(json_lines(&line)[0]["tokens"][2], text[4..]);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}
