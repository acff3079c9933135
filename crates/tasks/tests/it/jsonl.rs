//! JSON Lines of one's own, and what is wrong with them.

use electra_tasks::{Content, Label, Split};

use crate::{Folder, examples, pair, refused, sentence};

const PAIR: &str = "kind = \"sequence\"\ntext = [\"a\", \"b\"]\nlabel = \"y\"\nlabels = [\"0\", \"1\", \"true\"]\nindex = \"id\"\n\
    [files]\ntrain = \"a.jsonl\"\ntest = \"a.jsonl\"\n";

#[test]
fn labels_and_indices_may_be_text_or_numbers() {
    let file = concat!(
        r#"{"id": 7, "a": "x\ty", "b": "z", "y": 1, "other": [1, 2]}"#,
        "\r\n",
        r#"{"id": "q", "a": "비", "b": "w", "y": "0"}"#,
        "\n",
        r#"{"id": -1, "a": "s", "b": "t", "y": true}"#,
    );
    let folder = Folder::new(&[("task.toml", PAIR), ("a.jsonl", file)]);
    assert_eq!(
        examples(&folder.own().read(&Split::Train).unwrap()),
        [
            ("7", pair("x\ty", "z", Some(Label::Class(1)))),
            ("q", pair("비", "w", Some(Label::Class(0)))),
            ("-1", pair("s", "t", Some(Label::Class(2)))),
        ]
    );
}

#[test]
fn messages_name_file_line_and_field() {
    let good = r#"{"id": 1, "a": "x", "b": "y", "y": 0}"#;
    for (line, expected) in [
        (
            r#"{"id": 1, "a": "x", "b": "y"}"#,
            "line 2: no labels: expected field \"y\", as a train set needs them",
        ),
        (
            r#"{"id": 1, "a": "x", "b": "y", "y": null}"#,
            "line 2: no labels: expected field \"y\", as a train set needs them",
        ),
        (
            r#"{"id": 1, "a": "x", "b": "y", "y": 3}"#,
            "line 2, field \"y\": unknown label \"3\"; expected \"0\", \"1\" or \"true\"",
        ),
        (
            r#"{"id": 1, "a": "x", "b": "y", "y": [0]}"#,
            "line 2, field \"y\": expected text or a number, found [0]",
        ),
        (r#"{"id": 1, "a": "x", "b": " ", "y": 0}"#, "line 2, field \"b\": empty; expected text"),
        (r#"{"id": 1, "a": 5, "b": "y", "y": 0}"#, "line 2, field \"a\": expected text, found 5"),
        (r#"{"id": 1, "b": "y", "y": 0}"#, "line 2, field \"a\": expected text, found none"),
        (r#"{"a": "x", "b": "y", "y": 0}"#, "line 2, field \"id\": expected text or a number, found none"),
        ("[1]", "line 2, column 0: expected a JSON object a line: invalid type: sequence, expected a map"),
        (
            r#"{"id": 1, "a": "x", "b": "y", "y": NaN}"#,
            "line 2, field \"y\": expected text or a number, found NaN",
        ),
        (
            r#"{"id": -Infinity, "a": "x", "b": "y", "y": 0}"#,
            "line 2, field \"id\": expected text or a number, found -Infinity",
        ),
        (
            r#"{"id": 1, "a": "x"#,
            "line 2, column 17: expected a JSON object a line: the line ends while parsing a string",
        ),
    ] {
        let file = format!("{good}\n{line}\n{good}\n");
        let message = refused(&[("task.toml", PAIR), ("a.jsonl", &file)], &Split::Train);
        assert_eq!(message, format!("a.jsonl: {expected}"));
    }
    // Only of the last line there may be more that is not there.
    let file = format!("{good}\n{{\"id\": 1, \"a\": \"x");
    assert_eq!(
        refused(&[("task.toml", PAIR), ("a.jsonl", &file)], &Split::Train),
        "a.jsonl: line 2, column 17: expected a JSON object a line: EOF while parsing a string; the file may be cut off"
    );
}

#[test]
fn blank_lines_are_nothing_and_numbers_are_read_as_python_writes_them() {
    let file = "\n{\"id\": 1, \"a\": \"x\", \"b\": \"NaN\", \"y\": 0, \"other\": NaN, \"more\": [-Infinity]}\n \t\r\n\
        {\"id\": 2, \"a\": \"s\", \"b\": \"t\", \"y\": 1}\n\n";
    let folder = Folder::new(&[("task.toml", PAIR), ("a.jsonl", file)]);
    assert_eq!(
        examples(&folder.own().read(&Split::Train).unwrap()),
        [("1", pair("x", "NaN", Some(Label::Class(0)))), ("2", pair("s", "t", Some(Label::Class(1))))]
    );
    // Lines keep their numbers.
    let message = refused(&[("task.toml", PAIR), ("a.jsonl", "\n\n{}\n")], &Split::Train);
    assert_eq!(message, "a.jsonl: line 3: no labels: expected field \"y\", as a train set needs them");
}

#[test]
fn a_test_set_is_labelled_as_a_whole_or_not_at_all() {
    let toml = "kind = \"sequence\"\ntext = \"a\"\nlabel = \"y\"\nregression = true\nrange = [0, 1]\n\
        [files]\ntest = \"a.jsonl\"\n";
    let folder = Folder::new(&[("task.toml", toml), ("a.jsonl", "{\"a\": \"x\"}\n{\"a\": \"z\"}\n")]);
    assert_eq!(
        examples(&folder.own().read(&Split::Test).unwrap()),
        [("0", sentence("x", None)), ("1", sentence("z", None))]
    );
    for (file, expected) in [
        (
            "{\"a\": \"x\", \"y\": 0.5}\n{\"a\": \"z\"}\n",
            "a.jsonl: line 2, field \"y\": expected a label as in the lines before, found none",
        ),
        (
            "{\"a\": \"x\"}\n{\"a\": \"z\", \"y\": 0.5}\n",
            "a.jsonl: line 2, field \"y\": expected no label as in the lines before, found one",
        ),
        (
            "{\"a\": \"z\", \"y\": 1.5}\n",
            "a.jsonl: line 1, field \"y\": expected a number from 0 to 1, found \"1.5\"",
        ),
    ] {
        assert_eq!(refused(&[("task.toml", toml), ("a.jsonl", file)], &Split::Test), expected);
    }
}

const TOKENS: &str = "kind = \"tokens\"\ntext = \"words\"\nlabel = \"tags\"\nlabels = [\"O\", \"N\"]\n\
    [files]\ntrain = \"a.jsonl\"\ntest = \"a.jsonl\"\n";

#[test]
fn tokens_are_lists() {
    let file = "{\"words\": [\"New York\", \"schläft\"], \"tags\": [\"N\", \"O\"]}\n";
    let folder = Folder::new(&[("task.toml", TOKENS), ("a.jsonl", file)]);
    let words = || vec!["New York".to_owned(), "schläft".to_owned()];
    let content = Content::Tokens { words: words(), labels: Some(vec![1, 0]) };
    assert_eq!(examples(&folder.own().read(&Split::Train).unwrap()), [("0", content)]);
    folder.write("a.jsonl", "{\"words\": [\"New York\", \"schläft\"]}".as_bytes());
    let content = Content::Tokens { words: words(), labels: None };
    assert_eq!(examples(&folder.own().read(&Split::Test).unwrap()), [("0", content)]);

    for (line, expected) in [
        (
            r#"{"words": ["a", "b"], "tags": ["N"]}"#,
            "field \"tags\": expected a label for each of the 2 words, found 1",
        ),
        (
            r#"{"words": ["a"], "tags": ["X"]}"#,
            "field \"tags\": unknown label \"X\"; expected \"O\" or \"N\"",
        ),
        (r#"{"words": ["a", ""], "tags": ["N", "O"]}"#, "field \"words\": empty; expected text"),
        (r#"{"words": [], "tags": []}"#, "field \"words\": empty; expected text"),
        (
            r#"{"words": "a b", "tags": ["N", "O"]}"#,
            "field \"words\": expected a list of words, found \"a b\"",
        ),
        (r#"{"words": [1], "tags": ["N"]}"#, "field \"words\": expected a list of words, found 1"),
        (r#"{"words": ["a"], "tags": "N"}"#, "field \"tags\": expected a list of labels, found \"N\""),
        (r#"{"words": ["a"], "tags": [null]}"#, "field \"tags\": expected a list of labels, found none"),
    ] {
        let message = refused(&[("task.toml", TOKENS), ("a.jsonl", line)], &Split::Train);
        assert_eq!(message, format!("a.jsonl: line 1, {expected}"));
    }
}

#[test]
fn choices_may_be_one_list_of_any_length() {
    let toml =
        "kind = \"choice\"\ntext = \"q\"\nchoices = \"c\"\nlabel = \"y\"\n[files]\ntrain = \"a.ndjson.gz\"\n";
    let file = "{\"q\": \"?\", \"c\": [\"x\", \"y\", \"z\"], \"y\": 2}\n{\"q\": \"?\", \"c\": [\"x\", \"y\"], \"y\": \"0\"}\n";
    let folder = Folder::new(&[("task.toml", toml), ("a.ndjson.gz", file)]);
    let train = folder.own().read(&Split::Train).unwrap();
    let choice = |choices: &[&str], label| Content::Choice {
        text: "?".into(),
        pair: None,
        choices: choices.iter().map(ToString::to_string).collect(),
        label: Some(label),
    };
    assert_eq!(examples(&train), [("0", choice(&["x", "y", "z"], 2)), ("1", choice(&["x", "y"], 0))]);

    for (line, expected) in [
        (
            r#"{"q": "?", "c": ["x", "y"], "y": 2}"#,
            "field \"y\": unknown label \"2\"; expected \"0\" or \"1\"",
        ),
        (
            r#"{"q": "?", "c": ["x"], "y": 0}"#,
            "field \"c\": expected a list of two texts or more, found [\"x\"]",
        ),
        (r#"{"q": "?", "c": "x", "y": 0}"#, "field \"c\": expected a list of two texts or more, found \"x\""),
        (r#"{"q": "?", "c": ["x", 3], "y": 0}"#, "field \"c\": expected texts, found 3"),
        (r#"{"q": "?", "c": ["x", ""], "y": 0}"#, "field \"c\": empty; expected text"),
    ] {
        let message = refused(&[("task.toml", toml), ("a.ndjson.gz", line)], &Split::Train);
        assert_eq!(message, format!("a.ndjson.gz: line 1, {expected}"));
    }
}

#[test]
fn choices_may_have_a_field_each() {
    let toml = "kind = \"choice\"\ntext = \"q\"\nchoices = [\"c1\", \"c2\"]\nlabel = \"y\"\nlabels = [\"A\", \"B\"]\n\
        [files]\ndev = \"a.jsonl\"\n";
    let file = "{\"q\": \"?\", \"c1\": \"x\", \"c2\": \"z\", \"y\": \"B\"}\n";
    let folder = Folder::new(&[("task.toml", toml), ("a.jsonl", file)]);
    let content = Content::Choice {
        text: "?".into(),
        pair: None,
        choices: vec!["x".into(), "z".into()],
        label: Some(1),
    };
    assert_eq!(examples(&folder.own().read(&Split::Dev).unwrap()), [("0", content)]);
}
