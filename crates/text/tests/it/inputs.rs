use std::fs;
use std::path::Path;

use electra_text::{Error, Input, Inputs};

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "b.txt",
        "a/z.jsonl.zst",
        "a/b/c.TEXT.gz",
        "a-b.txt",
        "notes.md",
        "x.parquet.gz",
        ".hidden.txt",
        ".git/y.txt",
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "text\n").unwrap();
    }
    folder
}

fn names(inputs: &Inputs, folder: &Path) -> Vec<String> {
    let name = |input: &Input| match input {
        Input::File { path, .. } => path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(),
        other => other.to_string(),
    };
    inputs.as_slice().iter().map(name).collect()
}

fn expand(folder: &Path, names: &[&str]) -> Result<Inputs, Error> {
    let path = |name: &&str| match *name {
        "-" => "-".to_owned(),
        name => folder.join(name).to_str().unwrap().to_owned(),
    };
    Inputs::expand(&names.iter().map(path).collect::<Vec<_>>())
}

#[test]
fn a_folder_is_searched_in_path_order() {
    let tree = tree();
    let inputs = expand(tree.path(), &["."]).unwrap();
    let inputs_direct = Inputs::expand(&[tree.path().to_str().unwrap()]).unwrap();
    assert_eq!(names(&inputs_direct, tree.path()), ["a/b/c.TEXT.gz", "a/z.jsonl.zst", "a-b.txt", "b.txt"]);
    assert_eq!(inputs.as_slice().len(), 4);
    assert_eq!(inputs.total_bytes(), Some(20));
    let left_out: Vec<_> = inputs_direct
        .left_out()
        .iter()
        .map(|path| path.strip_prefix(tree.path()).unwrap().to_str().unwrap())
        .collect();
    assert_eq!(left_out, [".git", ".hidden.txt", "notes.md", "x.parquet.gz"]);
}

#[test]
fn parts_of_tokenizers_and_corpora_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["a.txt", "t/vocab.txt", "t/tokenizer_config.json", "c/corpus.json", "c/x.txt", "c/deep/y.txt"]
    {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(folder.path().join(name), "text\n").unwrap();
    }
    let inputs = Inputs::expand(&[folder.path().to_str().unwrap()]).unwrap();
    assert_eq!(names(&inputs, folder.path()), ["a.txt", "c/deep/y.txt"]);
    assert_eq!(inputs.left_out().len(), 4);
    assert_eq!(names(&expand(folder.path(), &["t/vocab.txt"]).unwrap(), folder.path()), ["t/vocab.txt"]);
}

#[test]
fn a_pattern_takes_files_of_any_name_in_order() {
    let tree = tree();
    assert_eq!(
        names(&expand(tree.path(), &["*.*"]).unwrap(), tree.path()),
        ["a-b.txt", "b.txt", "notes.md", "x.parquet.gz"]
    );
    let deep = expand(tree.path(), &["**/*[cz].*"]).unwrap();
    assert_eq!(names(&deep, tree.path()), ["a/b/c.TEXT.gz", "a/z.jsonl.zst"]);
    let folders = expand(tree.path(), &["a*"]).unwrap();
    assert_eq!(names(&folders, tree.path()), ["a-b.txt"]);
    assert_eq!(folders.left_out(), [tree.path().join("a")]);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a[1].txt"), "x").unwrap();
    assert_eq!(names(&expand(folder.path(), &["a[1].txt"]).unwrap(), folder.path()), ["a[1].txt"]);
}

#[test]
fn inputs_keep_the_order_in_which_they_were_named() {
    let tree = tree();
    let inputs = expand(tree.path(), &["b.txt", "-", "a", "notes.md"]).unwrap();
    assert_eq!(
        names(&inputs, tree.path()),
        ["b.txt", "<stdin>", "a/b/c.TEXT.gz", "a/z.jsonl.zst", "notes.md"]
    );
    assert_eq!(inputs.total_bytes(), None);
}

#[test]
fn what_cannot_be_read_is_named() {
    let tree = tree();
    let message = |names: &[&str]| expand(tree.path(), names).unwrap_err().to_string();
    assert!(message(&["no.txt"]).ends_with("no.txt: no such file or folder"), "{}", message(&["no.txt"]));
    assert!(message(&["*.nothing"]).ends_with("*.nothing: no file matches this pattern"));
    assert!(message(&["a/***"]).contains("not a glob pattern"), "{}", message(&["a/***"]));
    assert!(message(&["b.txt", "./b.txt"]).contains("named twice"), "{}", message(&["b.txt", "./b.txt"]));
    assert!(message(&["-", "-"]).contains("named twice"));
    assert!(matches!(Inputs::expand::<&str>(&[]), Err(Error::NoInput)));

    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join("notes.md"), "").unwrap();
    fs::write(empty.path().join(".hidden.txt"), "").unwrap();
    let error = Inputs::expand(&[empty.path().to_str().unwrap()]).unwrap_err();
    assert!(matches!(&error, Error::NoText { left_out: 2, .. }), "{error}");
}
