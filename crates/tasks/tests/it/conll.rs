//! Words with labels in columns.

use electra_tasks::{Content, Split};

use crate::{Folder, examples, refused};

const TOML: &str = "kind = \"tokens\"\nlabels = [\"O\", \"B-PER\"]\ncomments = [\"# \", \"-DOCSTART-\"]\n\
    [files]\ntrain = \"a.conll\"\ntest = \"a.conll\"\n";

fn tokens(words: &[&str], labels: Option<&[usize]>) -> Content {
    let words = words.iter().map(ToString::to_string).collect();
    Content::Tokens { words, labels: labels.map(<[usize]>::to_vec) }
}

#[test]
fn sentences_end_at_empty_lines() {
    let file = "-DOCSTART- -X- O\n\n\n# note\nMina NN  B-PER\nlas VB O\r\n \nUnd CC O\n";
    let folder = Folder::new(&[("task.toml", TOML), ("a.conll", file)]);
    assert_eq!(
        examples(&folder.own().read(&Split::Train).unwrap()),
        [("0", tokens(&["Mina", "las"], Some(&[1, 0]))), ("1", tokens(&["Und"], Some(&[0]))),]
    );
}

#[test]
fn tabs_part_columns_that_have_spaces() {
    let toml = TOML.replace("kind = ", "text = 2\nlabel = 1\nkind = ");
    let folder = Folder::new(&[("task.toml", &toml), ("a.conll", "B-PER\tMina M.\nO\tlas\n")]);
    let train = folder.own().read(&Split::Train).unwrap();
    assert_eq!(examples(&train), [("0", tokens(&["Mina M.", "las"], Some(&[1, 0])))]);
}

#[test]
fn a_test_set_may_have_words_alone() {
    let folder = Folder::new(&[("task.toml", TOML), ("a.conll", "Mina\nlas\n\nUnd\n")]);
    let test = folder.own().read(&Split::Test).unwrap();
    assert_eq!(examples(&test), [("0", tokens(&["Mina", "las"], None)), ("1", tokens(&["Und"], None))]);
}

#[test]
fn messages_name_file_line_and_column() {
    for (file, expected) in [
        ("Mina O\nlas\n", "line 2: expected 2 columns as in line 1, found 1"),
        ("\n# x\nMina O\n\nlas O x\n", "line 5: expected 2 columns as in line 3, found 3"),
        (
            "Mina O\nlas",
            "line 2: expected 2 columns as in line 1, found 1; the file ends in the middle of the line and may be cut off",
        ),
        ("Mina O\nlas X\n", "line 2, column 2: unknown label \"X\"; expected \"O\" or \"B-PER\""),
        ("Mina\n", "line 1: no labels: expected column 2, as a train set needs them"),
        ("Mina\tO\n\tO\n", "line 2, column 1: empty; expected text"),
        ("# nothing\n", "nothing in it; expected examples of the task names"),
    ] {
        let toml = format!("name = \"names\"\n{TOML}");
        assert_eq!(
            refused(&[("task.toml", &toml), ("a.conll", file)], &Split::Train),
            format!("a.conll: {expected}")
        );
    }
    let toml = TOML.replace("kind = ", "text = 3\nkind = ");
    let message = refused(&[("task.toml", &toml), ("a.conll", "Mina O\n")], &Split::Train);
    assert_eq!(message, "a.conll: line 1: expected at least 3 columns, found 2");
}
