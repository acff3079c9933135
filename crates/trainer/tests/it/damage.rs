//! Damaged checkpoints.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use electra_config::RunFolder;
use electra_masking::Stream;
use electra_objective::electra;
use electra_trainer::{Error, Event};
use tempfile::TempDir;

use crate::support::{checkpoint, config, metrics, model, names, place, run, run_observed};

const FILES: [&str; 4] = ["manifest.json", "model.safetensors", "optimizer.safetensors", "state.json"];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() { copy(&from, &to) } else { fs::copy(&from, &to).map(drop).unwrap() }
    }
}

/// A run of 4 steps that has finished.
fn finished() -> TempDir {
    let place = place();
    run(&config(place.path(), 4), &place.path().join("run")).finished();
    place
}

/// Flips and cuts of each file of the newest checkpoint: the one before is found, and the file is named.
#[test]
fn any_damage_is_named_and_the_checkpoint_before_is_found() {
    let place = finished();
    let folder = place.path().join("run");
    let newest = checkpoint(&folder, 4);
    assert_eq!(names(&newest), FILES);
    let mut random = Stream::named(b"damage\0\0").rng(1, 0, 0);
    let check = |path: &Path, what: &str| {
        let (found, damaged) = RunFolder::open(&folder).unwrap().newest_checkpoint().unwrap();
        assert_eq!(found.unwrap().step, 3, "{what}");
        assert!(damaged[0].to_string().contains(&path.display().to_string()), "{what}: {}", damaged[0]);
    };
    for name in FILES {
        let path = newest.join(name);
        let whole = fs::read(&path).unwrap();
        let length = whole.len();
        let somewhere: Vec<usize> = (0..20).map(|_| random.below(length as u32) as usize).collect();
        for index in [0, 7, 8, length / 2, length - 1].into_iter().chain(somewhere.iter().copied()) {
            let mut bytes = whole.clone();
            bytes[index] ^= 1 << random.below(8);
            fs::write(&path, &bytes).unwrap();
            check(&path, &format!("{name}: byte {index} flipped"));
        }
        for cut in [0, 1, length / 2, length - 1].into_iter().chain(somewhere) {
            fs::write(&path, &whole[..cut]).unwrap();
            check(&path, &format!("{name}: cut to {cut}"));
        }
        fs::write(&path, [&whole[..], b"\0"].concat()).unwrap();
        check(&path, &format!("{name}: a byte more"));
        fs::remove_file(&path).unwrap();
        check(&path, &format!("{name}: removed"));
        fs::write(&path, &whole).unwrap();
    }
    let (found, damaged) = RunFolder::open(&folder).unwrap().newest_checkpoint().unwrap();
    assert_eq!((found.unwrap().step, damaged.len()), (4, 0));
}

#[test]
fn a_run_goes_on_from_the_checkpoint_before_and_ends_with_the_same_bytes() {
    let place = finished();
    let (whole, folder) = (place.path().join("run"), place.path().join("copy"));
    copy(&whole, &folder);
    let state = checkpoint(&folder, 4).join("state.json");
    fs::write(&state, "{}").unwrap();

    let report = run(&config(place.path(), 4), &folder).finished();
    assert_eq!(report.started(), 3);
    let [warning] = report.warnings()[..] else { panic!("{:?}", report.warnings()) };
    assert!(warning.starts_with(&format!("{}: damaged: 2 bytes; expected ", state.display())), "{warning}");
    assert!(warning.ends_with("damaged-step-00000004, and the run goes on from step 3"), "{warning}");
    assert_eq!(
        names(&folder.join("checkpoints")),
        ["damaged-step-00000004", "step-00000003", "step-00000004"]
    );
    assert!(model(&whole, 4) == model(&folder, 4));
    assert_eq!(metrics(&whole), metrics(&folder));
}

#[test]
fn where_no_checkpoint_is_whole_nothing_begins_anew() {
    let place = finished();
    let folder = place.path().join("run");
    for step in [3, 4] {
        fs::remove_file(checkpoint(&folder, step).join("optimizer.safetensors")).unwrap();
    }
    let before = names(&folder.join("checkpoints"));
    let report = run(&config(place.path(), 4), &folder);
    let error = report.outcome.unwrap_err();
    assert!(
        matches!(&error, Error::Config(electra_config::Error::NoWholeCheckpoint { damage, .. }) if damage.len() == 2),
        "{error}"
    );
    assert_eq!(names(&folder.join("checkpoints")), before);
}

/// What cannot be read for a while may be whole: nothing is renamed, and nothing goes on without it.
#[cfg(unix)]
#[test]
fn a_checkpoint_that_cannot_be_read_is_left_alone() {
    let place = finished();
    let folder = place.path().join("run");
    let before = names(&folder.join("checkpoints"));
    let path = checkpoint(&folder, 4).join("model.safetensors");
    let aside = place.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let error = run(&config(place.path(), 4), &folder).outcome.unwrap_err();
    assert!(matches!(&error, Error::Config(electra_config::Error::Store(_))), "{error}");
    assert!(RunFolder::open(&folder).unwrap().newest_checkpoint().is_err());
    assert_eq!(names(&folder.join("checkpoints")), before);
    fs::remove_file(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    let (found, damaged) = RunFolder::open(&folder).unwrap().newest_checkpoint().unwrap();
    assert_eq!((found.unwrap().step, damaged.len()), (4, 0));
}

/// Steps whose examples may be others than the settings say are not saved.
#[test]
fn a_corpus_that_changes_during_the_run_ends_it() {
    let place = place();
    let shard = place.path().join("corpus/shard-00000.bin");
    let folder = place.path().join("run");
    let written = |event: &Event| {
        if let Event::Step { step: 2, .. } = event {
            let file = fs::File::options().write(true).open(&shard).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified + std::time::Duration::from_secs(1)).unwrap();
        }
    };
    let stop = AtomicBool::new(false);
    let error =
        run_observed(&config(place.path(), 4), &folder, &stop, &mut |event| written(event), &electra::SPEC);
    let message = error.unwrap_err().to_string();
    let expected = format!("{}: was written to while it was read", shard.display());
    assert!(message.contains(&expected) && message.contains("step-00000002 is intact"), "{message}");
    assert_eq!(names(&folder.join("checkpoints")).last().unwrap(), "step-00000002");
}
