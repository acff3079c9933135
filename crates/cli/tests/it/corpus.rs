//! `electra corpus`.

use std::time::{Duration, Instant};

use crate::support::{Bench, json_lines, names};

const BUILD: &str = "corpus build --tokenizer tokenizer --input text.txt --max-length 32 --output corpus";

#[test]
fn build_counts_and_inspect_shows() {
    let bench = Bench::with_tokenizer();
    let report = &json_lines(&bench.run(&format!("{BUILD} --json")).ok())[0];
    assert_eq!(report["documents"], 3);
    assert_eq!(report["units"], 91);
    assert_eq!(report["tokens_dropped"], 0);
    assert_eq!(names(&bench.path("corpus")), ["corpus.json", "shard-00000.bin", "tokenizer"]);

    let shown = bench.run("corpus inspect corpus --verify").ok();
    assert!(shown.contains("documents") && shown.contains("tokens in an example") && shown.contains("[CLS]"));
    assert!(!shown.contains('\u{1b}'), "no colour where nobody looks");
    let summary = &json_lines(&bench.run("corpus inspect corpus --json").ok())[0];
    let lengths: u64 =
        summary["lengths"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(lengths, report["examples"]);
    assert_eq!(summary["manifest"]["unit"], "line");
}

#[test]
fn masked_examples_in_the_hubs_names() {
    let bench = Bench::with_tokenizer();
    bench.run(BUILD).ok();
    let line = "corpus inspect corpus --masked --seed 7 --step 3 --batch 4 --json";
    let output = bench.run(line).ok();
    assert_eq!(output, bench.run(line).ok(), "a pure function of its arguments");
    let examples = json_lines(&output);
    assert_eq!(examples.len(), 4);
    for example in &examples {
        let list = |field: &str| -> Vec<i64> {
            example[field].as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect()
        };
        let (ids, masked) = (list("input_ids"), list("masked_input_ids"));
        let length = list("attention_mask").iter().sum::<i64>() as usize;
        assert_eq!([ids.len(), masked.len(), list("token_type_ids").len()], [32; 3]);
        assert_eq!(example["tokens"].as_array().unwrap().len(), 32);
        let positions = list("masked_positions");
        assert_eq!(positions.len(), (0.15 * length as f64 - 1e-9).ceil() as usize);
        let changed: Vec<i64> =
            (0..32).filter(|&position| ids[position as usize] != masked[position as usize]).collect();
        assert_eq!(changed, positions);
        assert!(positions.iter().all(|&position| masked[position as usize] == 4));
    }
    let shown = bench.run("corpus inspect corpus --masked --step 3 --seed 7 --batch 4").ok();
    let arrows = shown.matches("→[MASK]").count();
    let positions: usize =
        examples.iter().map(|example| example["masked_positions"].as_array().unwrap().len()).sum();
    assert_eq!(arrows, positions);
}

#[test]
fn the_same_bytes_from_any_source_on_any_number_of_threads() {
    let bench = Bench::with_tokenizer();
    bench.run(BUILD).ok();
    let text = std::fs::read(bench.path("text.txt")).unwrap();
    let stdin = BUILD.replace("text.txt", "-").replace("--output corpus", "--output other");
    bench.run_with(&stdin, &text).ok();
    let single_threaded = BUILD.replace("--output corpus", "--output one");
    let status = bench.command(&single_threaded).env("RAYON_NUM_THREADS", "1").output().unwrap().status;
    assert!(status.success());
    let shard = |corpus: &str| std::fs::read(bench.path(corpus).join("shard-00000.bin")).unwrap();
    assert!(shard("corpus") == shard("other") && shard("corpus") == shard("one"));
}

#[test]
fn what_cannot_be_built_leaves_nothing() {
    let bench = Bench::with_tokenizer();
    bench.write("empty.txt", "\n\n");
    bench.write("broken.txt", b"one \xf0 two");
    bench.write("file", "mine");
    let before = bench.names();
    for (line, expected) in [
        (BUILD.replace("text.txt", "empty.txt"), "no text: 0 documents"),
        (BUILD.replace("text.txt", "broken.txt"), "broken.txt: line 1: not UTF-8 at byte 4"),
        (BUILD.replace("text.txt", "none.txt"), "none.txt: no such file"),
        (BUILD.replace("--max-length 32", "--max-length 4"), "max_length: 4; expected 5 to 65535"),
        (BUILD.replace("--output corpus", "--output tokenizer"), "exists already"),
        (BUILD.replace("--output corpus", "--output file"), "exists already"),
        (BUILD.replace("--tokenizer tokenizer", "--tokenizer none"), "none"),
    ] {
        let message = bench.run(&line).refused();
        assert!(message.contains(expected), "{line}: {message}");
        assert_eq!(bench.names(), before, "{line}");
    }
    assert_eq!(std::fs::read(bench.path("file")).unwrap(), b"mine");
}

#[test]
fn what_cannot_be_inspected_is_named() {
    let bench = Bench::with_tokenizer();
    bench.run(BUILD).ok();
    for (line, expected) in [
        ("corpus inspect nowhere", "nowhere/corpus.json"),
        ("corpus inspect tokenizer", "tokenizer/corpus.json"),
        ("corpus inspect corpus --batch 0", "batch_size: 0; expected 1 to 4194304 examples"),
        ("corpus inspect corpus --masked --mask-prob 1.5", "mask_prob: 1.5; expected a share above 0"),
        ("corpus inspect corpus --mask-prob 0.2", "--masked"),
    ] {
        let message = bench.run(line).refused();
        assert!(message.contains(expected), "{line}: {message}");
    }
    let shard = bench.path("corpus/shard-00000.bin");
    let mut bytes = std::fs::read(&shard).unwrap();
    bytes[200] ^= 4;
    std::fs::write(&shard, &bytes).unwrap();
    let message = bench.run("corpus inspect corpus").refused();
    assert!(message.contains("shard-00000.bin: damaged at byte 64"), "{message}");
    std::fs::write(&shard, &bytes[..300]).unwrap();
    let message = bench.run("corpus inspect corpus").refused();
    assert!(message.contains("shard-00000.bin: damaged at byte 236: truncated"), "{message}");
}

/// An interrupt while the program waits for more input; then everything must be gone.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing() {
    use std::io::Write;
    let bench = Bench::with_tokenizer();
    let before = bench.names();
    let line = BUILD.replace("text.txt", "-");
    let mut child = bench.command(&line).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all("the cat sat\n".repeat(200_000).as_bytes()).unwrap();
    let started = Instant::now();
    while bench.names() == before {
        assert!(started.elapsed() < Duration::from_secs(60), "the build does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted; nothing was written"));
    assert_eq!(bench.names(), before);
}

#[test]
fn what_does_not_look_like_text_is_noticed() {
    let bench = Bench::with_tokenizer();
    let text = "the cat sat on the mat and the dog sat on the log\n".repeat(5);
    for (name, content, expected) in [
        ("reviews.csv", format!("id,text\n1,\"{text}\"\n"), "its name ends in .csv"),
        ("reviews.tsv", format!("id\ttext\n1\t{text}"), "its name ends in .tsv"),
        ("array", format!("[\n  {{\"text\": {text:?}}}\n]\n"), "it begins as a JSON array does"),
        ("lines", format!("{{\"text\": {text:?}}}\n"), "its first line is a JSON object; --format jsonl"),
        ("page", format!("<!DOCTYPE html>\n{text}"), "its first line is markup"),
        ("plain.csv.txt", text.clone(), ""),
    ] {
        bench.write(name, &content);
        let answer =
            bench.run(&format!("corpus build --tokenizer tokenizer --input {name} --output out-{name}"));
        let note = format!("note: {name} is read as plain text, but {expected}");
        assert_eq!(answer.err.contains(&note), !expected.is_empty(), "{name}: {}", answer.err);
        answer.ok();
        // A stream has no name.
        let build = format!("corpus build --tokenizer tokenizer --input - --output stream-{name} --json");
        let answer = bench.run_with(&build, content.as_bytes());
        let note = format!("note: <stdin> is read as plain text, but {expected}");
        let told = !expected.is_empty() && !expected.contains("name");
        assert_eq!(answer.err.contains(&note), told, "{name}: {}", answer.err);
        // What was looked at is read all the same.
        let units = json_lines(&answer.ok())[0]["units"].as_u64().unwrap();
        assert_eq!(units, content.lines().filter(|line| !line.trim().is_empty()).count() as u64);
    }
}

#[test]
fn text_that_the_vocabulary_cannot_spell_is_told() {
    let bench = Bench::with_tokenizer();
    bench.write("words.txt", format!("{}\n", "abcdefghij".repeat(12)).repeat(40));
    let line = "tokenizer train --input words.txt --vocab-size 60 --output other";
    let message = bench.run(line).refused();
    assert!(
        message.contains("all 40 words are longer than 100 characters, which WordPiece maps to [UNK]"),
        "{message}"
    );
    let answer = bench.run("corpus build --tokenizer tokenizer --input words.txt --output unknown --json");
    assert!(answer.err.contains("note: 100.0 % of the tokens are [UNK]"), "{}", answer.err);
    let report = &json_lines(&answer.ok())[0];
    assert_eq!((report["unknown"].as_u64(), report["unknown_share"].as_f64()), (Some(40), Some(1.0)));
    let answer = bench.run(BUILD);
    assert!(!answer.err.contains("[UNK]") && answer.ok().contains("unknown tokens"));
}
