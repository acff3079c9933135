//! Settings from a file and from `--set`.

use std::path::Path;

use electra_data::{Corpus, MaskingConfig};
use electra_encoder::EncoderConfig;
use toml::{Table, Value};

use super::{Config, InitConfig, Preset, Refusal};
use crate::error::BoxError;
use crate::{Error, files};

/// Where a `--set` comes from, in messages.
const SET: &str = "--set";
/// The limits of a budget, of which a run has one.
const LIMITS: [&str; 4] = ["steps", "tokens", "flops", "seconds"];
/// The keys that no preset gives.
const REQUIRED: [(&str, &str); 3] = [
    ("objective", "an objective's name"),
    ("seed", "a whole number"),
    ("data.corpus", "a folder of `electra corpus build`"),
];

impl Config {
    /// Reads a file, puts `set` (`key=value`, as of `--set`) over it, and takes what neither says from the
    /// preset, from the corpus (`vocab_size`, `pad_token_id`), from the checkpoint that the run begins with
    /// (the encoder), and from `masking`, the masking of an objective by its name.
    ///
    /// # Errors
    /// If a key is unknown or missing, a value is wrong, or the corpus cannot be opened.
    pub fn read(
        path: &Path,
        set: &[String],
        masking: impl FnOnce(&str) -> Result<MaskingConfig, BoxError>,
    ) -> Result<Self, Error> {
        let origin = path.display().to_string();
        let text = files::read_to_string(path)?;
        let mut table: Table = toml::from_str(&text)
            .map_err(|error| Error::Toml { origin: origin.clone(), message: error.to_string() })?;
        check_keys(&origin, &table)?;
        for assignment in set {
            Self::set(&mut table, assignment)?;
        }
        Self::whole(&Origin { name: &origin, text: Some(&text), set }, table, masking)
    }

    /// Puts `key=value` into a table of settings. The value is TOML, or text that needs no quotes. One limit
    /// of the budget takes the place of another.
    ///
    /// # Errors
    /// If there is no `=`, or the key is unknown.
    pub fn set(table: &mut Table, assignment: &str) -> Result<(), Error> {
        let Some((key, text)) = assignment.split_once('=') else {
            let message = format!("{assignment:?}; expected key=value, such as budget.steps=100");
            return Err(Error::Toml { origin: SET.to_owned(), message });
        };
        let (key, text) = (key.trim(), text.trim());
        let parsed: Option<Value> =
            toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut one| one.remove("value"));
        // A path or a name may look like a number.
        let is_text = matches!(find(&schema(), key), Some(Value::String(_)));
        let value = parsed
            .filter(|value| !is_text || value.is_str() || value.is_table())
            .unwrap_or_else(|| Value::String(text.to_owned()));

        let mut nested = value;
        for part in key.rsplit('.') {
            nested = Value::Table(Table::from_iter([(part.to_owned(), nested)]));
        }
        let Value::Table(nested) = nested else { unreachable!("a key has at least one part") };
        check_keys(SET, &nested)?;
        if let (Some(limit), Some(Value::Table(budget))) =
            (key.strip_prefix("budget."), table.get_mut("budget"))
            && LIMITS.contains(&limit)
        {
            budget.retain(|key, _| !LIMITS.contains(&key));
        }
        merge(table, nested);
        Ok(())
    }

    /// As [`Config::read`], from a table; `origin` is what messages name.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn resolve(
        origin: &str,
        given: Table,
        masking: impl FnOnce(&str) -> Result<MaskingConfig, BoxError>,
    ) -> Result<Self, Error> {
        Self::whole(&Origin { name: origin, text: None, set: &[] }, given, masking)
    }

    fn whole(
        from: &Origin<'_>,
        given: Table,
        masking: impl FnOnce(&str) -> Result<MaskingConfig, BoxError>,
    ) -> Result<Self, Error> {
        let origin = from.name;
        check_keys(origin, &given)?;
        for (key, expected) in REQUIRED {
            if find(&given, key).is_none() {
                return Err(Error::MissingKey { origin: origin.to_owned(), key, expected });
            }
        }
        let preset = given.get("preset").cloned().ok_or(Error::MissingKey {
            origin: origin.to_owned(),
            key: "preset",
            expected: "tiny, small, base or large",
        })?;
        let preset: Preset = deserialize(from, "preset", preset)?;

        let mut config = Self::preset(preset, "", 0, "".into());
        if let Some(Value::String(objective)) = given.get("objective") {
            config.masking = masking(objective).map_err(Error::Objective)?;
            config.masking.mask_prob = preset.mask_prob().unwrap_or(config.masking.mask_prob);
        }
        if let Some(init) = given.get("init") {
            begin_as(&mut config, &deserialize(from, "init", init.clone())?)?;
        }
        if let Some(Value::String(corpus)) = find(&given, "data.corpus") {
            let corpus = Corpus::open(Path::new(corpus))?;
            config.model.encoder.vocab_size = i64::from(corpus.vocabulary().size);
            config.model.encoder.pad_token_id = i64::from(corpus.vocabulary().pad);
        }
        let mut table = table_of(&config);
        remove_limits(&mut table);
        merge(&mut table, given);
        let config: Self = deserialize(from, "", Value::Table(table))?;
        config.validate(origin)?;
        Ok(config)
    }
}

/// The networks of the checkpoints that a run begins with.
fn begin_as(config: &mut Config, init: &InitConfig) -> Result<(), Error> {
    let model = &mut config.model;
    model.encoder = EncoderConfig::read(&init.discriminator.join("config.json"))?;
    if let Some(generator) = &init.generator {
        let generator = EncoderConfig::read(&generator.join("config.json"))?;
        model.generator_multiplier = generator.hidden_size as f64 / model.encoder.hidden_size as f64;
    }
    Ok(())
}

fn table_of(config: &Config) -> Table {
    Table::try_from(config).expect("a configuration is a table")
}

fn remove_limits(table: &mut Table) {
    if let Some(Value::Table(budget)) = table.get_mut("budget") {
        budget.retain(|key, _| !LIMITS.contains(&key));
    }
}

/// Every key that there is, each with a value of its kind.
fn schema() -> Table {
    let mut config = Config::preset(Preset::Tiny, "mlm", 0, "corpus".into());
    config.data.tokenizer = Some("tokenizer".into());
    config.budget.tokens = Some(0);
    config.budget.flops = Some(0.0);
    config.budget.seconds = Some(0.0);
    config.init =
        Some(InitConfig { discriminator: "discriminator".into(), generator: Some("generator".into()) });
    table_of(&config)
}

/// Refuses keys that the schema lacks, and values of another kind than its.
fn check_keys(origin: &str, table: &Table) -> Result<(), Error> {
    let schema = schema();
    let mut known = Vec::new();
    collect_keys("", &schema, &mut known);
    check_level(origin, "", table, &schema, &known)
}

fn check_level(
    origin: &str,
    prefix: &str,
    table: &Table,
    schema: &Table,
    known: &[String],
) -> Result<(), Error> {
    for (key, value) in table {
        let full = format!("{prefix}{key}");
        let Some(sample) = schema.get(key) else {
            let nearest = nearest(&full, known);
            return Err(Error::UnknownKey { origin: origin.to_owned(), key: full, nearest });
        };
        match (value, sample) {
            (Value::Table(table), Value::Table(schema)) => {
                check_level(origin, &format!("{full}."), table, schema, known)?;
            }
            (value, sample) if fits(&full, value, sample) => {}
            (value, sample) => {
                return Err(Error::Setting {
                    origin: origin.to_owned(),
                    key: full,
                    found: value.to_string(),
                    expected: kind(sample).to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn fits(key: &str, value: &Value, sample: &Value) -> bool {
    match (value, sample) {
        (Value::Integer(_), Value::Float(_)) => true,
        // Written "1.3e15", as TOML's own notation takes no such integer.
        (Value::String(_), Value::Float(_)) => key == "budget.flops",
        // The choice with a number, { n-gram = { max = 3 } }.
        (Value::Table(_), Value::String(_)) => key == "masking.choice",
        (value, sample) => value.same_type(sample),
    }
}

fn kind(sample: &Value) -> &'static str {
    match sample {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list of numbers",
        Value::Table(_) => "a section of keys",
    }
}

fn collect_keys(prefix: &str, table: &Table, keys: &mut Vec<String>) {
    for (key, value) in table {
        keys.push(format!("{prefix}{key}"));
        if let Value::Table(table) = value {
            collect_keys(&format!("{prefix}{key}."), table, keys);
        }
    }
}

/// The known key that was probably meant: the nearest whole key, or the one with the nearest last part, as a
/// key may have been put into a wrong section.
fn nearest(key: &str, known: &[String]) -> Option<String> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |other: &String| {
        strsim::osa_distance(key, other).min(strsim::osa_distance(&last(key), &last(other)) + 1)
    };
    let (nearest, distance) = known.iter().map(|other| (other, distance(other))).min_by_key(|pair| pair.1)?;
    (distance <= 1 + last(key).chars().count() / 3).then(|| nearest.clone())
}

fn find<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (sections, key) = key.rsplit_once('.').map_or((None, key), |(sections, key)| (Some(sections), key));
    let mut table = table;
    for section in sections.into_iter().flat_map(|sections| sections.split('.')) {
        table = table.get(section)?.as_table()?;
    }
    table.get(key)
}

/// Puts `over` over `under`, table into table.
fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Where settings come from.
struct Origin<'a> {
    /// The file.
    name: &'a str,
    /// What is in it.
    text: Option<&'a str>,
    /// What was put over it.
    set: &'a [String],
}

/// The value of a key, or the whole table if that is empty.
fn deserialize<T: serde::de::DeserializeOwned>(
    from: &Origin<'_>,
    key: &str,
    value: Value,
) -> Result<T, Error> {
    value.try_into().map_err(|error| {
        let mut refusal = Refusal::of(&error);
        let parts = [key, &refusal.key].into_iter().filter(|part| !part.is_empty());
        refusal.key = parts.collect::<Vec<_>>().join(".");
        let (origin, message) = refusal.placed(from.name, from.text, from.set);
        Error::Toml { origin, message }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    fn refused(text: &str) -> String {
        check_keys("run.toml", &table(text)).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        for (text, message) in [
            ("sed = 1", "run.toml: there is no key sed; did you mean seed?"),
            (
                "[optimizer]\nlearning-rate = 1.0",
                "run.toml: there is no key optimizer.learning-rate; did you mean optimizer.learning_rate?",
            ),
            (
                "learning_rate = 1.0",
                "run.toml: there is no key learning_rate; did you mean optimizer.learning_rate?",
            ),
            ("[budgets]\nsteps = 1", "run.toml: there is no key budgets; did you mean budget?"),
            ("[model.encoder]\nhidden = 3", "run.toml: there is no key model.encoder.hidden"),
            (
                "[masking.corruption]\nmsak = 1",
                "run.toml: there is no key masking.corruption.msak; did you mean masking.corruption.mask?",
            ),
            ("zzzzzzzzz = 1", "run.toml: there is no key zzzzzzzzz"),
        ] {
            assert_eq!(refused(text), message, "{text}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_named() {
        for (text, message) in [
            ("seed = \"one\"", "run.toml: seed: \"one\"; expected a whole number"),
            ("seed = 1.5", "run.toml: seed: 1.5; expected a whole number"),
            ("objective = 3", "run.toml: objective: 3; expected text"),
            ("budget = 3", "run.toml: budget: 3; expected a section of keys"),
            ("[optimizer]\nbetas = 0.9", "run.toml: optimizer.betas: 0.9; expected a list of numbers"),
            ("[device]\ndeterministic = 1", "run.toml: device.deterministic: 1; expected true or false"),
        ] {
            assert_eq!(refused(text), message, "{text}");
        }
        check_keys("run.toml", &table("[optimizer]\nlearning_rate = 1\n[budget]\nflops = \"1.3e15\""))
            .unwrap();
        check_keys("run.toml", &table("[masking]\nchoice = { n-gram = { max = 3 } }")).unwrap();
    }

    #[test]
    fn set_takes_toml_and_plain_text() {
        let mut given = table("objective = \"mlm\"\n[budget]\nsteps = 10\nbatch = 4");
        for assignment in [
            "objective=electra",
            "budget.tokens = 1000",
            "optimizer.betas=[0.5, 0.75]",
            "data.corpus=2024",
            "model.encoder.hidden_size=32",
        ] {
            Config::set(&mut given, assignment).unwrap();
        }
        let expected = "objective = \"electra\"\n[budget]\nbatch = 4\ntokens = 1000\n[optimizer]\nbetas = [0.5, 0.75]\n\
            [data]\ncorpus = \"2024\"\n[model.encoder]\nhidden_size = 32";
        assert_eq!(given, table(expected));

        let refused = |assignment| Config::set(&mut Table::new(), assignment).unwrap_err().to_string();
        assert_eq!(refused("steps"), "--set: \"steps\"; expected key=value, such as budget.steps=100");
        assert_eq!(
            refused("budget.setps=3"),
            "--set: there is no key budget.setps; did you mean budget.steps?"
        );
        assert_eq!(refused("seed=one"), "--set: seed: \"one\"; expected a whole number");
    }

    #[test]
    fn the_schema_knows_every_optional_key() {
        let mut known = Vec::new();
        collect_keys("", &schema(), &mut known);
        for key in ["data.tokenizer", "budget.seconds", "budget.flops", "budget.tokens", "init.generator"] {
            assert!(known.iter().any(|one| one == key), "{key}");
        }
    }
}
