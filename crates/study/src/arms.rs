//! The arms of a study, and the settings of their runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use electra_report::{Expectation, Role};
use electra_trainer::config::Refusal;
use electra_trainer::{Config, Preset};
use toml::{Table, Value};

use crate::plan::{merge, nested};
use crate::{Error, Plan};

/// The name of the arm without pre-training.
pub(crate) const SCRATCH: &str = "scratch";

/// What is compared: an objective under a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) objective: String,
    pub(crate) title: String,
    pub(crate) role: Role,
    pub(crate) seed_offset: u64,
    /// Settings of this arm alone, by their full keys.
    pub(crate) set: BTreeMap<String, Value>,
}

impl Arm {
    /// The arm whose searched settings this one has.
    pub(crate) fn searched_as(&self) -> &str {
        match &self.role {
            Role::Control { of, .. } => of,
            _ => &self.name,
        }
    }
}

/// An objective as it is shown, and what the paper reports for it: Base, GLUE dev (Table 5).
pub(crate) fn known(objective: &str) -> Option<(&'static str, f64)> {
    let info = &electra_ablations::objective(objective).ok()?.info;
    Some((info.title, info.paper?))
}

impl Plan {
    /// Every arm that is pre-trained: the objectives, then `[[arms]]`.
    pub(crate) fn pretrained_arms(&self) -> Vec<Arm> {
        let objectives = self.objectives.iter().map(|name| Arm {
            name: name.clone(),
            objective: name.clone(),
            title: known(name).map_or_else(|| name.clone(), |(title, _)| title.to_owned()),
            role: Role::Arm,
            seed_offset: 0,
            set: BTreeMap::new(),
        });
        let more = self.arms.iter().map(|arm| Arm {
            name: arm.name.clone(),
            objective: arm.objective.clone(),
            title: arm.title.clone().unwrap_or_else(|| arm.name.clone()),
            role: match &arm.control_of {
                Some(of) => {
                    Role::Control { of: of.clone(), expects: arm.expects.unwrap_or(Expectation::Open) }
                }
                None => Role::Arm,
            },
            seed_offset: arm.seed_offset,
            set: arm.set.clone(),
        });
        objectives.chain(more).collect()
    }

    /// The arm without pre-training, if it is planned. It is a run of one step whose learning rate is 0: the
    /// first values of the kept encoder are a function of the seed and the same for every objective.
    pub(crate) fn scratch_arm(&self) -> Option<Arm> {
        let objective = self.objectives.first().map_or_else(|| self.arms[0].objective.clone(), Clone::clone);
        self.scratch.then(|| Arm {
            name: SCRATCH.into(),
            objective,
            title: "No pre-training".into(),
            role: Role::Scratch,
            seed_offset: 0,
            set: BTreeMap::from([("optimizer.learning_rate".to_owned(), Value::Float(0.0))]),
        })
    }

    /// The settings of a run as its file says them, its paths as from the study's folder. `over` are settings
    /// by their full keys, over the arm's own.
    pub(crate) fn run_table(&self, arm: &Arm, seed: u64, over: &BTreeMap<String, Value>) -> Table {
        let mut table = self.pretrain.clone();
        let set = |table: &mut Table, key: &str, value: Value| merge(table, nested(key, value));
        for (key, value) in over.iter().chain(&arm.set) {
            set(&mut table, key, value.clone());
        }
        set(&mut table, "objective", Value::String(arm.objective.clone()));
        set(&mut table, "seed", Value::Integer(seed as i64));
        set(&mut table, "data.corpus", Value::String("corpus".into()));
        set(&mut table, "data.tokenizer", Value::String("corpus/tokenizer".into()));
        set(&mut table, "device.threads", Value::Integer(self.run.threads as i64));
        table
    }

    /// The settings of an arm's runs, whole, for a vocabulary of that size: what `electra pretrain` will make
    /// of its file once there is a corpus.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Pretrain`] and [`Error::Objective`] if they are wrong.
    pub(crate) fn run_config(
        &self,
        origin: &str,
        arm: &Arm,
        over: &BTreeMap<String, Value>,
        vocab_size: u64,
    ) -> Result<Config, Error> {
        let given = self.run_table(arm, 0, over);
        let wrong = |key: &str, message: String| Error::Toml {
            origin: origin.into(),
            message: format!("pretrain{key}{message}"),
        };
        let preset = given.get("preset").cloned();
        let preset: Preset = preset
            .ok_or_else(|| wrong(".preset: ", "missing; expected tiny, small, base or large".into()))?
            .try_into()
            .map_err(|error| wrong(".preset: ", Refusal::of(&error).to_string()))?;
        let mut config = Config::preset(preset, &arm.objective, 0, PathBuf::new());
        let mask_prob = config.masking.mask_prob;
        config.masking = (electra_ablations::objective(&arm.objective)?.info.masking)();
        config.masking.mask_prob = mask_prob;
        config.model.encoder.vocab_size = vocab_size as i64;
        let mut table = Table::try_from(&config).expect("a configuration is a table");
        merge(&mut table, given);
        let config: Config = table.try_into().map_err(|error| {
            let refusal = Refusal::of(&error);
            wrong(if refusal.key.is_empty() { ": " } else { "." }, refusal.to_string())
        })?;
        let pretrain = |source| Error::Pretrain { origin: origin.into(), source: Box::new(source) };
        config.validate("a run's settings").map_err(pretrain)?;
        Ok(config)
    }
}
