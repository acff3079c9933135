//! Several ranks of one run, each on a thread of its own.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use electra_encoder::Encoder;
use electra_objective::{BoxError, DeviceBatch, Given, Objective, Output, Spec, electra};
use electra_torch::Store;
use electra_trainer::{Config, Error, Event, Meeting, Outcome, Ranks, Run, train};
use tch::{Tensor, nn};

use crate::support::{config, model, names, place, write_corpus};

const TIMEOUT: Duration = Duration::from_secs(30);

/// What became of each rank. The settings may differ by rank, and `seen` hears of what happens on each.
fn on_ranks(
    size: usize,
    folder: &Path,
    objective: &Spec,
    config: impl Fn(usize) -> Config + Sync,
    seen: impl Fn(usize, &Event, &AtomicBool) + Sync,
) -> Vec<Result<Outcome, Error>> {
    let host = Store::host(0, "host", TIMEOUT).unwrap();
    let port = host.port();
    std::thread::scope(|scope| {
        let rank = |rank| {
            let (config, seen) = (&config, &seen);
            scope.spawn(move || {
                FAULT.set(rank == 1);
                let ranks = Ranks::meet(&Meeting::on_this_machine(rank, size, port, TIMEOUT))?;
                let stop = AtomicBool::new(false);
                train(Run {
                    config: &config(rank),
                    folder,
                    objective,
                    continues_word: &[],
                    ranks: &ranks,
                    stop: &stop,
                    observer: &mut |event| seen(rank, event, &stop),
                })
            })
        };
        let threads: Vec<_> = (0..size).map(rank).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn message(outcome: &Result<Outcome, Error>) -> String {
    outcome.as_ref().unwrap_err().to_string()
}

thread_local! {
    /// Whether this thread's rank computes wrongly.
    static FAULT: Cell<bool> = const { Cell::new(false) };
}

/// ELECTRA on a machine that changes a bit of a parameter before step 2.
struct Faulty {
    electra: Box<dyn Objective>,
    parameter: Tensor,
}

const FAULTY: Spec = Spec { build: build_faulty, ..electra::SPEC };

fn build_faulty(path: &nn::Path<'_>, given: &Given<'_>) -> Result<Box<dyn Objective>, BoxError> {
    let electra = (electra::SPEC.build)(path, given)?;
    let layer = path / "main" / "electra" / "encoder" / "layer" / "0";
    let query = layer / "attention" / "self" / "query";
    let parameter = query.get("weight").expect("a layer has a query");
    Ok(Box::new(Faulty { electra, parameter }))
}

impl Objective for Faulty {
    fn encoder(&self) -> &Encoder {
        self.electra.encoder()
    }

    fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Output {
        if FAULT.get() && batch.step == 2 {
            tch::no_grad(|| {
                let mut first = self.parameter.view([-1]).get(0);
                let _ = first.g_add_scalar_(1e-6);
            });
        }
        self.electra.forward_t(batch, train)
    }
}

#[test]
fn replicas_that_have_parted_are_found_before_they_are_saved() {
    let place = place();
    let folder = place.path().join("run");
    let outcomes = on_ranks(2, &folder, &FAULTY, |_| config(place.path(), 6), |_, _, _| {});
    for outcome in &outcomes {
        assert!(
            message(outcome).starts_with("after step 3 rank 1 has other parameters than rank 0"),
            "{outcome:?}"
        );
    }
    assert_eq!(names(&folder.join("checkpoints")), ["step-00000001", "step-00000002"]);
    // The same without the fault.
    let outcomes =
        on_ranks(2, &place.path().join("right"), &electra::SPEC, |_| config(place.path(), 6), |_, _, _| {});
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::Finished { step: 6 }))),
        "{outcomes:?}"
    );
}

#[test]
fn the_bytes_are_those_of_one_process_and_a_run_goes_on_with_other_ranks() {
    let place = place();
    let settings = |_: usize| {
        let mut config = config(place.path(), 9);
        config.model.encoder.hidden_dropout_prob = 0.1;
        config.budget.batch = 8;
        config.budget.accumulation = 4;
        config.device.deterministic = true;
        config
    };
    let whole = place.path().join("whole");
    on_ranks(1, &whole, &electra::SPEC, settings, |_, _, _| {}).remove(0).unwrap();
    let folder = place.path().join("run");
    for (ranks, until) in [(4, 3), (2, 5), (1, 7), (4, 9)] {
        // One rank alone is asked to stop.
        let seen = |rank: usize, event: &Event, stop: &AtomicBool| {
            if matches!(event, Event::Step { step, .. } if *step == until) && rank + 1 == ranks {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let outcomes = on_ranks(ranks, &folder, &electra::SPEC, settings, seen);
        for outcome in outcomes {
            let (Outcome::Interrupted { step } | Outcome::Finished { step }) = outcome.unwrap();
            assert_eq!(step, until);
        }
    }
    assert!(model(&folder, 9) == model(&whole, 9));
    let read = |folder: &Path| std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    assert_eq!(read(&folder), read(&whole));
}

#[test]
fn ranks_of_different_runs_end_before_the_first_step() {
    let place = place();
    write_corpus(&place.path().join("other"), 2);
    type Change = fn(&mut Config);
    let corpus: Change = |config| config.data.corpus = config.data.corpus.with_file_name("other");
    let seed: Change = |config| config.seed = 2;
    for (change, found, expected) in [
        (corpus, "corpus.json of data.corpus: ", "corpus.json of data.corpus: "),
        (seed, "seed = 2", "seed = 1"),
    ] {
        let settings = |rank: usize| {
            let mut config = config(place.path(), 3);
            if rank == 2 {
                change(&mut config);
            }
            config
        };
        let begin = Instant::now();
        let outcomes = on_ranks(4, &place.path().join("run"), &electra::SPEC, settings, |_, _, _| {});
        assert!(begin.elapsed() < TIMEOUT);
        let cause = message(&outcomes[2]);
        assert!(
            cause.starts_with("rank 2 has \"") && cause.contains(found) && cause.contains(expected),
            "{cause}"
        );
        for rank in [0, 1, 3] {
            assert_eq!(message(&outcomes[rank]), format!("rank {rank} of 4 ends: rank 2 ended: {cause}"));
        }
        assert!(!place.path().join("run").exists());
    }
}

#[test]
fn the_others_hear_why_a_rank_ended() {
    let place = place();
    let folder = place.path().join("run");
    let outcomes = on_ranks(2, &folder, &electra::SPEC, |_| config(place.path(), 2), |_, _, _| {});
    assert!(outcomes.iter().all(Result::is_ok));
    let other = |_| {
        let mut config = config(place.path(), 2);
        config.seed = 3;
        config
    };
    let outcomes = on_ranks(2, &folder, &electra::SPEC, other, |_, _, _| {});
    let cause = message(&outcomes[0]);
    assert!(cause.contains("holds a run of other settings"), "{cause}");
    assert_eq!(message(&outcomes[1]), format!("rank 1 of 2 ends: rank 0 ended: {cause}"));
}

#[test]
fn ranks_that_do_not_come_are_named() {
    let host = Store::host(0, "host", TIMEOUT).unwrap();
    let lonely = Meeting::on_this_machine(1, 3, host.port(), Duration::from_millis(300));
    let place = format!("localhost:{}", host.port());
    assert_eq!(
        Ranks::meet(&lonely).unwrap_err().to_string(),
        format!("rank 1 of 3, which meet at {place}: ranks 0, 2 did not come within 0 s")
    );
    assert_eq!(
        Ranks::meet(&lonely).unwrap_err().to_string(),
        format!(
            "rank 1 of 3, which meet at {place}: another process has come as rank 1; expected one of each number"
        )
    );
    drop(host);
    let message = Ranks::meet(&lonely).unwrap_err().to_string();
    assert!(message.contains("nobody answers there within"), "{message}");
}
