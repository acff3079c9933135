//! Whether a plan can be.

mod arms;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use electra_config::ObjectiveInfo;
use electra_store::Error as StoreError;
use electra_store::settings::flat;
use toml::Value;

use super::{CheckpointsPlan, Family, Plan};
use crate::search::number;
use crate::{Error, devices};
use electra_analysis::Role;

/// The finest share at which a run is saved.
const FINEST: u64 = 64;
/// What the study sets of a run's settings.
const OURS: [&str; 11] = [
    "objective",
    "seed",
    "data",
    "budget.steps",
    "budget.tokens",
    "budget.flops",
    "budget.seconds",
    "checkpoint",
    "log",
    "device.threads",
    "optimizer.schedule_begin",
];
/// TOML's integers end at 2⁶³ - 1.
const MOST: u64 = i64::MAX as u64;

/// Names the plan in messages.
struct Check<'a>(&'a str);

impl Check<'_> {
    fn that(
        &self,
        right: bool,
        key: impl Display,
        found: impl Display,
        expected: impl Display,
    ) -> Result<(), Error> {
        if right {
            return Ok(());
        }
        Err(StoreError::Setting {
            origin: self.0.into(),
            key: key.to_string(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
        .into())
    }

    /// Each once, and at least one.
    fn once<T: Ord + Display>(&self, key: &str, values: &[T]) -> Result<(), Error> {
        self.that(!values.is_empty(), key, "an empty list", "at least one")?;
        self.each_once(key, values)
    }

    fn each_once<T: Ord + Display>(&self, key: &str, values: &[T]) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        values
            .iter()
            .try_for_each(|value| self.that(seen.insert(value), key, format!("{value} twice"), "each once"))
    }

    /// All of them among `known`.
    fn among<T: PartialEq + Display>(&self, key: &str, values: &[T], known: &[T]) -> Result<(), Error> {
        let list = || known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        values.iter().try_for_each(|value| {
            self.that(
                known.contains(value),
                key,
                value,
                if known.is_empty() { "nothing".into() } else { list() },
            )
        })
    }

    /// Exactly one of several keys.
    fn one_of(&self, section: &str, keys: &[(&str, bool)]) -> Result<(), Error> {
        let set: Vec<&str> = keys.iter().filter(|(_, set)| *set).map(|(key, _)| *key).collect();
        let all: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let found = if set.is_empty() { "none of them".to_owned() } else { set.join(" and ") };
        self.that(set.len() == 1, section, found, format!("one of {}", all.join(", ")))
    }
}

impl Plan {
    /// Checks every setting, those of pre-training for every arm too; `origin` is what messages name, `objectives`
    /// are those that there are.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Config`] or [`Error::Objective`] for the first that is wrong.
    pub fn validate(&self, origin: &str, objectives: &[&ObjectiveInfo]) -> Result<(), Error> {
        let check = Check(origin);
        check.once("pretraining_seeds", &self.pretraining_seeds)?;
        check.once("finetuning_seeds", &self.finetuning_seeds)?;
        self.check_arms(&check)?;
        self.check_data(&check)?;
        self.check_tasks(&check)?;
        self.check_budget(&check)?;
        self.check_search(&check)?;
        self.check_analysis(&check, objectives)?;
        self.check_settings(&check)?;
        let run = &self.run;
        check.that((1..=4096).contains(&run.threads), "run.threads", run.threads, "1 to 4096")?;
        check.that(run.parallel <= 1024, "run.parallel", run.parallel, "0 to 1024")?;
        if let Some(expected) = devices::expected(&run.devices) {
            let found: Vec<String> = run.devices.iter().map(ToString::to_string).collect();
            check.that(false, "run.devices", found.join(", "), expected)?;
        }
        if !run.devices.is_empty() {
            let expected = "0: run.devices says how many jobs run side by side";
            check.that(run.parallel == 0, "run.parallel", run.parallel, expected)?;
            let device = self.pretrain.get("device").and_then(|device| device.get("device"));
            let kind = devices::kind(&run.devices).unwrap_or_default();
            if let Some(device) = device {
                let expected = format!("{kind}, as run.devices says, or not set");
                let found = device.as_str().map_or_else(|| device.to_string(), str::to_owned);
                check.that(device.as_str() == Some(kind), "pretrain.device.device", found, expected)?;
            }
        }
        let speed = self.estimate.flops_per_s;
        check.that(speed > 0.0 && speed.is_finite(), "estimate.flops_per_s", speed, "a number above 0")?;
        let seconds = [
            ("job_seconds", self.estimate.job_seconds),
            ("finetune_seconds", self.estimate.finetune_seconds),
            ("score_seconds", self.estimate.score_seconds),
        ];
        for (key, seconds) in seconds {
            let right = seconds >= 0.0 && seconds.is_finite();
            check.that(right, format!("estimate.{key}"), seconds, "a number of at least 0")?;
        }
        self.check_pretrain(origin, objectives, &check)
    }

    fn check_analysis(&self, check: &Check<'_>, objectives: &[&ObjectiveInfo]) -> Result<(), Error> {
        if let Some(pilot) = &self.pilot {
            // A pilot may have had more objectives than this plan.
            let known = objectives.iter().map(|objective| objective.name.to_owned());
            let names: Vec<String> =
                self.pretrained_arms().into_iter().map(|arm| arm.name).chain(known).collect();
            let expected = "a number of points above 0";
            for (arm, found) in &pilot.standard_deviations {
                check.among("pilot.standard_deviations", std::slice::from_ref(arm), &names)?;
                let key = format!("pilot.standard_deviations.{arm}");
                check.that(*found > 0.0 && found.is_finite(), key, found, expected)?;
            }
            for (arm, found) in &pilot.scores {
                check.among("pilot.scores", std::slice::from_ref(arm), &names)?;
                check.that(found.is_finite(), format!("pilot.scores.{arm}"), found, "a number")?;
            }
            let languages = pilot.languages.unwrap_or(1.0);
            check.that(languages > 0.0 && languages.is_finite(), "pilot.languages", languages, expected)?;
        }
        self.check_pairs(check)?;
        match self.analysis_config().check() {
            Err(electra_analysis::Error::Value { field, found, expected }) => {
                let key = if field.starts_with("take_off") { field } else { format!("analysis.{field}") };
                check.that(false, key, found, expected)
            }
            other => Ok(other?),
        }
    }

    /// Pairs are of two arms that the study compares, and each is there once.
    fn check_pairs(&self, check: &Check<'_>) -> Result<(), Error> {
        let arms = self.pretrained_arms().into_iter().filter(|arm| arm.role == Role::Arm);
        let names: Vec<String> = arms.map(|arm| arm.name).collect();
        let pairs = self.analysis_config().pairs;
        for (index, pair) in pairs.iter().enumerate() {
            let key = format!("analysis.pairs[{index}]");
            check.among(&key, pair, &names)?;
            check.that(pair[0] != pair[1], key.clone(), format!("{pair:?}"), "two different arms")?;
            let is_same = |other: &[String; 2]| other.contains(&pair[0]) && other.contains(&pair[1]);
            let is_new = !pairs[..index].iter().any(is_same);
            check.that(is_new, key, format!("{pair:?}"), "a pair that is not there before")?;
        }
        Ok(())
    }

    fn check_data(&self, check: &Check<'_>) -> Result<(), Error> {
        let data = &self.data;
        check.one_of("data", &[("synthetic", data.synthetic.is_some()), ("text", data.text.is_some())])?;
        check.one_of(
            "data",
            &[("vocab_size", data.vocab_size.is_some()), ("tokenizer", data.tokenizer.is_some())],
        )?;
        if let Some(text) = &data.text {
            check.that(!text.is_empty(), "data.text", "an empty list", "at least one file")?;
        }
        if let Some(synthetic) = &data.synthetic {
            check.that(
                synthetic.documents > 0,
                "data.synthetic.documents",
                synthetic.documents,
                "at least 1",
            )?;
            let arms = self.arms.iter().filter_map(|arm| arm.synthetic.as_ref()?.told_twice);
            let tells_once = !synthetic.told_twice || arms.into_iter().any(|told_twice| !told_twice);
            check.that(
                !tells_once || synthetic.family == Family::WorldsOfFacts,
                "data.synthetic.told_twice",
                "false, of the plan or of an arm",
                "true, as languages of the family nested-clauses tell nothing twice on purpose",
            )?;
            let searched = self.search.iter().flat_map(|search| &search.pretraining_seeds);
            let most = self.pretraining_seeds.iter().chain(searched).max().copied().unwrap_or(0);
            let fits = synthetic.seed.checked_add(most).is_some_and(|number| number <= MOST);
            let expected = format!("a sum with a seed of at most {MOST}");
            check.that(fits, "data.synthetic.seed", synthetic.seed, expected)?;
        }
        check.that((1..=2).contains(&data.segments), "data.segments", data.segments, "1 or 2")?;
        check.that(
            (8..=1 << 20).contains(&data.max_length),
            "data.max_length",
            data.max_length,
            "8 to 1048576",
        )
    }

    fn check_tasks(&self, check: &Check<'_>) -> Result<(), Error> {
        let tasks = &self.tasks;
        let frozen =
            [&tasks.probes, &tasks.embeddings, &tasks.zero_shot].iter().any(|names| !names.is_empty());
        if !frozen {
            check.once("tasks.names", &tasks.names)?;
        }
        for (key, names) in [
            ("tasks.names", &tasks.names),
            ("tasks.probes", &tasks.probes),
            ("tasks.embeddings", &tasks.embeddings),
            ("tasks.zero_shot", &tasks.zero_shot),
        ] {
            check.each_once(key, names)?;
        }
        let generated = self.data.synthetic.is_some();
        let of_folder = [
            ("tasks.names", &tasks.names),
            ("tasks.probes", &tasks.probes),
            ("tasks.embeddings", &tasks.embeddings),
        ];
        let needs_folder = of_folder.iter().any(|(_, names)| !names.is_empty());
        let somewhere = tasks.folder.is_some() || generated || !needs_folder;
        check.that(somewhere, "tasks.folder", "not set", "a folder, where data.synthetic brings no tasks")?;
        let family = self.data.synthetic.as_ref().map(|synthetic| synthetic.family).unwrap_or_default();
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        if tasks.folder.is_none() {
            for (key, names) in of_folder {
                check.among(key, names, &owned(family.tasks()))?;
            }
        }
        let somewhere = tasks.pairs.is_some() || generated || tasks.zero_shot.is_empty();
        check.that(somewhere, "tasks.pairs", "not set", "a folder, where data.synthetic brings no pairs")?;
        if tasks.pairs.is_none() {
            check.among("tasks.zero_shot", &tasks.zero_shot, &owned(family.paradigms()))?;
        }
        check.that(tasks.pair_limit != Some(0), "tasks.pair_limit", 0, "at least 1")?;
        if let Some(curves) = &self.curves {
            let expected =
                "set with tasks.probes, tasks.embeddings or tasks.zero_shot, which are what it scores";
            check.that(frozen, "curves", "set", expected)?;
            self.check_shares(check, "curves.shares", &curves.shares)?;
        }
        for (section, shares) in [("checkpoints", &self.checkpoints), ("own_schedule", &self.own_schedule)] {
            let Some(CheckpointsPlan { shares, tasks, pretraining_seeds, finetuning_seeds }) = shares else {
                continue;
            };
            let key = |key: &str| format!("{section}.{key}");
            self.check_shares(check, &key("shares"), shares)?;
            check.among(&key("tasks"), tasks.as_deref().unwrap_or_default(), &self.tasks.names)?;
            let seeds = pretraining_seeds.as_deref().unwrap_or_default();
            check.among(&key("pretraining_seeds"), seeds, &self.pretraining_seeds)?;
            let seeds = finetuning_seeds.as_deref().unwrap_or_default();
            check.among(&key("finetuning_seeds"), seeds, &self.finetuning_seeds)?;
        }
        Ok(())
    }

    fn check_shares(&self, check: &Check<'_>, key: &str, shares: &[f64]) -> Result<(), Error> {
        check.that(!shares.is_empty(), key, "an empty list", "at least one")?;
        shares.iter().try_for_each(|share| {
            let right = *share > 0.0 && *share < 1.0 && (share * FINEST as f64).fract() == 0.0;
            check.that(right, key, share, "above 0 and below 1, a multiple of 1/64")
        })
    }

    fn check_budget(&self, check: &Check<'_>) -> Result<(), Error> {
        let budget = &self.budget;
        let limits = [
            ("steps", budget.steps.is_some()),
            ("tokens", budget.tokens.is_some()),
            ("flops", budget.flops.is_some()),
        ];
        check.one_of("budget", &limits)?;
        let limit = budget.steps.or(budget.tokens).map_or(budget.flops, |limit| Some(limit as f64));
        let limit = limit.unwrap_or(0.0);
        check.that(limit > 0.0 && limit.is_finite(), "budget", limit, "a number above 0")
    }

    fn check_search(&self, check: &Check<'_>) -> Result<(), Error> {
        let Some(search) = &self.search else { return Ok(()) };
        check.that(
            !self.tasks.names.is_empty(),
            "search",
            "set",
            "tasks.names, by which a search chooses",
        )?;
        check.that(!search.grid.is_empty(), "search.grid", "nothing", "settings and their values")?;
        for (key, values) in &search.grid {
            let full = format!("search.grid.{key}");
            check.that(!values.is_empty(), &full, "an empty list", "at least one value")?;
            self.check_ours(check, &full, key)?;
        }
        for (key, factor) in &search.grow {
            let full = format!("search.grow.{key}");
            let values = search.grid.get(key);
            check.that(values.is_some(), &full, "set", "a setting of search.grid")?;
            let is_positive = |value: &Value| number(value).is_some_and(|value| value > 0.0);
            let right = values.into_iter().flatten().all(is_positive);
            check.that(
                right,
                format!("search.grid.{key}"),
                "set",
                "numbers above 0, as the setting is in search.grow",
            )?;
            check.that(*factor > 1.0 && factor.is_finite(), &full, factor, "a factor above 1")?;
        }
        check.once("search.pretraining_seeds", &search.pretraining_seeds)?;
        check.once("search.finetuning_seeds", &search.finetuning_seeds)?;
        let reported = |seed: &u64| self.pretraining_seeds.contains(seed);
        let reported = search.pretraining_seeds.iter().find(|seed| reported(seed));
        let found = reported.copied().unwrap_or(0);
        check.that(reported.is_none(), "search.pretraining_seeds", found, "seeds that are not reported")?;
        let right = search.share > 0.0 && search.share <= 1.0;
        check.that(right, "search.share", search.share, "above 0 and at most 1")?;
        check.among("search.tasks", search.tasks.as_deref().unwrap_or_default(), &self.tasks.names)
    }

    fn check_settings(&self, check: &Check<'_>) -> Result<(), Error> {
        for (name, settings) in &self.settings {
            let full = format!("settings.{name}");
            let is_arm = self.searched_arms().any(|arm| arm.name == *name);
            let expected = "the name of an arm that is no control and has no settings_of";
            check.that(is_arm, &full, "set", expected)?;
            for key in settings.keys() {
                self.check_ours(check, &format!("{full}.{key}"), key)?;
            }
        }
        // Read now, so that a study of hours does not end with this.
        self.trials().map(drop)
    }

    /// A key of pre-training that the study sets itself.
    fn check_ours(&self, check: &Check<'_>, full: &str, key: &str) -> Result<(), Error> {
        let ours = OURS.iter().find(|ours| key == **ours || key.starts_with(&format!("{ours}.")));
        check.that(ours.is_none(), full, "set", "no such key: the study sets it")
    }

    fn check_pretrain(
        &self,
        origin: &str,
        objectives: &[&ObjectiveInfo],
        check: &Check<'_>,
    ) -> Result<(), Error> {
        for key in flat(&self.pretrain).keys() {
            self.check_ours(check, &format!("pretrain.{key}"), key)?;
        }
        let vocab_size = self.planned_vocab_size()?;
        let combinations =
            self.search.as_ref().map_or_else(|| vec![BTreeMap::new()], super::SearchPlan::combinations);
        let scratch = self.scratch_arm();
        let scratch = scratch
            .map(|arm| self.run_config(origin, objectives, &arm, &BTreeMap::new(), vocab_size))
            .transpose()?;
        for arm in self.pretrained_arms() {
            for over in &combinations {
                let config = self.run_config(origin, objectives, &arm, over, vocab_size)?;
                self.check_scratch(check, scratch.as_ref(), &arm, &config)?;
                self.check_continued(origin, objectives, check, &arm, &config)?;
                let (found, needed) = (config.model.encoder.max_position_embeddings, self.data.max_length);
                let key = "pretrain.model.encoder.max_position_embeddings";
                let expected = format!("at least data.max_length, {needed}");
                check.that(found >= needed as i64, key, found, expected)?;
            }
        }
        self.check_sweep(origin, objectives, check)
    }
}
