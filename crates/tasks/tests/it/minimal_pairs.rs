//! Minimal pairs in BLiMP's form.

use electra_tasks::minimal_pairs;

use crate::Folder;

const PAIR: &str = r#"{"sentence_good": "The cats sleep.", "sentence_bad": "The cats sleeps.", "field": "syntax", "linguistics_term": "agreement", "UID": "plain_agreement", "simple_LM_method": true, "pairID": "0"}"#;

#[test]
fn a_file_is_read() {
    let folder = Folder::new(&[("a.jsonl", &format!("{PAIR}\n{PAIR}\n"))]);
    let pairs = minimal_pairs(&folder.path().join("a.jsonl")).unwrap();
    assert_eq!(pairs.iter().map(|pair| pair.line).collect::<Vec<_>>(), [1, 2]);
    let pair = &pairs[0];
    assert_eq!((pair.good.as_str(), pair.bad.as_str()), ("The cats sleep.", "The cats sleeps."));
    assert_eq!((pair.paradigm.as_str(), pair.field.as_deref()), ("plain_agreement", Some("syntax")));
}

#[test]
fn a_folder_is_read_in_the_order_of_names() {
    let bare = r#"{"sentence_good": "a", "sentence_bad": "b"}"#;
    let folder = Folder::new(&[
        ("z.jsonl", bare),
        ("b.jsonl", PAIR),
        ("README.md", "x"),
        (".hidden.jsonl", "x"),
        ("c.jsonl.zst", bare),
    ]);
    let pairs = minimal_pairs(folder.path()).unwrap();
    let paradigms: Vec<_> = pairs.iter().map(|pair| pair.paradigm.as_str()).collect();
    assert_eq!(paradigms, ["plain_agreement", "c", "z"]);
    assert!(pairs[0].path.ends_with("b.jsonl") && pairs[1].field.is_none());
}

#[test]
fn what_published_files_have_is_read() {
    // Seven pairs of BLiMP are twice the same sentence.
    let same = r#"{"sentence_good": "a", "sentence_bad": "a", "loss": NaN}"#;
    let folder = Folder::new(&[("a.jsonl", &format!("{PAIR}\n\n{same}\n"))]);
    let pairs = minimal_pairs(folder.path()).unwrap();
    assert_eq!(pairs.iter().map(|pair| pair.line).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(pairs[1].good, pairs[1].bad);
}

#[test]
fn messages_name_file_line_and_field() {
    for (line, expected) in [
        (
            r#"{"sentence_good": "a"}"#,
            "a.jsonl: line 2, column 22: expected an object with sentence_good and sentence_bad: missing field `sentence_bad`",
        ),
        (
            r#"{"sentence_good": "a", "sentence_bad": 3}"#,
            "a.jsonl: line 2, column 40: expected an object with sentence_good and sentence_bad: invalid type: integer `3`, \
             expected a string",
        ),
        (
            r#"{"sentence_good": " ", "sentence_bad": "b"}"#,
            "a.jsonl: line 2, field \"sentence_good\": empty; expected text",
        ),
    ] {
        let folder = Folder::new(&[("a.jsonl", &format!("{PAIR}\n{line}\n"))]);
        assert_eq!(folder.message(minimal_pairs(&folder.path().join("a.jsonl"))), expected);
        assert_eq!(folder.message(minimal_pairs(folder.path())), expected);
    }
    let folder = Folder::new(&[("x.txt", "")]);
    assert_eq!(
        folder.message(minimal_pairs(folder.path())),
        "DATA: nothing in it; expected files named .jsonl"
    );
    assert_eq!(
        folder.message(minimal_pairs(&folder.path().join("x.txt"))),
        "x.txt: nothing in it; expected minimal pairs"
    );
    let missing = folder.path().join("y.jsonl");
    assert_eq!(folder.message(minimal_pairs(&missing)), "y.jsonl: No such file or directory (os error 2)");
}
