//! `electra export`.

use electra_encoder::{Architecture, HubFolder, PositionEmbeddingType, Weights};
use electra_tokenizer::Tokenizer;

use crate::support::{Bench, json_lines, names};

/// A run of three steps, small as a network can be, with checkpoints after the second and the third.
pub(crate) fn trained(objective: &str) -> Bench {
    trained_with(objective, "")
}

/// The same with settings beside.
fn trained_with(objective: &str, set: &str) -> Bench {
    let bench = Bench::with_tokenizer();
    bench.run("corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output corpus").ok();
    bench.write(
        "run.toml",
        format!(
            "preset = \"tiny\"\nobjective = \"{objective}\"\nseed = 5\n[data]\ncorpus = \"corpus\"\n\
             [budget]\nsteps = 3\nbatch = 2\n[checkpoint]\nevery_steps = 2\n\
             [device]\nthreads = 1\n[model]\ngenerator_multiplier = 0.5\n\
             [model.encoder]\nhidden_size = 32\nembedding_size = 16\nintermediate_size = 48\n"
        ),
    );
    bench.run(&format!("pretrain --config run.toml --run run {set}")).ok();
    bench
}

fn checkpoint(bench: &Bench, step: u64) -> Weights {
    Weights::read(&bench.path(&format!("run/checkpoints/step-{step:08}/model.safetensors"))).unwrap()
}

/// Asserts that a folder holds exactly these tensors of a checkpoint, each under its other name.
fn assert_tensors(hub: &HubFolder, checkpoint: &Weights, prefix: &str) {
    let mut count = 0;
    for (name, tensor) in hub.weights.iter() {
        let own = checkpoint.get(&format!("{prefix}{name}"));
        let expected = own.or_else(|| checkpoint.get(&format!("generator.{name}"))).unwrap();
        assert!(tensor == expected, "{name}");
        count += usize::from(own.is_some());
    }
    let all = checkpoint.iter().filter(|(name, _)| name.starts_with(prefix) && !name.contains(".gate."));
    assert_eq!(count, all.count());
}

#[test]
fn both_networks_in_the_hubs_layout() {
    let bench = trained("electra");
    let said = bench.run("export --run run --output export").ok();
    assert!(said.contains("export: ElectraForPreTraining after 3 steps of electra"), "{said}");
    let tokenizer = ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];
    let network = [&["config.json", "model.safetensors"], &tokenizer[..]].concat();
    assert_eq!(
        names(&bench.path("export")),
        [&["README.md", "config.json", "encoder", "generator"], &network[1..]].concat()
    );
    assert_eq!(names(&bench.path("export/generator")), network);
    let mut encoder = [&network[..], &["1_Pooling", "modules.json", "sentence_bert_config.json"]].concat();
    encoder.sort_unstable();
    assert_eq!(names(&bench.path("export/encoder")), encoder);
    let pooling = |export: &str| {
        let path = bench.path(&format!("{export}/encoder/1_Pooling/config.json"));
        let config = &json_lines(&std::fs::read_to_string(path).unwrap().replace('\n', ""))[0];
        let flag = |name: &str| config[&*format!("pooling_mode_{name}")].as_bool().unwrap();
        (config["word_embedding_dimension"].as_i64(), flag("mean_tokens"), flag("cls_token"))
    };
    assert_eq!(pooling("export"), (Some(32), true, false));
    bench.run("export --run run --pooling cls --output by-cls").ok();
    assert_eq!(pooling("by-cls"), (Some(32), false, true));

    let checkpoint = checkpoint(&bench, 3);
    let main = HubFolder::read(&bench.path("export")).unwrap();
    assert_eq!((main.architecture, main.config.hidden_size), (Architecture::PreTraining, 32));
    assert_tensors(&main, &checkpoint, "main.");
    assert!(main.weights.get("electra.embeddings.word_embeddings.weight").is_some(), "the tied table");
    let generator = HubFolder::read(&bench.path("export/generator")).unwrap();
    assert_eq!((generator.architecture, generator.config.hidden_size), (Architecture::MaskedLm, 16));
    assert_tensors(&generator, &checkpoint, "generator.");

    let encoder = HubFolder::read(&bench.path("export/encoder")).unwrap();
    assert_eq!(encoder.architecture, Architecture::Encoder);
    assert!(encoder.weights.iter().count() > 20, "it has the encoder");
    for (name, tensor) in encoder.weights.iter() {
        assert!(name.starts_with("electra.") && main.weights.get(name) == Some(tensor), "{name}");
    }

    let own = Tokenizer::load(bench.path("tokenizer")).unwrap();
    for folder in ["export", "export/generator", "export/encoder"] {
        assert_eq!(Tokenizer::load(bench.path(folder)).unwrap().fingerprint(), own.fingerprint());
    }
    let config = std::fs::read_to_string(bench.path("export/tokenizer_config.json")).unwrap();
    assert_eq!(json_lines(&config.replace('\n', ""))[0]["model_max_length"], 128);
    let answer =
        &json_lines(&bench.run_with("detect --model export --json", b"{\"text\": \"the cat\"}").ok())[0];
    assert_eq!(answer["probabilities"].as_array().unwrap().len(), 4);
}

#[test]
fn neighbour_heads_are_first_values_and_an_export_does_not_know_of_them() {
    let bench = trained_with("electra", "--set model.encoder.neighbour_heads=1");
    bench.run("export --run run --output export").ok();
    let plain = trained("electra");
    plain.run("export --run run --output export").ok();
    for folder in ["export", "export/generator"] {
        let config = |bench: &Bench| std::fs::read_to_string(bench.path(folder).join("config.json")).unwrap();
        assert_eq!(config(&bench), config(&plain), "{folder}");
        let shapes = |bench: &Bench| -> Vec<_> {
            let hub = HubFolder::read(&bench.path(folder)).unwrap();
            hub.weights.iter().map(|(name, tensor)| (name.to_owned(), tensor.size())).collect()
        };
        assert_eq!(shapes(&bench), shapes(&plain), "{folder}");
    }
    // A run that begins with such a checkpoint begins with its tensors.
    let set = "--set init.discriminator=\"export\" --set init.generator=\"export/generator\" --set budget.steps=1 \
               --set model.encoder.neighbour_heads=1 --set optimizer.learning_rate=0";
    bench.run(&format!("pretrain --config run.toml --run second {set}")).ok();
    let begun = Weights::read(&bench.path("second/checkpoints/step-00000001/model.safetensors")).unwrap();
    let query = "main.electra.encoder.layer.0.attention.self.query.weight";
    assert_eq!(begun.get(query), checkpoint(&bench, 3).get(query));
}

#[test]
fn weights_of_another_vocabulary_are_refused() {
    let bench = trained("electra");
    bench.run("export --run run --output export").ok();
    // The same tokens, two of them in each other's place.
    let tokens = std::fs::read_to_string(bench.path("tokenizer/vocab.txt")).unwrap();
    let mut tokens: Vec<_> = tokens.lines().collect();
    let last = tokens.len() - 1;
    tokens.swap(last, last - 1);
    std::fs::create_dir(bench.path("other")).unwrap();
    bench.write("other/vocab.txt", tokens.join("\n"));
    bench.run("corpus build --tokenizer other --input text.txt --max-length 16 --output others").ok();
    let line =
        "pretrain --config run.toml --run second --set init.discriminator=\"export\" --set budget.steps=1";
    bench.run(line).ok();
    let message = bench.run(&format!("{line} --set data.corpus=others")).refused();
    let expected = ", which others was built with. Build the corpus with --tokenizer export";
    assert!(message.starts_with("error: init.discriminator: export has a tokenizer of sha256 "), "{message}");
    assert!(message.trim_end().ends_with(expected), "{message}");
}

#[test]
fn rotary_positions_are_exported_under_a_name_that_no_electra_model_has() {
    let bench = trained_with("electra", "--set model.encoder.position_embedding_type=\"rotary\"");
    bench.run("export --run run --output export").ok();
    for folder in ["export", "export/generator", "export/encoder"] {
        let hub = HubFolder::read(&bench.path(folder)).unwrap();
        assert_eq!(hub.config.position_embedding_type, PositionEmbeddingType::Rotary, "{folder}");
        assert!(hub.weights.iter().all(|(name, _)| !name.contains("position")), "{folder}");
        let config = std::fs::read_to_string(bench.path(folder).join("config.json")).unwrap();
        assert!(config.contains("\"model_type\": \"electra-rotary\""), "{config}");
    }
    let card = std::fs::read_to_string(bench.path("export/README.md")).unwrap();
    assert!(card.contains("which no `ElectraModel` of transformers computes"), "{card}");
    assert!(card.contains("RoFormerModel(") && !card.contains("AutoModel"), "{card}");
    // Our own programs read it.
    let answer =
        &json_lines(&bench.run_with("detect --model export --json", b"{\"text\": \"the cat\"}").ok())[0];
    assert_eq!(answer["probabilities"].as_array().unwrap().len(), 4);
    // A file that calls itself ElectraModel's is refused, as is the reverse.
    for (from, to, message) in [
        ("electra-rotary", "electra", "position_embedding_type: \"rotary\"; expected \"absolute\""),
        ("\"rotary\"", "\"absolute\"", "position_embedding_type: \"absolute\"; expected \"rotary\""),
        ("electra-rotary", "bert", "model_type: \"bert\"; expected \"electra\" or \"modernbert\""),
    ] {
        let path = bench.path("export/config.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let found = bench.run_with("detect --model export", b"the cat").refused();
        assert!(found.contains(message), "{found}");
        std::fs::write(&path, text).unwrap();
    }
}

/// A detector on ModernBERT goes out under the names of its classes, and comes in again: to be asked, to embed, to be fine-tuned
/// and to go on.
#[test]
fn a_modernbert_goes_out_and_comes_in() {
    let set = "--set model.encoder.architecture=modernbert --set model.encoder.embedding_size=32 \
               --set model.encoder.local_attention=6";
    let bench = trained_with("electra", set);
    let said = bench.run("export --run run --output export").ok();
    for line in [
        "export: ModernBertForTokenClassification after 3 steps of electra",
        "export/encoder: ModernBertModel",
        "export/generator: ModernBertForMaskedLM",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let names = |folder: &str| -> Vec<String> {
        let file = Weights::read(&bench.path(folder).join("model.safetensors")).unwrap();
        file.iter().map(|(name, _)| name.to_owned()).collect()
    };
    let head = ["classifier.bias", "classifier.weight", "head.dense.weight", "head.norm.weight"];
    let encoder = [
        "model.embeddings.norm.weight",
        "model.embeddings.tok_embeddings.weight",
        "model.final_norm.weight",
        "model.layers.0.attn.Wo.weight",
        "model.layers.0.attn.Wqkv.weight",
        "model.layers.0.mlp.Wi.weight",
        "model.layers.0.mlp.Wo.weight",
        "model.layers.0.mlp_norm.weight",
    ];
    let second = ["attn.Wo", "attn.Wqkv", "attn_norm", "mlp.Wi", "mlp.Wo", "mlp_norm"];
    let second = second.map(|name| format!("model.layers.1.{name}.weight"));
    let whole = head.iter().chain(&encoder).map(|name| (*name).to_owned()).chain(second);
    assert_eq!(names("export"), whole.collect::<Vec<_>>());
    // The generator has one of the two layers, and shares the embeddings.
    assert_eq!(names("export/generator"), [&["decoder.bias"], &head[2..], &encoder[..]].concat());
    for folder in ["export", "export/generator"] {
        assert_tensors(
            &HubFolder::read(&bench.path(folder)).unwrap(),
            &checkpoint(&bench, 3),
            if folder == "export" { "main." } else { "generator." },
        );
        let tokenizer = std::fs::read_to_string(bench.path(folder).join("tokenizer_config.json")).unwrap();
        assert!(
            !tokenizer.contains("token_type_ids") && tokenizer.contains("model_input_names"),
            "{tokenizer}"
        );
    }
    let card = std::fs::read_to_string(bench.path("export/README.md")).unwrap();
    assert!(card.contains("AutoModelForTokenClassification") && !card.contains("Electra"), "{card}");

    let answer =
        &json_lines(&bench.run_with("detect --model export --json", b"{\"text\": \"the cat\"}").ok())[0];
    assert_eq!(answer["probabilities"].as_array().unwrap().len(), 4);
    let vector = bench.run_with("embed --model export", b"the cat\n").ok();
    assert!(!vector.is_empty(), "{vector}");
    let init = "--set init.discriminator=\"export\" --set init.generator=\"export/generator\" --set budget.steps=1 \
                --set optimizer.learning_rate=0";
    bench.run(&format!("pretrain --config run.toml --run second {set} {init}")).ok();
    let begun = Weights::read(&bench.path("second/checkpoints/step-00000001/model.safetensors")).unwrap();
    assert!(begun.iter().all(|(name, tensor)| checkpoint(&bench, 3).get(name) == Some(tensor)));
    // With the same vocabulary and another backbone it does not go on.
    let message = bench
        .run(&format!(
            "pretrain --config run.toml --run third {init} {set} --set model.encoder.local_attention=8"
        ))
        .refused();
    assert!(message.contains("local_attention"), "{message}");

    std::fs::create_dir(bench.path("animals")).unwrap();
    bench.write(
        "animals/task.toml",
        "name = \"animals\"\nkind = \"sequence\"\ntext = [\"text\"]\nlabel = \"label\"\n\
         labels = [\"feline\", \"canine\"]\nmetrics = [\"accuracy\"]\n\
         [files]\ntrain = \"train.tsv\"\ndev = \"train.tsv\"\n",
    );
    bench.write("animals/train.tsv", "text\tlabel\nthe cat\tfeline\nthe dog\tcanine\n");
    for head in ["paper", "transformers"] {
        let finetune =
            format!("finetune --model export --task animals --output {head} --epochs 1 --set threads=1");
        bench.run(&format!("{finetune} --seeds 1 --set head={head}")).ok();
        let predict = format!("predict --model {head}/animals/seed-1/model");
        let answer = bench.run_with(&predict, b"the cat\n").ok();
        assert!(answer.contains("feline") || answer.contains("canine"), "{answer}");
    }
}

#[test]
fn the_card_says_what_was_done() {
    let bench = trained("electra");
    bench.run("export --run run --output export").ok();
    let card = std::fs::read_to_string(bench.path("export/README.md")).unwrap();
    assert!(card.starts_with("---\nlibrary_name: transformers\n"), "{card}");
    // Counted by `electra flops`' own functions: 3 steps of 2 rows of 16 tokens, 3 of them masked.
    for expected in [
        "- electra\n---\n",
        "| objective | `electra` |",
        "| steps | 3 |",
        "| budget | 3 steps |",
        "| batch | 2 examples |",
        "| examples seen | 6 |",
        "| tokens seen | 96, padding included |",
        "electra embed --model path/of/this/folder < sentences.txt",
        "| seed | 5 |",
        "| FLOPs, as the paper counts them | ",
        "| FLOPs, as executed | ",
        "| code | electra 0.1.0",
        "| sources | `text.txt` |",
        " of files |",
        "| documents | 3 |",
        "AutoModelForPreTraining.from_pretrained(",
        "`generator/` holds the generator",
        "subfolder=\"encoder\"",
    ] {
        assert!(card.contains(expected), "{expected:?} is not in:\n{card}");
    }
    for unknown in ["language:", "license:", "Left out"] {
        assert!(!card.contains(unknown), "{unknown:?} is in:\n{card}");
    }
    let here = bench.path("").to_string_lossy().into_owned();
    assert!(!card.contains(&here), "names a folder of this machine");
}

#[test]
fn a_softmax_objective_is_a_masked_language_model_and_its_gate_is_left_out() {
    let bench = trained("all-tokens-mlm");
    let said = bench.run("export --run run --output export").ok();
    assert!(said.contains("left out: gate.weight"), "{said}");
    let main = HubFolder::read(&bench.path("export")).unwrap();
    assert_eq!(main.architecture, Architecture::MaskedLm);
    assert_tensors(&main, &checkpoint(&bench, 3), "main.");
    let card = std::fs::read_to_string(bench.path("export/README.md")).unwrap();
    assert!(
        card.contains("Left out, as this architecture has no place for it: `gate.bias`, `gate.weight`."),
        "{card}"
    );
    assert!(card.contains("- electra\n- all-tokens-mlm\n"), "{card}");

    bench.run("export --run run --no-generator --output alone").ok();
    assert!(!bench.path("alone/generator").exists());
    assert!(!std::fs::read_to_string(bench.path("alone/README.md")).unwrap().contains("generator/"));
}

#[test]
fn a_run_without_a_generator_has_none() {
    let bench = trained("mlm");
    bench.run("export --run run --output export").ok();
    assert!(!bench.path("export/generator").exists());
    assert_eq!(HubFolder::read(&bench.path("export")).unwrap().architecture, Architecture::MaskedLm);
}

/// The fields of a `config.json`.
fn fields(bench: &Bench, folder: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(bench.path(folder).join("config.json")).unwrap()).unwrap()
}

const PAIR: &str = "{\"sentence_good\": \"the cat\", \"sentence_bad\": \"cat the\", \"UID\": \"order\"}\n";

#[test]
fn a_causal_language_model_says_so_and_its_encoder_does_not() {
    let bench = trained("clm");
    let said = bench.run("export --run run --output export").ok();
    assert!(said.starts_with("export: ElectraForCausalLM after 3 steps of clm\n"), "{said}");
    let main = HubFolder::read(&bench.path("export")).unwrap();
    assert_eq!(main.architecture, Architecture::CausalLm);
    assert_tensors(&main, &checkpoint(&bench, 3), "main.");
    let (whole, encoder) = (fields(&bench, "export"), fields(&bench, "export/encoder"));
    assert_eq!((&whole["is_decoder"], encoder.get("is_decoder")), (&serde_json::json!(true), None));
    assert_eq!(whole.get("sentence_score"), None, "its class says it");
    bench.write("pairs.jsonl", PAIR);
    let line = bench.run("minimal-pairs --model export --pairs pairs.jsonl --json").ok();
    assert_eq!(json_lines(&line)[0]["score"], "log-likelihood");

    // transformers would mask one and not the other.
    let path = bench.path("export/config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"is_decoder\": true", "\"is_decoder\": false")).unwrap();
    let message = bench.run("minimal-pairs --model export --pairs pairs.jsonl").refused();
    assert!(message.contains("is_decoder: false; expected true"), "{message}");
}

#[test]
fn an_export_says_how_sentences_are_scored_where_its_class_does_not() {
    let bench = trained("replace-mlm");
    bench.run("export --run run --output export").ok();
    assert_eq!(fields(&bench, "export")["sentence_score"], "unmasked");
    assert_eq!(fields(&bench, "export/encoder").get("sentence_score"), None);
    bench.write("pairs.jsonl", PAIR);
    let line = bench.run("minimal-pairs --model export --pairs pairs.jsonl --json").ok();
    assert_eq!(json_lines(&line)[0]["score"], "unmasked");
    let line =
        bench.run("minimal-pairs --model export --pairs pairs.jsonl --score pseudo-log-likelihood --json");
    assert_eq!(json_lines(&line.ok())[0]["score"], "pseudo-log-likelihood");

    let path = bench.path("export/config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"unmasked\"", "\"unmaskt\"")).unwrap();
    let message = bench.run("minimal-pairs --model export --pairs pairs.jsonl").refused();
    assert!(
        message.contains("sentence_score: \"unmaskt\"; expected pseudo-log-likelihood, unmasked, "),
        "{message}"
    );
}

#[test]
fn any_checkpoint_and_the_newest_that_is_whole() {
    let bench = trained("electra");
    bench.run("export --run run --step 2 --output second").ok();
    let second = HubFolder::read(&bench.path("second")).unwrap();
    assert_tensors(&second, &checkpoint(&bench, 2), "main.");

    let newest = bench.path("run/checkpoints/step-00000003/model.safetensors");
    let mut bytes = std::fs::read(&newest).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&newest, bytes).unwrap();
    let message = bench.run("export --run run --step 3 --output third").refused();
    assert!(message.contains("--step 3") && message.contains("model.safetensors: damaged"), "{message}");
    assert!(!bench.path("third").exists());
    let answer = bench.run("export --run run --output export");
    assert!(answer.err.contains("step-00000003/model.safetensors: damaged"), "{}", answer.err);
    assert!(answer.ok().contains("after 2 steps"));
    let card = |folder: &str| std::fs::read(bench.path(folder).join("README.md")).unwrap();
    assert!(card("export") == card("second"));
}

#[test]
fn a_card_has_the_scores_that_the_run_measured_and_no_others() {
    let bench = trained("electra");
    bench.write("held-out.txt", "the dog sat on the mat and the cat sat on the log\n".repeat(20));
    let build = "corpus build --tokenizer tokenizer --max-length 16";
    bench.run(&format!("{build} --input held-out.txt --output held-out")).ok();
    let set = "--set data.valid=held-out --set log.valid_every_steps=1";
    bench.run(&format!("pretrain --config run.toml --run measured {set}")).ok();
    let lines = json_lines(&std::fs::read_to_string(bench.path("measured/metrics.jsonl")).unwrap());
    for step in [2, 3] {
        bench.run(&format!("export --run measured --step {step} --output export-{step}")).ok();
        let card = std::fs::read_to_string(bench.path(&format!("export-{step}/README.md"))).unwrap();
        assert!(card.contains(&format!("measured by the run after step {step}:")), "{card}");
        let line = lines.iter().find(|line| line["step"] == step).unwrap();
        for name in ["loss", "masked_lm_loss"] {
            let score = line[&format!("valid/{name}")].as_f64().unwrap();
            assert!(card.contains(&format!("| `{name}` | {score:.4} |")), "{card}");
        }
    }
    for (folder, flags) in [("zero", "--run measured --step 0"), ("other", "--run run")] {
        bench.run(&format!("export {flags} --output {folder}")).ok();
        let card = std::fs::read_to_string(bench.path(folder).join("README.md")).unwrap();
        assert!(!card.contains("## Scores"), "{card}");
    }
}

#[test]
fn a_corpus_that_has_moved_costs_the_card_its_facts_alone() {
    let bench = trained("electra");
    std::fs::rename(bench.path("corpus"), bench.path("elsewhere")).unwrap();
    let message = bench.run("export --run run --output export");
    assert_eq!(message.code, 2);
    assert!(message.err.contains("--tokenizer names another place"), "{}", message.err);
    let answer = bench.run("export --run run --tokenizer tokenizer --output export");
    assert!(answer.err.contains("note: the model card says nothing of the corpus"), "{}", answer.err);
    answer.ok();
    let card = std::fs::read_to_string(bench.path("export/README.md")).unwrap();
    assert!(!card.contains("Training data") && card.contains("| steps | 3 |"), "{card}");
}

#[test]
fn what_cannot_be_exported_leaves_nothing() {
    let bench = trained("electra");
    bench.run("tokenizer train --input text.txt --vocab-size 60 --output other").ok();
    bench.write("file", "mine");
    #[cfg(unix)]
    {
        std::fs::create_dir(bench.path("target")).unwrap();
        std::os::unix::fs::symlink(bench.path("target"), bench.path("link")).unwrap();
        // A folder cannot take the place of a link, which is said before any work.
        let message = bench.run("export --run nowhere --output link").refused();
        assert!(message.contains("link: exists already; expected a new or empty folder"), "{message}");
    }
    let before = bench.names();
    for (line, expected) in [
        ("export --run run --output run", "run: exists already; expected a new or empty folder"),
        ("export --run run --output file", "file: exists already"),
        ("export --run nowhere --output export", "nowhere/config.toml"),
        ("export --run run --step 1 --output export", "step-00000001: looking for this checkpoint"),
        (
            "export --run run --tokenizer other --output export",
            "another tokenizer than the corpus was built with",
        ),
        ("export --run run --output no/such/export", "no/such"),
    ] {
        let message = bench.run(line).refused();
        assert!(message.contains(expected), "{line}: {message}");
        assert_eq!(bench.names(), before, "{line}");
    }
    assert_eq!(std::fs::read(bench.path("file")).unwrap(), b"mine");
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.run("export --run run --output empty").ok();
    assert!(bench.path("empty/config.json").exists());
}
