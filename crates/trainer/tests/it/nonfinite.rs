//! Steps whose loss or gradient is not finite.

use std::cell::{Cell, RefCell};
use std::fs;
use std::ops::Range;

use electra_encoder::{Encoder, Weights};
use electra_objective::{DeviceBatch, Electra, Objective, Output, Spec, electra};
use electra_trainer::Error;

use crate::support::{Sitting, checkpoint, config, metrics, model, place, run_with};

#[derive(Clone, Copy)]
enum Poison {
    /// The gradients stay as they are.
    Loss,
    /// The loss stays as it is.
    Gradient,
}

thread_local! {
    /// How the next objective goes wrong: a `Spec` makes it on the thread that trains.
    static POISON: RefCell<Option<(Range<u64>, Poison)>> = const { RefCell::new(None) };
}

const POISONED: Spec = Spec {
    build: |root, given| {
        let (poisoned_calls, poison) = POISON.take().ok_or("no poison was chosen")?;
        let inner = Electra::new(root, given.model);
        Ok(Box::new(Poisoned { inner, calls: Cell::new(0), poisoned_calls, poison }))
    },
    ..electra::SPEC
};

/// ELECTRA that goes wrong at some calls.
struct Poisoned {
    inner: Electra,
    calls: Cell<u64>,
    poisoned_calls: Range<u64>,
    poison: Poison,
}

impl Objective for Poisoned {
    fn encoder(&self) -> &Encoder {
        self.inner.encoder()
    }

    fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
        let mut output = self.inner.forward_t(batch, train);
        if self.poisoned_calls.contains(&self.calls.replace(self.calls.get() + 1)) {
            output.loss = match self.poison {
                Poison::Loss => output.loss + f64::INFINITY,
                // √0 is 0, and its derivative is not finite.
                Poison::Gradient => &output.loss + ((&output.loss - output.loss.detach()) * 0.0).sqrt(),
            };
        }
        output
    }
}

fn run_poisoned(
    config: &electra_trainer::Config,
    folder: &std::path::Path,
    poisoned_calls: Range<u64>,
    poison: Poison,
) -> Sitting {
    POISON.set(Some((poisoned_calls, poison)));
    run_with(config, folder, &POISONED)
}

#[test]
fn a_step_that_is_not_finite_changes_no_byte() {
    for poison in [Poison::Loss, Poison::Gradient] {
        let place = place();
        let folder = place.path().join("run");
        let mut config = config(place.path(), 6);
        config.checkpoint.keep = 6;
        run_poisoned(&config, &folder, 3..4, poison).finished();

        let moments = |step| fs::read(checkpoint(&folder, step).join("optimizer.safetensors")).unwrap();
        assert!(model(&folder, 3) == model(&folder, 4) && moments(3) == moments(4));
        assert!(model(&folder, 2) != model(&folder, 3) && moments(2) != moments(3));
        assert!(model(&folder, 4) != model(&folder, 5) && moments(4) != moments(5));
        let lines = metrics(&folder);
        let skipped: Vec<u64> = lines.iter().map(|line| line["skipped"].as_u64().unwrap()).collect();
        assert_eq!(skipped, [0, 0, 0, 1, 1, 1]);
        assert_eq!(lines[3]["loss"].is_null(), matches!(poison, Poison::Loss));
        assert!(lines[4]["loss"].is_f64() && lines[4]["grad_norm"].is_f64());
        assert_eq!(lines[3]["grad_norm"].is_null(), matches!(poison, Poison::Gradient));
    }
}

#[test]
fn too_many_in_a_row_stop_the_run_and_are_named() {
    let place = place();
    let folder = place.path().join("run");
    let mut config = config(place.path(), 20);
    config.optimizer.max_skipped = 3;
    config.log.every_steps = 7;
    // Two in a row are borne, and forgotten.
    let report = run_poisoned(&config, &folder, 2..4, Poison::Loss).finished();
    assert!(report.warnings().is_empty());

    let folder = place.path().join("stuck");
    let error = run_poisoned(&config, &folder, 5..20, Poison::Gradient).outcome.unwrap_err();
    let corpus = electra_data::Corpus::open(&config.data.corpus).unwrap();
    let order = electra_data::Order::new(corpus.examples(), 4, config.seed).unwrap();
    let expected: Vec<u64> = order.step(7).collect();
    let dump = folder.join("nonfinite.json");
    assert!(
        matches!(&error, Error::NonFinite { count: 3, step: 7, examples, dump: path } if *examples == expected && *path == dump),
        "{error:?}"
    );
    let text = expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = format!(
        "3 steps in a row had a loss or gradient that is not finite, the last of them step 7, with the examples \
         {text}; all steps and examples: {}",
        dump.display()
    );
    assert_eq!(error.to_string(), message);
    let dumped: serde_json::Value = serde_json::from_slice(&fs::read(dump).unwrap()).unwrap();
    let steps: Vec<u64> =
        dumped.as_array().unwrap().iter().map(|step| step["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [5, 6, 7]);
    let first: Vec<u64> = order.step(5).collect();
    assert_eq!(dumped[0]["examples"], serde_json::json!(first));
    // The last checkpoint is of the seventh step, two skips in; the count goes on from it.
    assert!(Weights::read(&checkpoint(&folder, 7).join("model.safetensors")).is_ok());
    let again = run_poisoned(&config, &folder, 0..1, Poison::Loss).outcome.unwrap_err();
    assert!(matches!(again, Error::NonFinite { count: 3, step: 7, .. }), "{again}");
}
