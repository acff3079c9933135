//! The settings that a search tries for each arm.

use std::collections::BTreeMap;

use toml::Value;

use super::Choice;
use crate::plan::{Plan, SearchPlan};

/// Settings of pre-training by their full keys.
type Settings = BTreeMap<String, Value>;

/// What is tried for each arm, in the order in which it came to it. All arms begin with the plan's grid.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points(BTreeMap<String, Vec<Settings>>);

impl Points {
    /// The plan's grid for every arm that is searched.
    pub(crate) fn new(plan: &Plan) -> Self {
        let grid = plan.search.as_ref().map(SearchPlan::combinations).unwrap_or_default();
        Self(plan.searched_arms().map(|arm| (arm.name, grid.clone())).collect())
    }

    pub(crate) fn of_arm(&self, arm: &str) -> &[Settings] {
        self.0.get(arm).map_or(&[], Vec::as_slice)
    }

    /// Adds points to each arm whose best settings stand at an edge of what was tried for it: one value beyond that edge,
    /// with every combination of the others. Says whether there are any.
    pub(crate) fn grow(&mut self, search: &SearchPlan, choice: &Choice) -> bool {
        let mut has_grown = false;
        for (arm, points) in &mut self.0 {
            let Some(best) = choice.settings.get(arm) else { continue };
            for (key, factor) in &search.grow {
                let beyond = value_beyond(points, key, &best[key], *factor);
                let added: Vec<Settings> =
                    beyond.into_iter().flat_map(|value| with(points, key, &value)).collect();
                has_grown |= !added.is_empty();
                points.extend(added);
            }
        }
        has_grown
    }
}

/// The value that comes after `best` where it is the least or the greatest of those that were tried.
fn value_beyond(points: &[Settings], key: &str, best: &Value, factor: f64) -> Option<Value> {
    let best = number(best)?;
    let tried = points.iter().filter_map(|settings| number(&settings[key]));
    let (least, most) = tried.fold((best, best), |(least, most), value| (least.min(value), most.max(value)));
    let next = match (best <= least, best >= most) {
        // A single value has two edges; the lower comes first, and then the upper if the best is still there.
        (true, _) => best / factor,
        (false, true) => best * factor,
        (false, false) => return None,
    };
    // So that 1e-3 · 2 is written as one would write it.
    Some(Value::Float(format!("{next:.3e}").parse().expect("it is written as a number")))
}

/// Every combination of the other settings with this value.
fn with(points: &[Settings], key: &str, value: &Value) -> Vec<Settings> {
    let mut added: Vec<Settings> = Vec::new();
    for settings in points {
        let mut settings = settings.clone();
        settings.insert(key.to_owned(), value.clone());
        if !added.contains(&settings) {
            added.push(settings);
        }
    }
    added
}

pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|value| value as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search() -> SearchPlan {
        SearchPlan {
            grid: BTreeMap::from([
                ("rate".to_owned(), [1e-3, 2e-3].map(Value::Float).to_vec()),
                ("mode".to_owned(), ["a", "b"].map(|name| Value::String(name.into())).to_vec()),
            ]),
            grow: BTreeMap::from([("rate".to_owned(), 2.0)]),
            pretraining_seeds: vec![101, 102],
            finetuning_seeds: vec![1],
            share: 1.0,
            tasks: None,
        }
    }

    /// Grows as long as it can, the best being the settings that `score` likes most; gives the rates that were tried.
    fn grown(score: impl Fn(f64) -> f64) -> Vec<f64> {
        let search = search();
        let mut points = Points(BTreeMap::from([("mlm".to_owned(), search.combinations())]));
        for _ in 0..20 {
            let of = |settings: &Settings| score(number(&settings["rate"]).unwrap());
            let best = points.of_arm("mlm").iter().max_by(|a, b| of(a).total_cmp(&of(b))).unwrap().clone();
            let choice = Choice { settings: BTreeMap::from([("mlm".to_owned(), best)]), ..Choice::default() };
            if !points.grow(&search, &choice) {
                break;
            }
        }
        let mut rates: Vec<f64> =
            points.of_arm("mlm").iter().map(|settings| number(&settings["rate"]).unwrap()).collect();
        let all = rates.len();
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        assert_eq!(all, 2 * rates.len(), "every rate with either mode, and once");
        rates
    }

    #[test]
    fn the_grid_grows_until_the_best_is_inside_of_it() {
        let near = |best: f64| move |rate: f64| -(rate / best).ln().abs();
        assert_eq!(grown(near(4e-3)), [1e-3, 2e-3, 4e-3, 8e-3]);
        assert_eq!(grown(near(2.5e-4)), [1.25e-4, 2.5e-4, 5e-4, 1e-3, 2e-3]);
        assert_eq!(grown(near(1e-3)), [5e-4, 1e-3, 2e-3]);
    }

    #[test]
    fn an_arm_without_a_best_does_not_grow() {
        let search = search();
        let mut points = Points(BTreeMap::from([("mlm".to_owned(), search.combinations())]));
        assert!(!points.grow(&search, &Choice::default()));
        assert_eq!(points.of_arm("mlm").len(), 4);
        assert!(points.of_arm("electra").is_empty());
    }
}
