//! Folders and files in the Hub's layout, whole and otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use electra_encoder::{
    Architecture, Backbone, EncoderConfig, Error, HubFolder, Loader, Part, Tied, Weights, initialise,
};
use tch::{Kind, Tensor};
use tempfile::TempDir;

use crate::support::{config, electra, generator_config, mlm};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiny").join(name)
}

pub(crate) fn copied(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden(name).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// The golden discriminator's config.json with one field changed, or taken away.
fn with(field: &str, value: Option<serde_json::Value>) -> (TempDir, PathBuf) {
    let text = fs::read(golden("discriminator").join("config.json")).unwrap();
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&text).unwrap();
    match value {
        Some(value) => fields.insert(field.to_owned(), value),
        None => fields.remove(field),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, serde_json::to_vec(&fields).unwrap()).unwrap();
    (folder, path)
}

#[test]
fn a_config_of_transformers_is_read() {
    let read = EncoderConfig::read(&golden("discriminator").join("config.json")).unwrap();
    let expected = EncoderConfig {
        vocab_size: 211,
        embedding_size: 32,
        hidden_size: 48,
        num_hidden_layers: 2,
        num_attention_heads: 3,
        intermediate_size: 80,
        max_position_embeddings: 64,
        ..EncoderConfig::tiny().without_dropout()
    };
    assert_eq!(read, expected);
}

#[test]
fn what_does_not_change_the_encoder_is_accepted() {
    for (field, value) in [
        ("transformers_version", serde_json::json!("99.0")),
        ("torch_dtype", serde_json::json!("float16")),
        ("id2label", serde_json::json!({"0": "x"})),
        ("some_field_of_tomorrow", serde_json::json!([1, 2])),
        ("position_embedding_type", serde_json::json!("absolute")),
        ("layer_norm_eps", serde_json::json!(1e-5)),
    ] {
        let (_folder, path) = with(field, Some(value));
        EncoderConfig::read(&path).unwrap();
    }
    for field in ["hidden_act", "layer_norm_eps", "type_vocab_size", "tie_word_embeddings", "is_decoder"] {
        let (_folder, path) = with(field, None);
        EncoderConfig::read(&path).unwrap();
    }
}

#[test]
fn another_network_is_refused_by_file_field_and_value() {
    use serde_json::json;
    for (field, value, message) in [
        ("hidden_act", Some(json!("relu")), r#"hidden_act: "relu"; expected "gelu""#),
        ("hidden_act", Some(json!("gelu_new")), r#"hidden_act: "gelu_new"; expected "gelu""#),
        (
            "position_embedding_type",
            Some(json!("relative_key")),
            r#"position_embedding_type: "relative_key"; expected "absolute""#,
        ),
        ("model_type", Some(json!("bert")), r#"model_type: "bert"; expected "electra" or "modernbert""#),
        ("model_type", None, r#"model_type: missing; expected "electra" or "modernbert""#),
        ("is_decoder", Some(json!(true)), "is_decoder: true; expected false"),
        ("tie_word_embeddings", Some(json!(false)), "tie_word_embeddings: false; expected true"),
        ("pruned_heads", Some(json!({"0": [1]})), r#"pruned_heads: {"0":[1]}; expected {}"#),
        ("hidden_size", Some(json!(50)), "hidden_size: 50; expected a multiple of num_attention_heads, 3"),
        ("hidden_size", Some(json!("48")), r#"hidden_size: "48"; expected a whole number above 0"#),
        ("hidden_size", Some(json!(48.5)), "hidden_size: 48.5; expected a whole number above 0"),
        ("vocab_size", None, "vocab_size: missing; expected a whole number above 0"),
        ("num_hidden_layers", Some(json!(0)), "num_hidden_layers: 0; expected 1 to 2147483647"),
        (
            "hidden_dropout_prob",
            Some(json!(1.5)),
            "hidden_dropout_prob: 1.5; expected at least 0 and below 1",
        ),
    ] {
        let (_folder, path) = with(field, value);
        let error = EncoderConfig::read(&path).unwrap_err();
        assert!(matches!(error, electra_config::Error::Hub { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("{}: {message}", path.display()));
    }
    let (folder, path) = with("architectures", Some(json!(["BertForMaskedLM"])));
    let message = HubFolder::read(folder.path()).unwrap_err().to_string();
    let expected = format!(
        "{}: architectures: [\"BertForMaskedLM\"]; expected [\"ElectraForPreTraining\"] or \
         [\"ElectraForMaskedLM\"] or [\"ElectraForCausalLM\"] or [\"ElectraModel\"] or [\"ElectraForSequenceClassification\"] or ",
        path.display()
    );
    assert!(message.starts_with(&expected), "{message}");
    fs::write(&path, "[1, 2]").unwrap();
    let message = EncoderConfig::read(&path).unwrap_err().to_string();
    assert!(message.contains("config.json: is not a JSON object"), "{message}");
}

#[test]
fn a_run_is_exported_whole_and_comes_back() {
    let network = electra(Tied::AllEmbeddings);
    initialise(&network.var_store, 0.02, 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (main, generator) = (folder.path().join("discriminator"), folder.path().join("generator"));
    for (path, config, architecture, part) in [
        (&main, config(), Architecture::PreTraining, Part::MAIN),
        (&generator, generator_config(), Architecture::MaskedLm, Part::GENERATOR),
    ] {
        let weights = Weights::from_var_store(&network.var_store, part);
        HubFolder { config, architecture, weights }.write(path).unwrap();
    }
    let (main, generator) = (HubFolder::read(&main).unwrap(), HubFolder::read(&generator).unwrap());
    assert_eq!((&main.config, &generator.config), (&config(), &generator_config()));
    // The tied tables are in both.
    for table in ["word_embeddings.weight", "position_embeddings.weight", "LayerNorm.bias"] {
        let name = format!("electra.embeddings.{table}");
        assert_eq!(main.weights.get(&name).unwrap(), generator.weights.get(&name).unwrap());
    }

    for tied in [Tied::AllEmbeddings, Tied::WordOnly, Tied::None] {
        let other = electra(tied);
        let mut loader = Loader::new(&other.var_store);
        loader.fill(&generator.weights, Part::GENERATOR, &[]).unwrap();
        loader.fill(&main.weights, Part::MAIN, &[]).unwrap();
        loader.finish(&[]).unwrap();
        let (found, expected) = (
            Weights::from_var_store(&other.var_store, Part::MAIN),
            Weights::from_var_store(&network.var_store, Part::MAIN),
        );
        assert!(found.iter().eq(expected.iter()), "{tied:?}");
    }
    disentangled_tables_are_exported_as_sums(&generator.weights);
    // The head of an MLM run on the encoder of an ELECTRA run.
    let mlm = mlm();
    let mut loader = Loader::new(&mlm);
    loader.fill(&main.weights, Part::MAIN, &["discriminator_predictions."]).unwrap();
    loader.finish(&["main.generator_"]).unwrap();
}

#[test]
fn every_kind_of_number_survives_and_the_bytes_are_the_same_each_time() {
    let base = Tensor::from_slice(&[0.0_f32, 1.0, -2.5, 1e-3, 7.0, 100.0]).view([2, 3]);
    let kinds = [
        Kind::Float,
        Kind::Half,
        Kind::BFloat16,
        Kind::Double,
        Kind::Int64,
        Kind::Int,
        Kind::Uint8,
        Kind::Bool,
    ];
    let mut tensors: Vec<_> =
        kinds.iter().map(|kind| (format!("{kind:?}"), base.abs().to_kind(*kind))).collect();
    // Not contiguous, a scalar, and nothing at all.
    tensors.push(("transposed".into(), base.tr()));
    tensors.push(("scalar".into(), Tensor::from(3.0_f32)));
    tensors.push(("empty".into(), Tensor::zeros([0, 3], (Kind::Float, tch::Device::Cpu))));
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let copies = |tensors: &[(String, Tensor)]| {
        Weights::new(tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())))
    };
    copies(&tensors).save(&first).unwrap();
    tensors.reverse();
    copies(&tensors).save(&second).unwrap();
    assert_eq!(fs::read(&first).unwrap(), fs::read(&second).unwrap());
    let read = Weights::read(&first).unwrap();
    for (name, tensor) in &tensors {
        let found = read.get(name).unwrap();
        assert_eq!((found.kind(), found.size()), (tensor.kind(), tensor.size()), "{name}");
        assert_eq!(found, tensor, "{name}");
    }
    // Nothing temporary is left, and an older file is replaced.
    copies(&tensors[..2]).save(&first).unwrap();
    assert_eq!(Weights::read(&first).unwrap().iter().count(), 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

    let complex = Weights::new([("z".to_owned(), base.to_kind(Kind::ComplexFloat))]);
    let message = complex.save(&first).unwrap_err().to_string();
    assert!(message.contains("z: ComplexFloat; expected one of F32"), "{message}");
}

#[test]
fn a_damaged_file_is_an_error_with_its_name() {
    let folder = copied("generator");
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    for length in [0, 4, 8, 100, 3000, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let message = HubFolder::read(folder.path()).unwrap_err().to_string();
        let start = format!("{}: no whole safetensors file", path.display());
        assert!(message.starts_with(&start), "{message}");
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(matches!(HubFolder::read(folder.path()), Err(Error::Format { .. })));
}

#[test]
fn a_pickle_is_refused_with_what_to_do() {
    let folder = copied("discriminator");
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let message = HubFolder::read(folder.path()).unwrap_err().to_string();
    assert!(message.ends_with("no model.safetensors and no model.safetensors.index.json in it"), "{message}");

    fs::write(folder.path().join("pytorch_model.bin"), "never looked at").unwrap();
    let message = HubFolder::read(folder.path()).unwrap_err().to_string();
    let place = folder.path().display();
    assert_eq!(
        message,
        format!(
            "{place}/pytorch_model.bin: a pickle can run any code, so it is not loaded; if you \
             trust it, convert it: python -c \"from transformers import ElectraForPreTraining as M; \
             M.from_pretrained('{place}').save_pretrained('{place}')\" writes model.safetensors beside it"
        )
    );
}

/// The golden discriminator in two files and an index.
fn sharded() -> TempDir {
    let folder = copied("discriminator");
    let whole = folder.path().join("model.safetensors");
    let weights = Weights::read(&whole).unwrap();
    fs::remove_file(whole).unwrap();
    let mut map = serde_json::Map::new();
    for (index, file) in ["model-1.safetensors", "model-2.safetensors"].into_iter().enumerate() {
        let part = weights.iter().enumerate().filter(|(place, _)| place % 2 == index);
        let part: Vec<_> =
            part.map(|(_, (name, tensor))| (name.to_owned(), tensor.shallow_clone())).collect();
        map.extend(part.iter().map(|(name, _)| (name.clone(), serde_json::json!(file))));
        Weights::new(part).save(&folder.path().join(file)).unwrap();
    }
    write_index(&folder, &map);
    folder
}

fn write_index(folder: &TempDir, map: &serde_json::Map<String, serde_json::Value>) {
    let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": map});
    fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
}

#[test]
fn shards_are_one_checkpoint() {
    let folder = sharded();
    let shards = HubFolder::read(folder.path()).unwrap();
    let whole = HubFolder::read(&golden("discriminator")).unwrap();
    assert!(shards.weights.iter().eq(whole.weights.iter()));

    let refused = |name: &str, file: &str| {
        let folder = sharded();
        let mut map: serde_json::Map<_, _> = whole
            .weights
            .iter()
            .enumerate()
            .map(|(place, (name, _))| {
                (name.to_owned(), serde_json::json!(format!("model-{}.safetensors", place % 2 + 1)))
            })
            .collect();
        map.insert(name.to_owned(), serde_json::json!(file));
        write_index(&folder, &map);
        HubFolder::read(folder.path()).unwrap_err().to_string()
    };
    let message = refused("electra.extra", "model-1.safetensors");
    assert!(message.contains("electra.extra: model-1.safetensors lacks it"), "{message}");
    let message = refused("electra.extra", "model-9.safetensors");
    assert!(message.contains("model-9.safetensors: reading it"), "{message}");
    for outside in ["../model-1.safetensors", "/tmp/model-1.safetensors", ".."] {
        let message = refused("electra.extra", outside);
        assert!(message.contains("expected the name of a file beside it"), "{message}");
    }
}

#[test]
fn copies_in_older_files_are_dropped_if_they_are_copies() {
    let folder = copied("generator");
    let path = folder.path().join("model.safetensors");
    let weights = Weights::read(&path).unwrap();
    let word = weights.get("electra.embeddings.word_embeddings.weight").unwrap().copy();
    let with = |output: &Tensor| {
        let mut tensors: Vec<_> =
            weights.iter().map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())).collect();
        tensors.push(("generator_lm_head.weight".into(), output.shallow_clone()));
        let positions = Tensor::arange(64, (Kind::Int64, tch::Device::Cpu)).unsqueeze(0);
        tensors.push(("electra.embeddings.position_ids".into(), positions));
        Weights::new(tensors).save(&path).unwrap();
        HubFolder::read(folder.path())
    };
    let read = with(&word).unwrap();
    assert!(read.weights.iter().eq(weights.iter()));
    for other in [&word + 1.0, word.narrow(0, 0, 5)] {
        let message = with(&other).unwrap_err().to_string();
        assert!(message.contains("generator_lm_head.weight differs from electra.embeddings"), "{message}");
    }
}

/// The tensors of the main encoder, the same each time.
fn encoder_alone() -> Weights {
    let network = electra(Tied::None);
    initialise(&network.var_store, 0.02, 1).unwrap();
    let all = Weights::from_var_store(&network.var_store, Part::MAIN);
    let encoder = all.iter().filter(|(name, _)| name.starts_with("electra."));
    Weights::new(encoder.map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())))
}

#[test]
fn an_encoder_without_a_head_is_read_under_either_names() {
    let folder = tempfile::tempdir().unwrap();
    let expected = encoder_alone();
    for prefix in ["electra.", ""] {
        let renamed = expected.iter().map(|(name, tensor)| {
            (format!("{prefix}{}", name.strip_prefix("electra.").unwrap()), tensor.shallow_clone())
        });
        HubFolder { config: config(), architecture: Architecture::Encoder, weights: Weights::new(renamed) }
            .write(folder.path())
            .unwrap();
        let read = HubFolder::read(folder.path()).unwrap();
        assert_eq!(read.architecture, Architecture::Encoder);
        assert!(read.weights.iter().eq(expected.iter()), "{prefix}");
    }
}

#[test]
fn a_fine_tuned_network_says_what_its_labels_are() {
    use serde_json::json;
    let folder = tempfile::tempdir().unwrap();
    let fields = json!({ "id2label": { "0": "no", "1": "yes" }, "pad_token_id": 7 });
    for architecture in [
        Architecture::SequenceClassification,
        Architecture::TokenClassification,
        Architecture::QuestionAnswering,
        Architecture::MultipleChoice,
    ] {
        let classifier = ("classifier.bias".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]));
        let encoder = encoder_alone();
        let encoder = encoder.iter().map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone()));
        let weights = Weights::new(encoder.chain([classifier]));
        HubFolder { config: config(), architecture, weights }
            .write_with(folder.path(), fields.as_object().unwrap())
            .unwrap();
        let (read, all) = HubFolder::read_with(folder.path()).unwrap();
        assert_eq!((read.architecture, read.config.pad_token_id), (architecture, 7));
        assert_eq!(all["id2label"], fields["id2label"]);
        let encoder = read.encoder();
        assert_eq!(encoder.architecture, Architecture::Encoder);
        assert!(encoder.weights.iter().eq(encoder_alone().iter()));
        let text = fs::read(folder.path().join("config.json")).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(config["architectures"], json!([architecture.name(Backbone::Electra)]));
        assert_eq!(config["id2label"]["1"], "yes");
    }
}

/// What a run has as two tables is one elsewhere, and comes back as the difference.
fn disentangled_tables_are_exported_as_sums(generator: &Weights) {
    let of_run = electra(Tied::GradientDisentangled);
    initialise(&of_run.var_store, 0.3, 2).unwrap();
    let mut own = 0;
    for (name, mut variable) in of_run.var_store.variables() {
        if name.ends_with(".delta") {
            own += 1;
            tch::no_grad(|| variable.copy_(&(variable.ones_like() * 0.25)));
        }
    }
    assert_eq!(own, 3);
    let exported = Weights::from_var_store(&of_run.var_store, Part::MAIN);
    assert!(exported.iter().all(|(name, _)| !name.contains("delta")));
    let word = "electra.embeddings.word_embeddings.weight";
    let table = of_run.generator.embeddings().word_embeddings();
    let difference = (exported.get(word).unwrap() - table - 0.25).abs().max().double_value(&[]);
    assert!(difference < 1e-6, "{difference}");

    // Beside another generator the kept encoder is still itself.
    let other = electra(Tied::GradientDisentangled);
    let mut loader = Loader::new(&other.var_store);
    loader.fill(generator, Part::GENERATOR, &[]).unwrap();
    loader.fill(&exported, Part::MAIN, &[]).unwrap();
    loader.finish(&[]).unwrap();
    let found = Weights::from_var_store(&other.var_store, Part::MAIN);
    for (name, expected) in exported.iter() {
        let off = (found.get(name).unwrap() - expected).abs().max().double_value(&[]);
        assert!(off < 1e-6, "{name} is off by {off}");
    }
}
