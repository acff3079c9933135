//! Tab-separated files of one's own, and what is wrong with them.

use electra_tasks::{Content, Label, Split};

use crate::{Folder, examples, pair, refused, sentence};

const TOML: &str = "name = \"tone\"\nkind = \"sequence\"\ntext = \"text\"\nlabel = \"label\"\nlabels = [\"good\", \"bad\"]\n\
    [files]\ntrain = \"a.tsv\"\ndev = \"a.tsv\"\ntest = \"a.tsv\"\n";

fn message(file: &str) -> String {
    refused(&[("task.toml", TOML), ("a.tsv", file)], &Split::Train)
}

#[test]
fn messages_name_file_line_and_column() {
    for (file, expected) in [
        ("label\ttext\ngood\tx\tz\n", "a.tsv: line 2: expected 2 columns as in line 1, found 3"),
        ("label\ttext\ngood\tx\n\nbad\ty\n", "a.tsv: line 3: expected 2 columns as in line 1, found 1"),
        (
            "label\ttext\ngood\tx\nba",
            "a.tsv: line 3: expected 2 columns as in line 1, found 1; the file ends in the middle of the line and may be \
             cut off",
        ),
        (
            "label\ttext\ngood\tx\nGood\ty\n",
            "a.tsv: line 3, column \"label\": unknown label \"Good\"; expected \"good\" or \"bad\"",
        ),
        ("label\ttext\ngood\tx\nbad\t \u{3000}\n", "a.tsv: line 3, column \"text\": empty; expected text"),
        ("label\ttext\n", "a.tsv: nothing in it; expected examples of the task tone"),
        ("", "a.tsv: nothing in it; expected examples"),
        (" \r\n\n", "a.tsv: nothing in it; expected examples"),
        (
            "lable\ttext\ngood\tx\n",
            "a.tsv: line 1: expected a header with a column \"label\", as a train set needs labels, found \"lable\" and \"text\"",
        ),
        (
            "label\tsentence\ngood\tx\n",
            "a.tsv: line 1: expected a header with a column \"text\", found \"label\" and \"sentence\"",
        ),
        (
            "text,label\nx,good\n",
            "a.tsv: line 1: CSV is not read: write it with tabs between the fields, or as JSON Lines; found \"text,label\"",
        ),
    ] {
        assert_eq!(message(file), expected);
    }
}

#[test]
fn a_long_field_is_cut_short_in_messages() {
    let label = "ü".repeat(10_000_000);
    let expected = format!(
        "a.tsv: line 2, column \"label\": unknown label \"{}…\"; expected \"good\" or \"bad\"",
        "ü".repeat(60)
    );
    assert_eq!(message(&format!("label\ttext\n{label}\tx\n")), expected);
}

#[test]
fn huge_fields_are_read() {
    let text = "слово ".repeat(1_000_000);
    let folder = Folder::new(&[("task.toml", TOML), ("a.tsv", &format!("label\ttext\ngood\t{text}\n"))]);
    let train = folder.own().read(&Split::Train).unwrap();
    assert_eq!(examples(&train), [("0", sentence(&text, Some(Label::Class(0))))]);
}

#[test]
fn a_test_set_needs_no_labels_but_has_right_ones_if_any() {
    let folder = Folder::new(&[("task.toml", TOML), ("a.tsv", "text\nx\n")]);
    assert_eq!(examples(&folder.own().read(&Split::Test).unwrap()), [("0", sentence("x", None))]);
    let message = refused(&[("task.toml", TOML), ("a.tsv", "text\tlabel\nx\t?\n")], &Split::Test);
    assert_eq!(message, "a.tsv: line 2, column \"label\": unknown label \"?\"; expected \"good\" or \"bad\"");
    let message = refused(&[("task.toml", TOML), ("a.tsv", "text\nx\n")], &Split::Dev);
    assert_eq!(
        message,
        "a.tsv: line 1: expected a header with a column \"label\", as a dev set needs labels, found \"text\""
    );
}

const NUMBERS: &str = "kind = \"sequence\"\nheader = false\ntext = [3, 1]\nlabel = 4\nindex = 2\nregression = true\n\
    [files]\ntrain = \"a.tsv\"\ntest = \"a.tsv\"\n";

#[test]
fn columns_may_be_numbers() {
    let folder = Folder::new(&[("task.toml", NUMBERS), ("a.tsv", "second\tn7\tfirst\t-2.5e3\n")]);
    let train = folder.own().read(&Split::Train).unwrap();
    assert_eq!(examples(&train), [("n7", pair("first", "second", Some(Label::Value(-2500.0))))]);
    folder.write("a.tsv", b"second\tn7\tfirst\n");
    assert_eq!(examples(&folder.own().read(&Split::Test).unwrap()), [("n7", pair("first", "second", None))]);

    for (file, expected) in [
        ("a\tb\n", "a.tsv: line 1: expected at least 3 columns, found 2"),
        ("a\tb\tc\n", "a.tsv: line 1: no labels: expected column 4, as a train set needs them"),
        ("a\tb\t\t1\n", "a.tsv: line 1, column 3: empty; expected text"),
        ("a\tb\tc\tinf\n", "a.tsv: line 1, column 4: expected a number, found \"inf\""),
    ] {
        assert_eq!(refused(&[("task.toml", NUMBERS), ("a.tsv", file)], &Split::Train), expected);
    }
}

#[test]
fn an_index_that_is_asked_for_is_needed() {
    let toml = TOML.replace("label = ", "index = \"id\"\nlabel = ");
    let folder = Folder::new(&[("task.toml", &toml), ("a.tsv", "id\tlabel\ttext\ns-9\tbad\tx\n")]);
    let train = folder.own().read(&Split::Train).unwrap();
    assert_eq!(examples(&train), [("s-9", sentence("x", Some(Label::Class(1))))]);
    assert_eq!(
        refused(&[("task.toml", &toml), ("a.tsv", "label\ttext\nbad\tx\n")], &Split::Train),
        "a.tsv: line 1: expected a header with a column \"id\", found \"label\" and \"text\""
    );
}

#[test]
fn empty_texts_and_broken_lines_may_be_allowed() {
    let toml = TOML.replace("label = ", "empty = \"keep\"\nbroken = \"skip\"\nlabel = ");
    let folder =
        Folder::new(&[("task.toml", &toml), ("a.tsv", "label\ttext\nbad\t\nbad\ngood\tx\ty\ngood\tx\n")]);
    let train = folder.own().read(&Split::Train).unwrap();
    assert_eq!(
        examples(&train),
        [("0", sentence("", Some(Label::Class(1)))), ("1", sentence("x", Some(Label::Class(0)))),]
    );
    assert_eq!(train.left_out, ["line 3", "line 4"]);
    let note = train.note().unwrap();
    assert!(
        note.ends_with("a.tsv: 2 of 4 examples are broken and were left out, the first of them line 3"),
        "{note}"
    );
}

#[test]
fn choices_have_a_column_each() {
    let toml = "kind = \"choice\"\ntext = [\"story\", \"begin\"]\nchoices = [\"one\", \"two\"]\nlabel = \"right\"\n\
        labels = [\"1\", \"2\"]\n[files]\ndev = \"a.tsv\"\n";
    let folder =
        Folder::new(&[("task.toml", toml), ("a.tsv", "story\tbegin\tone\ttwo\tright\ns\tb\tx\ty\t2\n")]);
    let content = Content::Choice {
        text: "s".into(),
        pair: Some("b".into()),
        choices: vec!["x".into(), "y".into()],
        label: Some(1),
    };
    assert_eq!(examples(&folder.own().read(&Split::Dev).unwrap()), [("0", content)]);
    for (row, expected) in [
        ("s\tb\tx\ty\t0", "a.tsv: line 2, column \"right\": unknown label \"0\"; expected \"1\" or \"2\""),
        ("s\tb\tx\t\t1", "a.tsv: line 2, column \"two\": empty; expected text"),
    ] {
        let file = format!("story\tbegin\tone\ttwo\tright\n{row}\n");
        assert_eq!(refused(&[("task.toml", toml), ("a.tsv", &file)], &Split::Dev), expected);
    }
}
