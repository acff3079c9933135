//! `hf:NAME` in place of a folder: what is fetched, what is kept, and what is said where it cannot be.

use std::path::Path;

use super::server::{Files, Server, TOKEN, What, collect};
use crate::support::{Answer, Bench};

const TEXT: &[u8] = b"the cat sat\n";

/// A server with the tokenizer as the model `me/words`, and who asks it.
fn place() -> (Bench, Server) {
    let (bench, server) = (Bench::with_tokenizer(), Server::start());
    server.add("me/words", "main", &bench.path("tokenizer"));
    (bench, server)
}

fn encode(bench: &Bench, server: &Server, name: &str) -> Answer {
    let mut command = server.command(bench, &format!("tokenizer encode --tokenizer {name}"));
    Answer::of(&mut command, TEXT)
}

/// What the tokenizer's own folder gives.
fn expected(bench: &Bench) -> String {
    bench.run_with("tokenizer encode --tokenizer tokenizer", TEXT).ok()
}

/// The part of the cache that a model has.
fn cached(bench: &Bench, model: &str) -> std::path::PathBuf {
    bench.path("cache/hub").join(model)
}

fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    collect(folder, "", &mut files);
    files
}

/// The message of a call that failed by no fault of its input.
fn failed(answer: Answer) -> String {
    assert_eq!((answer.code, answer.out.as_str(), answer.err.lines().count()), (1, "", 1), "{}", answer.err);
    answer.err
}

/// A refusal, which is one line.
fn refused(answer: Answer) -> String {
    let message = answer.refused();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn what_is_fetched_is_in_the_cache_as_python_has_it_and_serves_without_the_hub() {
    let (bench, server) = place();
    let answer = encode(&bench, &server, "hf:me/words");
    assert_eq!((answer.code, answer.out, answer.err), (0, expected(&bench), String::new()));

    let model = cached(&bench, "models--me--words");
    let commit = server.state().repositories["me/words"].branches["main"].clone();
    assert_eq!(std::fs::read_to_string(model.join("refs/main")).unwrap(), commit);
    let snapshot = model.join("snapshots").join(&commit);
    assert_eq!(files(&snapshot), files(&bench.path("tokenizer")), "the same bytes");
    let link = std::fs::read_link(snapshot.join("tokenizer.json")).unwrap();
    assert!(link.starts_with("../../blobs"), "{link:?}");

    // Nothing is fetched again, by the revision's name or its commit.
    server.state().requests.clear();
    for name in ["hf:me/words".to_owned(), format!("hf:me/words@{commit}")] {
        assert_eq!(encode(&bench, &server, &name).ok(), expected(&bench));
    }
    let asked: Vec<String> = server.state().requests.iter().map(|(line, _)| line.clone()).collect();
    assert!(asked.iter().all(|line| line.contains("/revision/") || line.contains("/tree/")), "{asked:?}");

    server.state().requests.clear();
    let mut command = server.command(&bench, "tokenizer encode --tokenizer hf:me/words");
    assert_eq!(Answer::of(command.env("HF_HUB_OFFLINE", "1"), TEXT).ok(), expected(&bench));
    assert!(server.state().requests.is_empty(), "offline asks nobody");
}

#[test]
fn a_server_that_is_not_there_leaves_the_cache() {
    let (bench, server) = place();
    let gone = |name: &str| {
        let mut command = server.command(&bench, &format!("tokenizer encode --tokenizer {name}"));
        // Nobody listens at this port.
        Answer::of(command.env("HF_ENDPOINT", "http://127.0.0.1:9"), TEXT)
    };
    let message = failed(gone("hf:me/words"));
    assert!(message.contains("hf:me/words: cannot reach http://127.0.0.1:9: "), "{message}");
    encode(&bench, &server, "hf:me/words").ok();
    let answer = gone("hf:me/words");
    assert_eq!((answer.code, &answer.out), (0, &expected(&bench)), "{}", answer.err);
    assert!(answer.err.starts_with("note: hf:me/words: cannot reach"), "{}", answer.err);
    assert!(answer.err.contains("what is in the cache is taken"), "{}", answer.err);

    let mut command = server.command(&bench, "tokenizer encode --tokenizer hf:me/other");
    let message = refused(Answer::of(command.env("HF_HUB_OFFLINE", "1"), TEXT));
    assert!(message.contains("HF_HUB_OFFLINE is set, and the model is not in the cache"), "{message}");
}

#[test]
fn a_revision_and_a_folder_are_other_files() {
    let (bench, server) = place();
    bench.run("tokenizer train --input text.txt --vocab-size 120 --output second").ok();
    server.add("me/words", "step-10", &bench.path("second"));
    std::fs::create_dir(bench.path("both")).unwrap();
    std::fs::rename(bench.path("second"), bench.path("both/inner")).unwrap();
    server.add("me/both", "refs/pr/1", &bench.path("both"));

    let second = bench.run_with("tokenizer encode --tokenizer both/inner", TEXT).ok();
    assert_ne!(second, expected(&bench));
    assert_eq!(encode(&bench, &server, "hf:me/words@step-10").ok(), second);
    assert_eq!(encode(&bench, &server, "hf:me/words").ok(), expected(&bench));
    assert_eq!(encode(&bench, &server, "hf:me/both/inner@refs/pr/1").ok(), second);
    assert!(cached(&bench, "models--me--both/refs/refs/pr/1").exists());
    let message = refused(encode(&bench, &server, "hf:me/both/outer@refs/pr/1"));
    assert!(message.contains("hf:me/both/outer@refs/pr/1: the model has no folder outer"), "{message}");
}

#[test]
fn a_plan_names_a_tokenizer_of_the_hub() {
    let (bench, server) = (crate::plan::bench(), Server::start());
    server.add("me/words", "main", &bench.path("tokenizer"));
    let plan = |tokenizer: &str| {
        let text = crate::plan::PLAN.replace("vocab_size = 200", &format!("tokenizer = \"{tokenizer}\""));
        bench.write("plan.toml", text);
        Answer::of(&mut server.command(&bench, "ablate --plan plan.toml --dry-run"), b"")
    };
    let of_folder = plan("tokenizer").ok();
    assert_eq!(plan("hf:me/words").ok(), of_folder);
    let message = refused(plan("hf:me/wrods"));
    assert!(message.contains("hf:me/wrods") && message.contains("has no such model"), "{message}");
    let set = "ablate --plan plan.toml --dry-run --set data.tokenizer=\"hf:me/words\"";
    assert_eq!(Answer::of(&mut server.command(&bench, set), b"").ok(), of_folder);
}

#[test]
fn a_branch_that_moves_is_followed() {
    let (bench, server) = place();
    encode(&bench, &server, "hf:me/words").ok();
    bench.run("tokenizer train --input text.txt --vocab-size 120 --output second").ok();
    server.add("me/words", "main", &bench.path("second"));
    let second = bench.run_with("tokenizer encode --tokenizer second", TEXT).ok();
    assert_eq!(encode(&bench, &server, "hf:me/words").ok(), second);
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    let (bench, server) = place();
    server.fail("GET /me/words/resolve", 1, What::Cut(20));
    assert_eq!(encode(&bench, &server, "hf:me/words").ok(), expected(&bench));

    // One that always breaks is told, and what was there of the file is not taken for it.
    let bench = Bench::new();
    server.fail("GET /me/words/resolve", 100, What::Cut(20));
    let message = failed(encode(&bench, &server, "hf:me/words"));
    assert!(message.contains("hf:me/words: the connection to http://127.0.0.1:"), "{message}");
    server.state().faults.clear();
    let whole = encode(&bench, &server, "hf:me/words").ok();
    assert_eq!(whole, encode(&Bench::new(), &server, "hf:me/words").ok());
}

#[test]
fn an_error_in_place_of_a_file_is_not_taken_for_it() {
    let (bench, server) = place();
    server.fail("GET /me/words/resolve", 100, What::Status(403));
    let message = failed(encode(&bench, &server, "hf:me/words"));
    assert!(
        message.contains(" came with ") && message.contains("it was removed from the cache"),
        "{message}"
    );
    server.state().faults.clear();
    assert_eq!(encode(&bench, &server, "hf:me/words").ok(), expected(&bench));
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_one_that_stays_so_is_told() {
    let (bench, server) = place();
    server.fail("GET /api/models/me/words/revision", 2, What::Status(503));
    assert_eq!(encode(&bench, &server, "hf:me/words").ok(), expected(&bench));
    let bench = Bench::new();
    server.fail("GET /api/models/me/words/revision", 100, What::Status(503));
    let message = failed(encode(&bench, &server, "hf:me/words"));
    assert!(message.contains("answers 503 Service Unavailable: out of order"), "{message}");
    let message = failed({
        server.fail("GET /api/models/me/words2/revision", 100, What::Status(429));
        encode(&bench, &server, "hf:me/words2")
    });
    assert!(message.contains("is asked too often: try again later; with a token"), "{message}");
}

#[test]
fn what_the_hub_does_not_have_is_refused() {
    let (bench, server) = place();
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.write("empty/notes.txt", "nothing");
    server.add("me/empty", "main", &bench.path("empty"));
    for (name, what) in [
        ("hf:me/wrods", "has no such model, or it is private: look at its name, or set HF_TOKEN"),
        ("hf:me/words@step-7", "hf:me/words@step-7: the model has no revision step-7"),
        ("hf:me/empty", "hf:me/empty: the model has no tokenizer.json and no vocab.txt"),
        ("hf:", "hf:: the name is empty; expected hf:NAME"),
        ("hf:me/..", "\"..\" is not a name"),
    ] {
        let message = refused(encode(&bench, &server, name));
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn a_private_model_takes_a_token() {
    let (bench, server) = place();
    server.state().repositories.get_mut("me/words").unwrap().private = true;
    let with = |token: &str| {
        let mut command = server.command(&bench, "tokenizer encode --tokenizer hf:me/words");
        Answer::of(command.env("HF_TOKEN", token), TEXT)
    };
    for token in ["", "hf_wrong"] {
        let message = refused(with(token));
        assert!(message.contains("has no such model, or it is private"), "{message}");
    }
    // A line end is what a file of a token has.
    assert_eq!(with(&format!("{TOKEN}\n")).ok(), expected(&bench));

    let (bench, server) = place();
    server.state().repositories.get_mut("me/words").unwrap().private = true;
    std::fs::create_dir_all(bench.path("cache")).unwrap();
    bench.write("cache/token", format!("{TOKEN}\n"));
    assert_eq!(encode(&bench, &server, "hf:me/words").ok(), expected(&bench));
    let without = server.state().requests.iter().filter(|(_, token)| token.is_none()).count();
    assert_eq!(without, 0, "every request has the token of the file");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_leaves_nothing_that_is_taken_for_a_file() {
    let (bench, server) = place();
    // A limit of files stands for a disk that is full.
    let line = "tokenizer encode --tokenizer hf:me/words";
    let mut command = bench.command_under("ulimit -f 1; exec \"$@\"", line);
    server.point(&bench, &mut command);
    let message = failed(Answer::of(&mut command, TEXT));
    assert!(message.contains("the Hub's cache (HF_HUB_CACHE names another): File too large"), "{message}");
    assert_eq!(encode(&bench, &server, "hf:me/words").ok(), expected(&bench));
}
