//! Where a task is looked for.

use electra_tasks::{Split, TABLE, find};

use crate::Folder;

const SST_2: &str = "sentence\tlabel\nfine\t1\n";
const OWN: &str = "kind = \"sequence\"\ntext = \"sentence\"\nlabel = \"label\"\nlabels = [\"0\", \"1\"]\n\
    [files]\ntrain = \"train.tsv\"\n";

#[test]
fn names_and_folders_may_differ_in_case_and_hyphens() {
    for folder_name in ["SST-2", "sst2", "Sst_2", "SST"] {
        let folder = Folder::new(&[(&format!("{folder_name}/train.tsv"), SST_2)]);
        for name in ["SST-2", "sst2", "sst-2"] {
            let task = folder.find(name).unwrap();
            assert_eq!(
                (task.name.as_str(), task.has(&Split::Train), task.has(&Split::Dev)),
                ("SST-2", true, false)
            );
        }
    }
}

#[test]
fn data_may_be_the_tasks_own_folder() {
    let folder = Folder::new(&[("train.tsv", SST_2)]);
    assert!(folder.find("SST-2").unwrap().read(&Split::Train).is_ok());
    let folder = Folder::new(&[("SST-2/train.tsv", SST_2)]);
    assert!(find(folder.path().join("SST-2").to_str().unwrap(), None).unwrap().read(&Split::Train).is_ok());
}

#[test]
fn every_name_of_the_table_is_found() {
    for entry in TABLE {
        let message = find(entry.name, None).unwrap_err().to_string();
        let name = entry.name;
        assert_eq!(message, format!("the task {name} needs a folder of data that holds a folder {name}"));
    }
}

#[test]
fn a_task_of_ones_own_is_found_by_path_and_by_name() {
    let folder = Folder::new(&[("Tone/task.toml", OWN), ("Tone/train.tsv", SST_2)]);
    let path = folder.path().join("Tone");
    let by_path =
        [path.clone(), path.join("task.toml")].map(|path| find(path.to_str().unwrap(), None).unwrap());
    for task in by_path.into_iter().chain([folder.find("tone").unwrap(), find("tone", Some(&path)).unwrap()])
    {
        assert_eq!((task.name.as_str(), task.title.as_str()), ("Tone", "Tone"));
        assert_eq!(task.read(&Split::Train).unwrap().examples.len(), 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"T\xffne");
    let folder = Folder::new(&[("Tone/task.toml", OWN), ("Tone/train.tsv", SST_2)]);
    let path = folder.path().join(name);
    std::fs::rename(folder.path().join("Tone"), &path).unwrap();
    for path in [path.join("task.toml"), path] {
        assert_eq!(find(path, None).unwrap().read(&Split::Train).unwrap().examples.len(), 1);
    }
}

#[test]
fn a_definition_goes_before_the_table() {
    let folder = Folder::new(&[("CoLA/task.toml", OWN), ("CoLA/train.tsv", SST_2)]);
    assert_eq!(folder.find("CoLA").unwrap().title, "CoLA");
}

#[test]
fn what_is_not_there_is_named() {
    let folder = Folder::new(&[("notes.txt", "x"), ("SST-2/other.tsv", "x")]);
    let known = "CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE, WNLI, AX, SQuAD-1.1, SQuAD-2.0";
    for (name, message) in [
        (
            "clo",
            format!(
                "no task \"clo\"; did you mean CoLA?: expected a folder with a task.toml, or one of {known}"
            ),
        ),
        ("./here", format!("no task \"./here\": expected a folder with a task.toml, or one of {known}")),
        (
            "SST-2",
            "DATA: no files of the task SST-2: expected a folder SST-2 with train.tsv, dev.tsv, test.tsv"
                .to_owned(),
        ),
    ] {
        assert_eq!(folder.message(folder.find(name)), message);
    }
    let missing = folder.path().join("nowhere");
    let message = folder.message(find("CoLA", Some(&missing)));
    assert_eq!(message, "nowhere: No such file or directory (os error 2)");
    let message = folder.message(find(missing.join("task.toml").to_str().unwrap(), None));
    assert_eq!(message, "nowhere/task.toml: No such file or directory (os error 2)");
}

#[test]
fn a_set_that_is_missing_is_named() {
    let folder = Folder::new(&[("SST-2/train.tsv", SST_2), ("Tone/task.toml", OWN)]);
    for (task, split, message) in [
        ("SST-2", "dev", "SST-2: no dev set of the task SST-2: expected the file dev.tsv"),
        (
            "SST-2",
            "dev-more",
            "SST-2: no dev-more set of the task SST-2: expected one of the sets that it has: train, dev, test",
        ),
        ("Tone", "train", "Tone/task.toml: no train set of the task Tone: expected the file train.tsv"),
        (
            "Tone",
            "dev",
            "Tone/task.toml: no dev set of the task Tone: expected one of the sets that it has: train",
        ),
        ("Tone", "valid", "no set \"valid\"; expected train, dev, test, dev-NAME or test-NAME"),
    ] {
        assert_eq!(folder.message(folder.read(task, split)), message);
    }
    folder.write("MRPC/dev.tsv", b"x");
    assert_eq!(
        folder.message(folder.read("MRPC", "train")),
        "MRPC: no train set of the task MRPC: expected the file train.tsv, or msr_paraphrase_train.txt with dev_ids.tsv, \
         or msr_paraphrase_train.txt with dev.tsv"
    );
}
