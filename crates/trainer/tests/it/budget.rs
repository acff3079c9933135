//! The four kinds of budgets.

use electra_trainer::Outcome;

use crate::support::{LENGTH, config, metrics, place, run};

#[test]
fn each_kind_ends_where_it_says() {
    let place = place();
    let tokens = (4 * LENGTH) as u64;
    let base = config(place.path(), 5);
    let by_steps = place.path().join("steps");
    run(&base, &by_steps).finished();
    let lines = metrics(&by_steps);
    let flops = lines[0]["flops"].as_f64().unwrap();
    assert_eq!(lines[4]["tokens"].as_u64(), Some(5 * tokens));

    let mut by_tokens = base.clone();
    (by_tokens.budget.steps, by_tokens.budget.tokens) = (None, Some(5 * tokens + tokens - 1));
    let mut by_flops = base.clone();
    (by_flops.budget.steps, by_flops.budget.flops) = (None, Some(5.5 * flops));
    for (name, config) in [("tokens", by_tokens), ("flops", by_flops)] {
        let folder = place.path().join(name);
        let report = run(&config, &folder).finished();
        assert_eq!(report.outcome.unwrap(), Outcome::Finished { step: 5 }, "{name}");
        assert_eq!(metrics(&folder), lines, "the same horizon, so the same rates: {name}");
    }
}

/// The rate falls with the clock, over two sittings together.
#[test]
fn time_is_counted_over_all_sittings() {
    let place = place();
    let folder = place.path().join("run");
    let mut config = config(place.path(), 1);
    (config.budget.steps, config.budget.seconds) = (None, Some(0.4));
    (config.optimizer.warmup_steps, config.log.every_steps) = (0, 1);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut observer = |event: &electra_trainer::Event| {
        if let electra_trainer::Event::Step { step: 4, .. } = event {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let outcome = crate::support::run_observed(
        &config,
        &folder,
        &stop,
        &mut observer,
        &electra_objective::electra::SPEC,
    );
    assert_eq!(outcome.unwrap(), Outcome::Interrupted { step: 4 });
    let report = run(&config, &folder).finished();
    assert_eq!(report.started(), 4);
    let lines = metrics(&folder);
    let rates: Vec<f64> = lines.iter().map(|line| line["lr"].as_f64().unwrap()).collect();
    assert!(rates.windows(2).all(|pair| pair[0] > pair[1]), "{rates:?}");
    assert!(rates.len() > 4 && rates[0] == config.optimizer.learning_rate && rates[4] > 0.0, "{rates:?}");
    // Over: a third sitting has nothing to do.
    let over = run(&config, &folder).finished();
    assert_eq!(over.started(), lines.len() as u64);
    assert_eq!(metrics(&folder).len(), lines.len());
}

#[test]
fn a_budget_below_one_step_is_refused() {
    let place = place();
    let mut config = config(place.path(), 1);
    (config.budget.steps, config.budget.flops) = (None, Some(10.0));
    let error = run(&config, &place.path().join("run")).outcome.unwrap_err().to_string();
    assert!(
        error.starts_with("the budget: budget.flops: 1e1; expected at least what one step takes, "),
        "{error}"
    );
}
