//! The arms of a study, and the settings of their runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use electra_analysis::{Expectation, Role};
use electra_config::{Config, Defaults, ObjectiveInfo, PartialConfig, UnknownObjective};
use electra_store::Error as StoreError;
use electra_store::settings::{find, put, to_table};
use toml::{Table, Value};

use crate::plan::{ArmPlan, ArmSyntheticPlan, ContinuesPlan};
use crate::search::number;
use crate::source::TextSource;
use crate::{Error, Plan, devices};

/// The name of the arm without pre-training.
pub(crate) const SCRATCH: &str = "scratch";

/// What is compared: an objective under a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) objective: String,
    /// As it is shown; none if it is shown as its objective.
    pub(crate) title: Option<String>,
    pub(crate) role: Role,
    pub(crate) seed_offset: u64,
    /// Settings of this arm alone, by their full keys.
    pub(crate) set: BTreeMap<String, Value>,
    /// What its languages have otherwise than the plan's.
    pub(crate) synthetic: ArmSyntheticPlan,
    /// The arm whose operations its runs spend, if the budget does not say how many steps they have.
    pub(crate) flops_of: Option<String>,
    /// The arm whose settings it has too.
    pub(crate) settings_of: Option<String>,
    /// What its runs go on from.
    pub(crate) continues: Option<ContinuesPlan>,
}

impl Arm {
    /// The arm whose searched settings this one has.
    pub(crate) fn searched_as(&self) -> &str {
        match (&self.settings_of, &self.role) {
            (Some(arm), _) | (None, Role::Control { arm, .. }) => arm,
            _ => &self.name,
        }
    }
}

/// A setting by its full key, if it is a number.
pub(crate) fn value_in(config: &Config, key: &str) -> Option<f64> {
    find(&to_table(config), key).and_then(number).filter(|value| value.is_finite())
}

impl Plan {
    /// The arms whose settings are searched: neither controls nor arms that have the settings of another.
    pub(crate) fn searched_arms(&self) -> impl Iterator<Item = Arm> {
        let is_searched = |arm: &Arm| arm.role == Role::Arm && arm.settings_of.is_none();
        self.pretrained_arms().into_iter().filter(is_searched)
    }

    /// Every arm that is pre-trained: the objectives, then `[[arms]]`.
    pub(crate) fn pretrained_arms(&self) -> Vec<Arm> {
        let objectives = self.objectives.iter().map(|name| Arm {
            name: name.clone(),
            objective: name.clone(),
            title: None,
            role: Role::Arm,
            seed_offset: 0,
            set: BTreeMap::new(),
            synthetic: ArmSyntheticPlan::default(),
            flops_of: None,
            settings_of: None,
            continues: None,
        });
        let more = self.arms.iter().map(|arm| Arm {
            name: arm.name.clone(),
            objective: arm.objective.clone(),
            title: Some(arm.title.clone().unwrap_or_else(|| arm.name.clone())),
            role: match &arm.control_of {
                Some(controlled) => Role::Control {
                    arm: controlled.clone(),
                    expects: arm.expects.unwrap_or(Expectation::Open),
                },
                None => Role::Arm,
            },
            seed_offset: arm.seed_offset,
            set: self.set_of(arm),
            synthetic: arm.synthetic.clone().unwrap_or_default(),
            flops_of: arm.flops_of.clone(),
            settings_of: arm.settings_of.clone().or_else(|| self.settings_of_controlled(arm)),
            continues: arm.continues.clone(),
        });
        objectives.chain(more).map(|arm| self.with_settings(arm)).collect()
    }

    /// The arm whose settings the arm has that this one is a control of, if these are another's.
    fn settings_of_controlled(&self, arm: &ArmPlan) -> Option<String> {
        let controlled = arm.control_of.as_ref()?;
        self.arms.iter().find(|other| other.name == *controlled)?.settings_of.clone()
    }

    /// An arm's own settings, over those of the arm that it names.
    fn set_of(&self, arm: &ArmPlan) -> BTreeMap<String, Value> {
        let named = self.arms.iter().find(|other| arm.settings_of.as_ref() == Some(&other.name));
        let mut set = named.map(|other| other.set.clone()).unwrap_or_default();
        set.extend(arm.set.clone());
        set
    }

    /// An arm with the settings that were found for it, below its own.
    fn with_settings(&self, mut arm: Arm) -> Arm {
        let is_searched =
            |key: &str| self.search.as_ref().is_some_and(|search| search.grid.contains_key(key));
        for (key, value) in self.settings.get(arm.searched_as()).into_iter().flatten() {
            if !is_searched(key) {
                arm.set.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        arm
    }

    /// The arm without pre-training, if it is planned. It is a run of one step whose learning rate is 0: the
    /// initial weights of the kept encoder are a function of the seed and the same for every objective.
    pub(crate) fn scratch_arm(&self) -> Option<Arm> {
        let objective = self.objectives.first().map_or_else(|| self.arms[0].objective.clone(), Clone::clone);
        self.scratch.then(|| Arm {
            name: SCRATCH.into(),
            objective,
            title: Some("No pre-training".into()),
            role: Role::Scratch,
            seed_offset: 0,
            set: BTreeMap::from([("optimizer.learning_rate".to_owned(), Value::Float(0.0))]),
            synthetic: ArmSyntheticPlan::default(),
            flops_of: None,
            settings_of: None,
            continues: None,
        })
    }

    /// The settings of a run as its file says them, its paths as from the study's folder. `over` are settings
    /// by their full keys, over the arm's own.
    pub(crate) fn run_table(
        &self,
        arm: &Arm,
        seed: u64,
        source: &TextSource,
        over: &BTreeMap<String, Value>,
    ) -> Table {
        let mut table = self.pretrain.clone();
        for (key, value) in over.iter().chain(&arm.set) {
            put(&mut table, key, value.clone());
        }
        let path = |path: PathBuf| Value::String(path.display().to_string());
        let corpus = source.folder("corpus");
        for (key, value) in [
            ("objective", Value::String(arm.objective.clone())),
            ("seed", Value::Integer(seed as i64)),
            ("data.tokenizer", path(corpus.join("tokenizer"))),
            ("data.corpus", path(corpus)),
            ("device.threads", Value::Integer(self.run.threads as i64)),
        ] {
            put(&mut table, key, value);
        }
        if let Some(kind) = devices::kind(&self.run.devices) {
            put(&mut table, "device.device", Value::String(kind.into()));
        }
        table
    }

    /// The settings of an arm's runs, whole, for a vocabulary of that size: what `electra pretrain` will make
    /// of its file once there is a corpus.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Config`] if they are wrong.
    pub(crate) fn run_config(
        &self,
        origin: &str,
        objectives: &[&ObjectiveInfo],
        arm: &Arm,
        over: &BTreeMap<String, Value>,
        vocab_size: u64,
    ) -> Result<Config, Error> {
        let unknown =
            |error: UnknownObjective| StoreError::Toml { origin: origin.into(), message: error.to_string() };
        let objective = ObjectiveInfo::find(objectives, &arm.objective).map_err(unknown)?;
        let mut given = self.run_table(arm, 0, &TextSource::Files, over);
        // How long a run is follows from what a step costs, which these settings say.
        put(&mut given, "budget.steps", Value::Integer(1));
        let defaults =
            Defaults { vocab_size: vocab_size as u32, pad_token_id: 0, masking: (objective.masking)() };
        Ok(PartialConfig::of_table(origin, "pretrain", given)?.resolve(&defaults)?)
    }
}
