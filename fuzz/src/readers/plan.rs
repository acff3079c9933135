//! Plans of studies, with the trials that they name.

use electra_ablations::INFOS;
use electra_store::Error as StoreError;
use electra_study::{Error, Plan, estimate};

use crate::{Outcome, Reader, place};

/// A plan, what stands after `--set` a line each, and the trials of a search.
pub(super) const PLAN: Reader = Reader { name: "plan", seeds: plans, check: plan };

const TRIALS: &str = "[{\"arm\": \"mlm\", \"settings\": {\"optimizer.learning_rate\": \"0.001\"}, \"scores\": [0.5, 0.6], \
    \"chosen\": true}]";

fn plans() -> Vec<Vec<u8>> {
    let shipped = |name: &str| Plan::text(name).expect("it is shipped");
    let seed = |plan: &str, set: &str| place::join(&[plan.as_bytes(), set.as_bytes()]);
    let mut seeds: Vec<Vec<u8>> =
        ["default", "rates", "sizes", "long", "rates-sizes"].map(|name| seed(&shipped(name), "")).into();
    seeds.push(seed(&shipped("default"), "budget.tokens=100000\npretraining_seeds=[1]\nrun.parallel=2"));
    seeds.push(place::join(&[
        b"extends = \"default\"\nname = \"x\"\n",
        b"budget.steps=10",
        TRIALS.as_bytes(),
    ]));
    seeds
}

fn plan(bytes: &[u8]) -> Outcome {
    let [text, set, trials] = place::split::<3>(bytes);
    let path = place::folder().join("plan.toml").display().to_string();
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    let set = String::from_utf8_lossy(set.unwrap_or_default()).into_owned();
    let mut set: Vec<String> = set.lines().map(str::to_owned).collect();
    if let Some(trials) = trials {
        set.push(format!("trials={}", place::file("trials.json", trials).display()));
    }
    let read = |text: &str, set: &[String], quick: bool| Plan::read(&path, text, quick, set, INFOS);
    let message = |error: Error| match error {
        // About a file that the plan names.
        Error::Store(StoreError::Io { .. }) | Error::Tokenizer(_) => format!("{path}: {error}"),
        error => error.to_string(),
    };
    if let Err(error) = read(&text, &set, true) {
        crate::check_message(&message(error));
    }
    let plan = read(&text, &set, false).map_err(message)?;
    assert_eq!(read(&plan.to_toml(), &[], false).expect("a plan that is whole is read again"), plan);
    let estimate = estimate(&plan, INFOS).map_err(|error| error.to_string())?;
    assert!(!estimate.jobs.is_empty() && estimate.flops_executed >= 0.0 && estimate.seconds >= 0.0);
    Ok(())
}
