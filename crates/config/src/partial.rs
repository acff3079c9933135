//! Settings of a run as a user gives them: a part, which the preset and the data make whole.

use std::path::{Path, PathBuf};

use electra_masking::{MaskingConfig, Weighting};
use electra_store::settings::{Assignment, Origin, Schema, find, merge, parse, to_table};
use electra_store::{Error as StoreError, read_to_string};
use toml::{Table, Value};

use crate::{Backbone, Config, EncoderConfig, Error, InitConfig, Preset};

/// The limits of a budget, of which a run has one.
const LIMITS: [&str; 4] = ["steps", "tokens", "flops", "seconds"];
/// The keys that have no value of their own.
const REQUIRED: [(&str, &str); 4] = [
    ("objective", "an objective's name"),
    ("seed", "a whole number"),
    ("data.corpus", "a folder of `electra corpus build`"),
    ("preset", "tiny, small, base, large, roberta, modern-tiny, ettin-17m or modernbert-base"),
];

/// The settings of a run that a user gives. Everything else comes from the preset and from [`Defaults`].
#[derive(Clone, Debug)]
pub struct PartialConfig {
    /// What messages name: a file, or the plan that the settings are a part of.
    origin: String,
    /// What is in the file, so that messages name the line.
    text: Option<String>,
    set: Vec<String>,
    /// The key of the plan that the settings are at; empty if they are all that there is.
    section: &'static str,
    table: Table,
    objective: String,
    corpus: PathBuf,
    preset: Preset,
}

/// What the data and the objective decide where the user does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// The size of the corpus's vocabulary.
    pub vocab_size: u32,
    /// Its `[PAD]`.
    pub pad_token_id: u32,
    /// The masking of the objective.
    pub masking: MaskingConfig,
}

impl PartialConfig {
    /// Reads a file and puts each of `set` (`key=value`, as after `--set`) over it.
    ///
    /// # Errors
    /// If the file cannot be read, or a key is unknown or missing.
    pub fn read(path: &Path, set: &[String]) -> Result<Self, Error> {
        let name = path.display().to_string();
        let text = read_to_string(path)?;
        let mut table = parse(&name, &text)?;
        let schema = schema();
        schema.check(&Origin { name: &name, text: Some(&text), set: &[] }, &table)?;
        for assignment in set {
            put(&mut table, &schema, assignment)?;
        }
        Self::new(name, Some(text), set.to_vec(), "", table)
    }

    /// Takes a table from the key `section` of another file, such as the plan of a study.
    ///
    /// # Errors
    /// If a key is missing.
    pub fn of_table(origin: &str, section: &'static str, table: Table) -> Result<Self, Error> {
        Self::new(origin.to_owned(), None, Vec::new(), section, table)
    }

    fn new(
        name: String,
        text: Option<String>,
        set: Vec<String>,
        section: &'static str,
        table: Table,
    ) -> Result<Self, Error> {
        let origin = Origin { name: &name, text: text.as_deref(), set: &set };
        for (key, expected) in REQUIRED {
            if find(&table, key).is_none() {
                let origin = located(&name, section);
                return Err(StoreError::MissingKey { origin, key, expected }.into());
            }
        }
        let full = |key: &str| if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        let value = |key: &str| find(&table, key).cloned().expect("a required key is there");
        let objective = origin.read_value(&full("objective"), value("objective"))?;
        let corpus = origin.read_value(&full("data.corpus"), value("data.corpus"))?;
        let preset = origin.read_value(&full("preset"), value("preset"))?;
        Ok(Self { objective, corpus, preset, origin: name, text, set, section, table })
    }

    /// The objective's name.
    #[must_use]
    pub fn objective(&self) -> &str {
        &self.objective
    }

    /// The folder of the corpus.
    #[must_use]
    pub fn corpus(&self) -> &Path {
        &self.corpus
    }

    /// The weights that the run begins with, if it begins with any.
    ///
    /// # Errors
    /// If the settings of it are wrong.
    pub fn init(&self) -> Result<Option<InitConfig>, Error> {
        let Self { origin: name, text, set, .. } = self;
        let origin = Origin { name, text: text.as_deref(), set };
        let read = |init: &Value| origin.read_value("init", init.clone());
        Ok(self.table.get("init").map(read).transpose()?)
    }

    /// The settings, whole: what the user gives, over the sizes of the checkpoint that the run begins with, over
    /// `defaults`, over the preset.
    ///
    /// # Errors
    /// If a value is wrong, or the checkpoint's `config.json` cannot be read.
    pub fn resolve(self, defaults: &Defaults) -> Result<Config, Error> {
        let Self { origin: name, text, set, section, table: given, preset, .. } = self;
        let origin = Origin { name: &name, text: text.as_deref(), set: &set };
        let mut config = Config::preset(preset, "", 0, PathBuf::new());
        config.masking = defaults.masking.clone();
        config.masking.mask_prob = preset.mask_prob().unwrap_or(config.masking.mask_prob);
        if let Some(init) = given.get("init") {
            begin_as(&mut config, &origin.read_value("init", init.clone())?)?;
        }
        if let Some(encoder) = find(&given, "model.encoder").and_then(Value::as_table) {
            begin_with(&mut config.model.encoder, encoder, &origin, section)?;
        }
        config.model.encoder.vocab_size = i64::from(defaults.vocab_size);
        config.model.encoder.pad_token_id = i64::from(defaults.pad_token_id);
        let mut table = to_table(&config);
        remove_limits(&mut table);
        merge(&mut table, given);
        let config: Config = origin.read_value(section, Value::Table(table))?;
        config.validate(&located(&name, section))?;
        Ok(config)
    }
}

/// What messages name of settings that are a section of something else.
fn located(name: &str, section: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{name}: {section}") }
}

/// What other values follow from those that are given of the encoder: the values of another backbone than the preset's, and
/// the embeddings' size where it cannot be another than the hidden size.
fn begin_with(
    encoder: &mut EncoderConfig,
    given: &Table,
    origin: &Origin<'_>,
    section: &str,
) -> Result<(), Error> {
    if let Some(architecture) = given.get("architecture") {
        let full = if section.is_empty() { String::new() } else { format!("{section}.") };
        let key = format!("{full}model.encoder.architecture");
        let architecture: Backbone = origin.read_value(&key, architecture.clone())?;
        if architecture == Backbone::ModernBert && encoder.architecture == Backbone::Electra {
            *encoder = encoder.as_modernbert();
        }
    }
    let hidden_size = given.get("hidden_size").and_then(Value::as_integer);
    if let (Backbone::ModernBert, Some(hidden_size)) = (encoder.architecture, hidden_size) {
        encoder.embedding_size = hidden_size;
    }
    Ok(())
}

/// The networks of the checkpoints that a run begins with.
fn begin_as(config: &mut Config, init: &InitConfig) -> Result<(), Error> {
    let model = &mut config.model;
    model.encoder = EncoderConfig::read(&init.discriminator.join("config.json"))?;
    if let Some(generator) = &init.generator {
        let generator = EncoderConfig::read(&generator.join("config.json"))?;
        let ratio = |size: fn(&EncoderConfig) -> i64| size(&generator) as f64 / size(&model.encoder) as f64;
        model.generator_multiplier = match model.encoder.architecture {
            Backbone::Electra => ratio(|encoder| encoder.hidden_size),
            Backbone::ModernBert => ratio(|encoder| encoder.num_hidden_layers),
        };
    }
    Ok(())
}

/// Puts `key=value` over settings. One limit of the budget takes the place of another.
fn put(table: &mut Table, schema: &Schema, assignment: &str) -> Result<(), StoreError> {
    let parsed = Assignment::parse(assignment, "budget.steps=100", |key| schema.is_text(key))?;
    schema.check(&Origin::file("--set"), &parsed.to_table())?;
    if parsed.key_in("budget").is_some_and(|limit| LIMITS.contains(&limit)) {
        remove_limits(table);
    }
    parsed.put_into(table);
    Ok(())
}

fn remove_limits(table: &mut Table) {
    if let Some(Value::Table(budget)) = table.get_mut("budget") {
        budget.retain(|key, _| !LIMITS.contains(&key));
    }
}

/// Every key that there is.
fn schema() -> Schema {
    // This preset's encoder has the keys of both backbones.
    let mut config = Config::preset(Preset::ModernTiny, "mlm", 0, "corpus".into());
    config.data.tokenizer = Some("tokenizer".into());
    config.data.valid = Some("valid".into());
    config.masking.weighting = Weighting::InverseRate;
    config.optimizer.schedule_begin = 0.5;
    config.budget.tokens = Some(0);
    config.budget.flops = Some(0.0);
    config.budget.seconds = Some(0.0);
    config.init =
        Some(InitConfig { discriminator: "discriminator".into(), generator: Some("generator".into()) });
    Schema::of_sample(&config)
}

#[cfg(test)]
mod tests {
    use electra_masking::MaskRate;

    use super::*;

    const GIVEN: &str = "preset = \"tiny\"\nobjective = \"mlm\"\nseed = 1\n[data]\ncorpus = \"corpus\"\n\
        [budget]\nsteps = 10\nbatch = 4\n";

    fn read(text: &str, set: &[&str]) -> Result<Config, String> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run.toml");
        std::fs::write(&path, text).unwrap();
        let set: Vec<String> = set.iter().map(|assignment| (*assignment).to_owned()).collect();
        let defaults = Defaults { vocab_size: 100, pad_token_id: 7, masking: MaskingConfig::bert() };
        let config = PartialConfig::read(&path, &set).and_then(|partial| partial.resolve(&defaults));
        config.map_err(|error| {
            error.to_string().replace(&place.path().display().to_string(), "").replace("/run", "run")
        })
    }

    #[test]
    fn what_is_not_given_is_the_presets_the_datas_and_the_objectives() {
        let config = read(GIVEN, &[]).unwrap();
        assert_eq!((config.model.encoder.vocab_size, config.model.encoder.pad_token_id), (100, 7));
        assert_eq!((config.masking.clone(), config.budget.batch), (MaskingConfig::bert(), 4));
        assert_eq!(config.optimizer.learning_rate, 1e-3);
        let config = read(GIVEN, &["preset=large", "model.encoder.pad_token_id=3"]).unwrap();
        assert_eq!(
            config.masking,
            MaskingConfig { mask_prob: MaskRate::Fixed(0.25), ..MaskingConfig::bert() }
        );
        assert_eq!((config.model.encoder.hidden_size, config.model.encoder.pad_token_id), (1024, 3));
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        for (text, message) in [
            ("sed = 1", "run.toml: line 1: there is no key sed; did you mean seed?"),
            (
                "[optimizer]\nlearning-rate = 1.0",
                "run.toml: line 2: there is no key optimizer.learning-rate; did you mean optimizer.learning_rate?",
            ),
            (
                "learning_rate = 1.0",
                "run.toml: line 1: there is no key learning_rate; did you mean optimizer.learning_rate?",
            ),
            ("[budgets]\nsteps = 1", "run.toml: line 1: there is no key budgets; did you mean budget?"),
            ("[model.encoder]\nhidden = 3", "run.toml: line 2: there is no key model.encoder.hidden"),
            (
                "[masking.corruption]\nmsak = 1",
                "run.toml: line 2: there is no key masking.corruption.msak; did you mean masking.corruption.mask?",
            ),
            ("zzzzzzzzz = 1", "run.toml: line 1: there is no key zzzzzzzzz"),
            (
                "[init]\ngenerators = \"a\"",
                "run.toml: line 2: there is no key init.generators; did you mean init.generator?",
            ),
            (
                "[data]\ntokeniser = \"a\"",
                "run.toml: line 2: there is no key data.tokeniser; did you mean data.tokenizer?",
            ),
        ] {
            assert_eq!(read(text, &[]).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_named() {
        for (line, message) in [
            ("seed=one", "--set seed=one: expected a whole number"),
            ("seed=1.5", "--set seed=1.5: expected a whole number"),
            ("seed=-1", "--set seed=-1: expected a whole number of at least 0"),
            ("budget=3", "--set budget=3: expected a section of keys"),
            ("optimizer.betas=0.9", "--set optimizer.betas=0.9: expected a list of 2"),
            ("device.deterministic=1", "--set device.deterministic=1: expected true or false"),
            ("masking.mask_prob=0", "run.toml: masking.mask_prob: 0; expected a share above 0 and at most 1"),
            (
                "model.encoder.hidden_size=63",
                "run.toml: model.encoder.hidden_size: 63; expected a multiple of num_attention_heads, 2",
            ),
            (
                "model.generator_multiplier=1e-9",
                "run.toml: the generator of model.generator_multiplier: hidden_size: 0; expected 1 to 2147483647",
            ),
        ] {
            assert_eq!(read(GIVEN, &[line]).unwrap_err(), message, "{line}");
        }
        let text = GIVEN.replace("\"mlm\"", "3");
        assert_eq!(read(&text, &[]).unwrap_err(), "run.toml: line 2: objective: 3; expected text");
        read(GIVEN, &["optimizer.learning_rate=1", "budget.flops=\"1.3e15\""]).unwrap();
        read(GIVEN, &["masking.choice={ n-gram = { max = 3 } }"]).unwrap();
    }

    #[test]
    fn a_rate_of_masks_is_a_share_a_change_or_uniform() {
        for (set, rate) in [
            ("masking.mask_prob=0.2", MaskRate::Fixed(0.2)),
            ("masking.mask_prob={ from = 0.3, to = 0.15 }", MaskRate::Linear { from: 0.3, to: 0.15 }),
            ("masking.mask_prob=uniform", MaskRate::Uniform),
        ] {
            assert_eq!(read(GIVEN, &[set]).unwrap().masking.mask_prob, rate, "{set}");
        }
        let weighted = read(GIVEN, &["masking.mask_prob=uniform", "masking.weighting=inverse-rate"]).unwrap();
        assert_eq!(weighted.masking.weighting, Weighting::InverseRate);
        let expected = "expected a share such as 0.15, { from = 0.3, to = 0.15 }, or \"uniform\"";
        for (set, found) in [
            ("masking.mask_prob=even", "--set masking.mask_prob=even: "),
            ("masking.mask_prob={ from = 0.3 }", "--set masking.mask_prob={ from = 0.3 }: "),
        ] {
            assert_eq!(read(GIVEN, &[set]).unwrap_err(), format!("{found}{expected}"), "{set}");
        }
        for (set, message) in [
            (
                vec!["masking.mask_prob={ from = 0.3, to = 2 }"],
                "run.toml: masking.mask_prob.to: 2; expected a share above 0 and at most 1",
            ),
            (
                vec!["masking.mask_prob={ from = 0.3, to = 0.15 }", "budget.seconds=60"],
                "run.toml: masking.mask_prob: 0.3..0.15; expected one rate, or a budget of steps, tokens or flops: masks are no \
                 function of the time",
            ),
        ] {
            assert_eq!(read(GIVEN, &set).unwrap_err(), message);
        }
    }

    #[test]
    fn set_takes_toml_and_plain_text() {
        let set = [
            "objective=electra",
            "budget.tokens = 1000",
            "optimizer.betas=[0.5, 0.75]",
            "data.corpus=2024",
            "model.encoder.hidden_size=32",
        ];
        let config = read(GIVEN, &set).unwrap();
        assert_eq!((config.objective.as_str(), config.data.corpus), ("electra", PathBuf::from("2024")));
        assert_eq!((config.budget.steps, config.budget.tokens, config.budget.batch), (None, Some(1000), 4));
        assert_eq!((config.optimizer.betas, config.model.encoder.hidden_size), ([0.5, 0.75], 32));
        let refused = |assignment| read(GIVEN, &[assignment]).unwrap_err();
        assert_eq!(refused("steps"), "--set steps: expected key=value, such as budget.steps=100");
        assert_eq!(
            refused("budget.setps=3"),
            "--set: there is no key budget.setps; did you mean budget.steps?"
        );
    }

    #[test]
    fn a_backbone_brings_its_own_values_and_the_others_keys_stay_out_of_a_file() {
        let config =
            read(GIVEN, &["model.encoder.architecture=modernbert", "model.encoder.hidden_size=32"]).unwrap();
        let encoder = &config.model.encoder;
        assert_eq!((encoder.architecture, encoder.num_hidden_layers), (Backbone::ModernBert, 2));
        assert_eq!((encoder.embedding_size, encoder.local_attention), (32, 128));
        assert_eq!(config.model.model().generator.num_hidden_layers, 1);
        let shown = config.to_toml();
        assert!(
            shown.contains("architecture = \"modernbert\"\n") && shown.contains("global_rope_theta"),
            "{shown}"
        );
        let tiny = read(GIVEN, &[]).unwrap().to_toml();
        for key in ["architecture", "global_attn_every_n_layers", "local_attention", "rope_theta"] {
            assert!(!tiny.contains(key), "{key}: {tiny}");
        }
        let config = read(GIVEN, &["preset=ettin-17m", "model.encoder.hidden_size=128"]).unwrap();
        assert_eq!(
            (config.model.encoder.embedding_size, config.model.encoder.local_rope_theta),
            (128, 160_000.0)
        );
        for (line, message) in [
            (
                "model.encoder.architecture=bert",
                "--set model.encoder.architecture=bert: expected electra or modernbert",
            ),
            (
                "model.encoder.local_attention=64",
                "run.toml: model.encoder.local_attention: 64; expected 0, as architecture is electra",
            ),
        ] {
            assert_eq!(read(GIVEN, &[line]).unwrap_err(), message, "{line}");
        }
    }

    #[test]
    fn settings_within_a_plan_are_named_with_its_key() {
        let table = |text: &str| parse("plan", text).unwrap();
        let defaults = Defaults { vocab_size: 100, pad_token_id: 0, masking: MaskingConfig::electra() };
        let refused = |text: &str| {
            let partial = PartialConfig::of_table("plan", "pretrain", table(text));
            partial.and_then(|partial| partial.resolve(&defaults)).unwrap_err().to_string()
        };
        assert_eq!(
            refused("seed = 1\nobjective = \"mlm\"\n"),
            "plan: pretrain: data.corpus is missing; expected a folder of `electra corpus build`"
        );
        let text = GIVEN.replace("tiny", "huge");
        let expected =
            "expected tiny, small, base, large, roberta, modern-tiny, ettin-17m or modernbert-base";
        assert_eq!(refused(&text), format!("plan: pretrain.preset: \"huge\"; {expected}"));
        let text = format!("{GIVEN}[optimizer]\nclip = 0\n");
        assert_eq!(refused(&text), "plan: pretrain: optimizer.clip: 0; expected a number above 0");
        let text = format!("{GIVEN}[log]\nevery = 0\n");
        assert!(
            refused(&text)
                .starts_with("plan: pretrain.log.every: there is no such key; expected every_steps")
        );
    }
}
