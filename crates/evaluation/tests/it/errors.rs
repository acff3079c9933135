//! What is wrong is said with its place.

use electra_tasks::Split;

use crate::support::{TestJob, animals, encoder, task, workplace};

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("out");
    for (set, message) in [
        ("epoch=3", "--set: there is no key epoch; there are preset, learning_rate, "),
        ("epochs", "--set epochs: expected key=value, such as epochs=5"),
        ("epochs=many", "--set epochs=many: expected a whole number"),
        ("epochs=0", "the settings: epochs: 0; expected at least 1"),
        ("layer_decay=0", "the settings: layer_decay: 0; expected a number above 0 and at most 1"),
        (
            "max_length=25",
            "the settings: max_length: 25; expected 4 to 24, the encoder's max_position_embeddings",
        ),
        ("pooling=max", "--set pooling=max: expected cls or mean"),
    ] {
        let error = TestJob { set: &[set], ..TestJob::new(&encoder, &task, &output) }.run().unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
    assert!(!output.exists());
}

#[test]
fn a_missing_set_is_named() {
    let (folder, encoder, task) = workplace();
    std::fs::remove_file(task.join("dev.tsv")).unwrap();
    let output = folder.path().join("out");
    let error = TestJob::new(&encoder, &task, &output).run().unwrap_err().to_string();
    assert!(error.contains("no dev set of the task animals") && error.contains("dev.tsv"), "{error}");
}

#[test]
fn an_unknown_label_is_named_with_its_line() {
    let (folder, encoder, task) = workplace();
    std::fs::write(task.join("dev.tsv"), animals(0, 3).replacen("canine", "lupine", 1)).unwrap();
    let output = folder.path().join("out");
    let error = TestJob::new(&encoder, &task, &output).run().unwrap_err().to_string();
    assert!(error.contains("dev.tsv: line 3") && error.contains("lupine"), "{error}");
}

#[test]
fn the_best_epoch_needs_a_dev_set_to_be_best_on() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("out");
    let job = TestJob {
        evaluate: &[Split::Test],
        set: &["checkpoint=best"],
        ..TestJob::new(&encoder, &task, &output)
    };
    let error = job.run().unwrap_err().to_string();
    assert_eq!(error, "the settings: checkpoint: best; expected last, as the dev set is not scored");
}

#[test]
fn a_rate_that_diverges_is_an_error_and_leaves_nothing() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("out");
    let job = TestJob { set: &["learning_rate=1e30", "clip=1e30"], ..TestJob::new(&encoder, &task, &output) };
    let error = job.run().unwrap_err().to_string();
    assert!(error.contains("had a finite loss and gradient"), "{error}");
    assert!(!output.exists());
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_task_of_one_class_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let definition = "kind = \"sequence\"\ntext = [\"sentence\"]\nlabel = \"label\"\nlabels = [\"canine\"]\n\
        metrics = [\"accuracy\"]\n[files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\n";
    let rows = "sentence\tlabel\na dog\tcanine\n".to_owned();
    let task = task(folder.path(), "one", definition, &[("train.tsv", rows.clone()), ("dev.tsv", rows)]);
    let output = folder.path().join("out");
    let error = TestJob::new(&encoder, &task, &output).run().unwrap_err().to_string();
    assert!(error.contains("labels"), "{error}");
}
