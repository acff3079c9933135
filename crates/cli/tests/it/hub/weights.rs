//! Commands that read weights, of the Hub.

use electra_encoder::Weights;

use super::server::{Server, What};
use crate::support::{Answer, Bench};
use crate::torch::finetune;

fn place() -> (Bench, Server) {
    let (bench, server) = (finetune::bench(), Server::start());
    server.add("me/model", "main", &bench.path("discriminator"));
    (bench, server)
}

#[test]
fn commands_give_the_same_of_a_model_and_of_its_folder() {
    let (bench, server) = place();
    let run = |line: &str, input: &[u8]| Answer::of(&mut server.command(&bench, line), input).ok();
    let text = b"the cat sleeps\nthe old dog sleeps\n";
    for command in ["embed --model MODEL", "detect --model MODEL"] {
        let of_folder = run(&command.replace("MODEL", "discriminator"), text);
        assert_eq!(run(&command.replace("MODEL", "hf:me/model"), text), of_folder, "{command}");
    }
    let tune = "finetune --model MODEL --task animals --set threads=1 --epochs 1 --batch 8 --json";
    let score = |output: &str| {
        let line: serde_json::Value = serde_json::from_str(output).unwrap();
        line["seeds"].clone()
    };
    let of_folder = run(&format!("{tune} --output one").replace("MODEL", "discriminator"), b"");
    // From the cache, without the server.
    let mut command = server.command(&bench, &format!("{tune} --output two").replace("MODEL", "hf:me/model"));
    let of_hub = Answer::of(command.env("HF_HUB_OFFLINE", "true"), b"").ok();
    assert_eq!(score(&of_hub), score(&of_folder));
}

#[test]
fn only_what_is_read_is_fetched() {
    let (bench, server) = place();
    for (name, bytes) in
        [("pytorch_model.bin", "a pickle"), ("tf_model.h5", "another"), ("README.md", "a card")]
    {
        bench.write(&format!("discriminator/{name}"), bytes);
    }
    let commit = server.add("me/model", "main", &bench.path("discriminator"));
    let mut command = server.command(&bench, "embed --model hf:me/model");
    Answer::of(&mut command, b"the cat\n").ok();
    let found = crate::support::names(&bench.path("cache/hub/models--me--model/snapshots").join(commit));
    assert!(found.contains(&"model.safetensors".to_owned()), "{found:?}");
    for name in ["pytorch_model.bin", "tf_model.h5", "README.md"] {
        assert!(!found.contains(&name.to_owned()), "{found:?}");
    }
    std::fs::remove_file(bench.path("discriminator/model.safetensors")).unwrap();
    server.add("me/pickle", "main", &bench.path("discriminator"));
    let message =
        Answer::of(&mut server.command(&bench, "embed --model hf:me/pickle"), b"the cat\n").refused();
    assert!(
        message.contains("the model has pytorch_model.bin, a pickle, which is not read here"),
        "{message}"
    );
}

#[test]
fn weights_that_differ_from_their_hash_are_not_taken() {
    let (bench, server) = place();
    server.fail("GET /me/model/resolve", 100, What::Swap);
    let answer = Answer::of(&mut server.command(&bench, "embed --model hf:me/model"), b"the cat\n");
    assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{}", answer.err);
    assert!(answer.err.contains("model.safetensors came with the sha256 "), "{}", answer.err);
}

#[test]
fn a_run_begins_with_weights_of_the_hub() {
    let (bench, server) = (crate::torch::export::trained("electra"), Server::start());
    bench.run("export --run run --output export").ok();
    let commit = server.add("me/begun", "main", &bench.path("export"));
    let line = "pretrain --config run.toml --run second --set init.discriminator=hf:me/begun \
                --set init.generator=hf:me/begun/generator --set budget.steps=1 --set optimizer.learning_rate=0 \
                --set data.tokenizer=hf:me/begun";
    Answer::of(&mut server.command(&bench, line), b"").ok();
    let weights = |run: &str, step: u64| {
        let path = bench.path(&format!("{run}/checkpoints/step-{step:08}/model.safetensors"));
        Weights::read(&path).unwrap()
    };
    let (first, second) = (weights("run", 3), weights("second", 1));
    let query = "electra.encoder.layer.0.attention.self.query.weight";
    for name in [format!("main.{query}"), format!("generator.{query}")] {
        assert_eq!(first.get(&name), second.get(&name), "{name}");
    }
    // The run knows which commit it was, and the card of its export says so.
    Answer::of(&mut server.command(&bench, "export --run second --output again"), b"").ok();
    let card = std::fs::read_to_string(bench.path("again/README.md")).unwrap();
    assert!(card.contains(&format!("| began with | `me/begun@{commit}` |")), "{card}");
}
