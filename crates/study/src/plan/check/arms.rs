//! Whether the arms of a plan can be.

use std::collections::{BTreeMap, BTreeSet};

use electra_analysis::Role;
use electra_config::{Config, ObjectiveInfo};
use electra_store::settings::{differences, to_table};

use super::{Check, MOST};
use crate::arms::{Arm, SCRATCH, value_in};
use crate::plan::{ArmPlan, ContinuesPlan};
use crate::{Error, Plan};

impl Plan {
    pub(super) fn check_arms(&self, check: &Check<'_>) -> Result<(), Error> {
        let arms = self.pretrained_arms();
        let names: Vec<String> = arms.iter().map(|arm| arm.name.clone()).collect();
        check.once("objectives and arms", &names)?;
        let expected = "letters, digits and -, and not scratch";
        for name in &names {
            let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            check.that(plain && name != SCRATCH, "arms.name", format!("{name:?}"), expected)?;
        }
        check.among("baseline", std::slice::from_ref(&self.baseline), &names)?;
        // The steps of these follow from the budget, those of the others from theirs.
        let own_steps = |arm: &&Arm| arm.flops_of.is_none();
        let with_own_steps: Vec<String> = arms.iter().filter(own_steps).map(|arm| arm.name.clone()).collect();
        check.among("budget.reference", std::slice::from_ref(&self.budget.reference), &with_own_steps)?;
        let searched: Vec<String> = self.searched_arms().map(|arm| arm.name).collect();
        let controls: Vec<&String> =
            self.arms.iter().filter(|arm| arm.control_of.is_some()).map(|arm| &arm.name).collect();
        let compared: Vec<String> = names.iter().filter(|name| !controls.contains(name)).cloned().collect();
        for arm in &self.arms {
            let key = |key: &str| format!("arms.{}.{key}", arm.name);
            check.among(&key("control_of"), arm.control_of.as_slice(), &compared)?;
            let both = arm.control_of.is_some() == arm.expects.is_some();
            check.that(
                both,
                key("expects"),
                "said of one and not the other",
                "control_of and expects, or neither",
            )?;
            check.among(&key("flops_of"), arm.flops_of.as_slice(), &with_own_steps)?;
            check.among(&key("settings_of"), arm.settings_of.as_slice(), &searched)?;
            self.check_continues(check, arm, &names)?;
            if let Some(synthetic) = &arm.synthetic {
                let generated = self.data.synthetic.is_some();
                let expected = "no such key, where the text is not a generated language";
                check.that(generated, key("synthetic"), "set", expected)?;
                let documents = synthetic.documents.unwrap_or(1);
                check.that(documents > 0, key("synthetic.documents"), documents, "at least 1")?;
            }
            for key in arm.set.keys() {
                self.check_ours(check, &format!("arms.{}.set.{key}", arm.name), key)?;
            }
            let most = self.pretraining_seeds.iter().max().copied().unwrap_or(0);
            let fits = arm.seed_offset.checked_add(most).is_some_and(|seed| seed <= MOST);
            check.that(
                fits,
                key("seed_offset"),
                arm.seed_offset,
                format!("a sum with a seed of at most {MOST}"),
            )?;
        }
        let most = self.pretraining_seeds.iter().chain(&self.finetuning_seeds).max().copied().unwrap_or(0);
        check.that(most <= MOST, "seeds", most, format!("0 to {MOST}"))
    }

    /// An arm goes on from one before it, of the same seeds and languages.
    fn check_continues(&self, check: &Check<'_>, arm: &ArmPlan, names: &[String]) -> Result<(), Error> {
        let Some(ContinuesPlan { arm: other, share }) = &arm.continues else { return Ok(()) };
        let key = |key: &str| format!("arms.{}.{key}", arm.name);
        let goes_on = |name: &str| self.arms.iter().any(|arm| arm.name == *name && arm.continues.is_some());
        let before = names.iter().take_while(|name| **name != arm.name);
        let possible: Vec<String> = before.filter(|name| !goes_on(name)).cloned().collect();
        check.among(&key("continues.arm"), std::slice::from_ref(other), &possible)?;
        self.check_shares(check, &key("continues.share"), std::slice::from_ref(share))?;
        let of_other = self.arms.iter().find(|arm| arm.name == *other);
        let offset = of_other.map_or(0, |arm| arm.seed_offset);
        let expected = format!("{offset}, as of {other}, which it continues");
        check.that(arm.seed_offset == offset, key("seed_offset"), arm.seed_offset, expected)?;
        let languages = |arm: Option<&ArmPlan>| arm.and_then(|arm| arm.synthetic.clone()).unwrap_or_default();
        let same = languages(Some(arm)) == languages(of_other);
        check.that(same, key("synthetic"), "others", format!("those of {other}, which it continues"))?;
        let is_searched = self.search.is_some() && arm.settings_of.is_none() && arm.control_of.is_none();
        let expected =
            "the arm whose settings it has, as those of an arm that continues another are not searched";
        check.that(!is_searched, key("settings_of"), "not set", expected)?;
        let expected = "not set, as an arm continues another";
        check.that(self.own_schedule.is_none(), "own_schedule", "set", expected)
    }

    /// The encoder of an arm is that of the arm that it continues: `config` has the settings of a run of `arm`.
    pub(super) fn check_continued(
        &self,
        origin: &str,
        objectives: &[&ObjectiveInfo],
        check: &Check<'_>,
        arm: &Arm,
        config: &Config,
    ) -> Result<(), Error> {
        let Some(continues) = &arm.continues else { return Ok(()) };
        let others = self.pretrained_arms();
        let other = others.iter().find(|other| other.name == continues.arm).expect("it was checked");
        let over = BTreeMap::new();
        let other =
            self.run_config(origin, objectives, other, &over, config.model.encoder.vocab_size as u64)?;
        let encoder = |config: &Config| to_table(&config.model.encoder.without_dropout());
        let differences = differences(&encoder(&other), &encoder(config));
        let Some(difference) = differences.first() else { return Ok(()) };
        let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        let key = format!("arms.{}.set.model.encoder.{}", arm.name, difference.key);
        let expected = format!("{}, as of {}, which it continues", show(&difference.found), continues.arm);
        check.that(false, key, show(&difference.expected), expected)
    }

    /// The encoder without pre-training is the one that an arm begins with: `config` has the settings of a run of `arm`.
    pub(super) fn check_scratch(
        &self,
        check: &Check<'_>,
        scratch: Option<&Config>,
        arm: &Arm,
        config: &Config,
    ) -> Result<(), Error> {
        let Some(scratch) = scratch.filter(|_| arm.role == Role::Arm) else { return Ok(()) };
        // Dropout changes neither sizes nor initial weights.
        let encoder = |config: &Config| to_table(&config.model.encoder.without_dropout());
        let differences = differences(&encoder(scratch), &encoder(config));
        let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        let expected = differences.first().map(|difference| {
            format!(
                "false, as there is one encoder without pre-training for all arms: its model.encoder.{} is {}, and that \
                 of {} is {}",
                difference.key,
                show(&difference.found),
                arm.name,
                show(&difference.expected)
            )
        });
        check.that(expected.is_none(), "scratch", true, expected.unwrap_or_default())
    }

    /// The swept setting is a number in every arm, and of an objective no two arms have the same.
    pub(super) fn check_sweep(
        &self,
        origin: &str,
        objectives: &[&ObjectiveInfo],
        check: &Check<'_>,
    ) -> Result<(), Error> {
        let Some(setting) = &self.sweep else { return Ok(()) };
        let searched = self.search.as_ref().is_some_and(|search| search.grid.contains_key(setting));
        check.that(!searched, "sweep", setting, "a setting that search.grid does not have")?;
        let vocab_size = self.planned_vocab_size()?;
        let mut seen = BTreeSet::new();
        for arm in self.pretrained_arms() {
            let config = self.run_config(origin, objectives, &arm, &BTreeMap::new(), vocab_size)?;
            let expected =
                "a setting of pre-training that is a number in every arm, such as model.encoder.hidden_size";
            let value = value_in(&config, setting);
            check.that(value.is_some(), "sweep", setting, expected)?;
            let value = value.unwrap_or_default();
            let place = (arm.objective.clone(), arm.flops_of.is_some(), value.to_bits());
            let expected = "one arm for each value of it, of an objective";
            let again = || format!("{setting}, which is {value} in {} and in an arm before it", arm.name);
            check.that(arm.role != Role::Arm || seen.insert(place), "sweep", again(), expected)?;
        }
        Ok(())
    }
}
