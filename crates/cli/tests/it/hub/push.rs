//! `electra export --push`.

use electra_encoder::Weights;

use super::server::{Files, Server, TOKEN, What, collect};
use crate::support::{Answer, Bench};
use crate::torch::export::trained;

fn push(bench: &Bench, server: &Server, line: &str) -> Answer {
    let mut command = server.command(bench, &format!("export --run run {line}"));
    Answer::of(command.env("HF_TOKEN", TOKEN).env("TMPDIR", bench.path("")), b"")
}

fn files(bench: &Bench, folder: &str) -> Files {
    let mut files = Files::new();
    collect(&bench.path(folder), "", &mut files);
    files
}

/// But for the card, which names the place that it is at.
fn without_card(files: &Files) -> Files {
    files
        .iter()
        .filter(|(path, _)| *path != "README.md")
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}

#[test]
fn what_is_pushed_is_what_is_exported_and_comes_back() {
    let (bench, server) = (trained("electra"), Server::start());
    bench.run("export --run run --output export").ok();
    let names = bench.names();
    let out = push(&bench, &server, "--push me/mine").ok();
    let address = format!("http://{}/me/mine/tree/main (commit ", server.address);
    assert!(out.starts_with(&format!("pushed ElectraForPreTraining after 3 steps to {address}")), "{out}");
    let left: Vec<_> =
        bench.names().into_iter().filter(|name| !names.contains(name) && name != "cache").collect();
    assert!(left.is_empty(), "{left:?}");

    let pushed = {
        let state = server.state();
        let repository = &state.repositories["me/mine"];
        assert_eq!(repository.messages, ["initial commit", "Step 3 of a run of electra"], "one commit");
        assert!(!repository.private, "as push_to_hub of Python makes it");
        repository.files("main").clone()
    };
    let mut exported = files(&bench, "export");
    exported.insert(".gitattributes".to_owned(), pushed[".gitattributes"].clone());
    assert_eq!(without_card(&pushed), without_card(&exported));
    let card = String::from_utf8(pushed["README.md"].clone()).unwrap();
    assert!(card.contains("AutoTokenizer.from_pretrained(\"me/mine\")"), "{card}");
    assert!(card.contains("electra embed --model hf:me/mine < "), "{card}");

    let embed = |model: &str| {
        Answer::of(&mut server.command(&bench, &format!("embed --model {model}")), b"the cat\n").ok()
    };
    assert_eq!(embed("hf:me/mine"), embed("export"));
    assert_eq!(embed("hf:me/mine/encoder"), embed("export/encoder"));
}

#[test]
fn steps_are_branches_and_step_0_needs_no_checkpoint() {
    let (bench, server) = (trained("electra"), Server::start());
    push(&bench, &server, "--push mine --private").ok();
    push(&bench, &server, "--step 2 --push me/mine@step-2 --no-generator").ok();
    push(&bench, &server, "--step 0 --push me/mine --revision step-0 --output zero").ok();
    push(&bench, &server, "--step 0 --push me/mine --revision step-0").ok();

    let state = server.state();
    let repository = &state.repositories["me/mine"];
    assert!(repository.private);
    assert_eq!(repository.branches.keys().collect::<Vec<_>>(), ["main", "step-0", "step-2"]);
    let weights = |branch: &str| repository.files(branch)["model.safetensors"].clone();
    assert!(weights("main") != weights("step-2") && weights("step-2") != weights("step-0"));
    assert_eq!(weights("step-0"), std::fs::read(bench.path("zero/model.safetensors")).unwrap());
    // A branch begins as main is, and has no generator of another step.
    assert!(repository.files("main").contains_key("generator/config.json"));
    assert!(!repository.files("step-2").contains_key("generator/config.json"));
    let card = |branch: &str| String::from_utf8(repository.files(branch)["README.md"].clone()).unwrap();
    assert!(
        card("step-2").contains("from_pretrained(\"me/mine\", revision=\"step-2\")"),
        "{}",
        card("step-2")
    );
    assert!(card("step-2").contains("| steps | 2 |") && card("step-0").contains("| steps | 0 |"));
    assert!(card("step-0").contains("| examples seen | 0 |"), "{}", card("step-0"));
}

#[test]
fn step_0_is_what_a_run_begins_with() {
    let bench = trained("electra");
    bench.run("export --run run --step 0 --output zero").ok();
    // A learning rate of 0 leaves the first values as they are.
    bench.run("pretrain --config run.toml --run still --set optimizer.learning_rate=0").ok();
    bench.run("export --run still --output still-zero").ok();
    for file in ["model.safetensors", "generator/model.safetensors", "encoder/model.safetensors"] {
        let read = |folder: &str| std::fs::read(bench.path(folder).join(file)).unwrap();
        assert_eq!(read("zero"), read("still-zero"), "{file}");
    }
    let trained = Weights::read(&bench.path("run/checkpoints/step-00000003/model.safetensors")).unwrap();
    let zero = Weights::read(&bench.path("zero/model.safetensors")).unwrap();
    let query = "electra.encoder.layer.0.attention.self.query.weight";
    assert_ne!(zero.get(query), trained.get(&format!("main.{query}")));
    std::fs::rename(bench.path("corpus"), bench.path("elsewhere")).unwrap();
    let message = bench.run("export --run run --step 0 --output other").refused();
    assert!(message.contains("--step 0, the first values") && message.contains("corpus"), "{message}");
}

#[test]
fn a_push_that_fails_changes_nothing_and_says_what_to_do() {
    let (bench, server) = (trained("mlm"), Server::start());
    let names = bench.names();
    server.fail("/commit/main", 100, What::Status(503));
    let answer = push(&bench, &server, "--push me/mine");
    assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{}", answer.err);
    assert!(answer.err.contains("me/mine@main is as it was"), "{}", answer.err);
    assert!(answer.err.contains("answers 503"), "{}", answer.err);
    assert_eq!(server.state().repositories["me/mine"].messages, ["initial commit"]);
    let left: Vec<_> =
        bench.names().into_iter().filter(|name| !names.contains(name) && name != "cache").collect();
    assert!(left.is_empty(), "{left:?}");

    let answer = push(&bench, &server, "--push me/mine --output export");
    assert_eq!(answer.code, 1, "{}", answer.err);
    let advice = "export is whole; the same command without --output pushes it again";
    assert!(answer.err.contains(advice), "{}", answer.err);
    assert!(bench.path("export/model.safetensors").exists());
    server.state().faults.clear();
    push(&bench, &server, "--push me/mine").ok();

    server.fail("POST /v1/xorbs", 100, What::Status(403));
    let answer = push(&bench, &server, "--push me/mine --step 2");
    assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{}", answer.err);
    assert!(answer.err.contains("me/mine@main is as it was"), "{}", answer.err);
}

#[test]
fn a_push_takes_a_token_and_a_name() {
    let (bench, server) = (trained("mlm"), Server::start());
    let without =
        |line: &str| Answer::of(&mut server.command(&bench, &format!("export --run run {line}")), b"");
    let message = without("--push me/mine").refused();
    assert!(message.contains("set HF_TOKEN to a token that may write there"), "{message}");
    let mut command = server.command(&bench, "export --run run --push me/mine --output export");
    let message = Answer::of(command.env("HF_HUB_OFFLINE", "1"), b"").refused();
    assert!(message.contains("--push: HF_HUB_OFFLINE is set") && !bench.path("export").exists(), "{message}");
    for (line, what) in [
        ("--push me/a/b", "--push me/a/b: an export is a whole repository"),
        ("--push a..b/c", "is not a name that the Hub gives"),
        ("--push me/a@b --revision c", "--revision c names another revision"),
        ("--revision c --output export", "--push"),
        ("", "--output"),
    ] {
        let message = without(line).refused();
        assert!(message.contains(what), "{line}: {message}");
    }
    assert!(server.state().repositories.is_empty());
}
