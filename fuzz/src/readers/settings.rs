//! Settings: `run.toml` with `--set`, `config.toml` of a run, `config.json` of a model, and a checkpoint's manifest.

use std::path::Path;

use electra_config::Checkpoint;
use electra_config::{
    Architecture, Checkpoints, Config, Defaults, EncoderConfig, PartialConfig, Preset, RunFolder,
    WrittenFile, WrittenFiles,
};
use electra_masking::MaskingConfig;

use crate::{Outcome, Reader, place};

/// `run.toml`, then what stands after `--set`, a line each.
pub(super) const RUN: Reader = Reader { name: "run_toml", seeds: runs, check: run };
/// `config.toml` of a run's folder.
pub(super) const FOLDER: Reader = Reader { name: "run_folder", seeds: folders, check: folder };
/// `config.json` of a model.
pub(super) const HUB: Reader = Reader { name: "config_json", seeds: hub_files, check: hub };
/// `manifest.json` of a checkpoint, and its files.
pub(super) const CHECKPOINT: Reader = Reader { name: "checkpoint", seeds: checkpoints, check: checkpoint };

const GIVEN: &str = "preset = \"tiny\"\nobjective = \"electra\"\nseed = 1\n\n[data]\ncorpus = \"corpus\"\n\n\
    [budget]\nsteps = 10\nbatch = 4\n\n[optimizer]\nbetas = [0.9, 0.98]\n\n[masking]\nmask_prob = 0.2\n";
const SET: &str =
    "budget.tokens=100\nmodel.encoder.hidden_size = 32\nmasking.choice={ n-gram = { max = 3 } }";

fn runs() -> Vec<Vec<u8>> {
    vec![place::join(&[GIVEN.as_bytes(), SET.as_bytes()]), place::join(&[GIVEN.as_bytes(), b"seed=3"])]
}

fn run(bytes: &[u8]) -> Outcome {
    let [given, set] = place::split::<2>(bytes);
    let path = place::file("run.toml", given.unwrap_or_default());
    let set = String::from_utf8_lossy(set.unwrap_or_default()).into_owned();
    let set: Vec<String> = set.lines().map(str::to_owned).collect();
    let partial = PartialConfig::read(&path, &set).map_err(|error| error.to_string())?;
    let defaults = Defaults { vocab_size: 100, pad_token_id: 7, masking: MaskingConfig::bert() };
    let config = partial.resolve(&defaults).map_err(|error| error.to_string())?;
    check_config(&config);
    Ok(())
}

/// What a run's folder keeps of settings is read again as the same.
fn check_config(config: &Config) {
    let place = place::files(&[(RunFolder::SETTINGS, Some(config.to_toml().as_bytes()))]);
    let again = RunFolder::open(place.path()).expect("settings that are whole are read again");
    assert_eq!(again.config(), config);
    config.model.encoder.validate().expect("settings are validated with their networks");
    for (step, progress) in [(0, 0.0), (1, 0.1), (u64::MAX, 1.0)] {
        let rate = config.schedule().lr(step, progress);
        assert!(rate.is_finite() && rate >= 0.0, "{rate}");
    }
}

fn folders() -> Vec<Vec<u8>> {
    [(Preset::Tiny, "electra"), (Preset::Large, "mlm")]
        .map(|(preset, objective)| {
            let mut config = Config::preset(preset, objective, 3, "corpus".into());
            config.budget.steps = Some(10);
            config.to_toml().into_bytes()
        })
        .into()
}

fn folder(bytes: &[u8]) -> Outcome {
    let place = place::files(&[(RunFolder::SETTINGS, Some(bytes))]);
    let run = RunFolder::open(place.path()).map_err(|error| error.to_string())?;
    check_config(run.config());
    Ok(())
}

fn hub_files() -> Vec<Vec<u8>> {
    let config = Config::preset(Preset::Tiny, "electra", 0, "corpus".into()).model.encoder;
    [Architecture::PreTraining, Architecture::SequenceClassification]
        .map(|architecture| serde_json::to_vec_pretty(&config.to_hub(architecture)).expect("it is JSON"))
        .into()
}

fn hub(bytes: &[u8]) -> Outcome {
    let read = |bytes: &[u8]| EncoderConfig::read_whole(&place::file("config.json", bytes));
    let (config, architecture, _) = read(bytes).map_err(|error| error.to_string())?;
    config.validate().expect("what is read is validated");
    let written = serde_json::to_vec(&config.to_hub(architecture)).expect("it is JSON");
    let (again, class, _) = read(&written).expect("what is written is read again");
    assert_eq!((again, class), (config, architecture));
    Ok(())
}

const STEP: u64 = 12;
const MANIFEST: &str = "manifest.json";

fn checkpoints() -> Vec<Vec<u8>> {
    let files = [&b"weights"[..], b"means", b"{}"];
    let place = place::files(&[]);
    let [model, optimizer, state] = files.map(WrittenFile::new);
    Checkpoint::seal(place.path(), STEP, WrittenFiles { model, optimizer, state })
        .expect("it can be written");
    let manifest = std::fs::read(place.path().join(MANIFEST)).expect("it was written");
    vec![place::join(&[&[&manifest[..]], &files[..]].concat())]
}

/// A checkpoint is whole only if it is the one that was sealed: then its files sealed again have the same manifest.
fn checkpoint(bytes: &[u8]) -> Outcome {
    let [manifest, model, optimizer, state] = place::split::<4>(bytes);
    let place = place::files(&[]);
    let found = Checkpoints::of_run(place.path());
    let folder = found.folder_of(STEP);
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let put = |name: &str, bytes: Option<&[u8]>| {
        if let Some(bytes) = bytes {
            std::fs::write(folder.join(name), bytes).expect("a file can be written");
        }
    };
    put(MANIFEST, manifest);
    put(Checkpoint::MODEL, model);
    put(Checkpoint::OPTIMIZER, optimizer);
    put(Checkpoint::STATE, state);
    let newest = found.find().map_err(|error| error.to_string())?.newest;
    let newest = newest.expect("none that is whole is an error");
    assert_eq!(newest.step, STEP);
    let [model, optimizer, state] =
        [model, optimizer, state].map(|bytes| WrittenFile::new(bytes.expect("it is listed")));
    Checkpoint::seal(&folder, STEP, WrittenFiles { model, optimizer, state }).expect("it can be written");
    assert_eq!(read(&folder.join(MANIFEST)), manifest.unwrap_or_default(), "a manifest is what was sealed");
    Ok(())
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("it was written")
}
