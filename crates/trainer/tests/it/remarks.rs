//! What a run says of its curves.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use electra_masking::Stream;
use electra_objective::electra;
use electra_trainer::{Config, Event, Remark, RunState};

use crate::support::{LENGTH, VOCABULARY, config, place, remarks, run, run_observed, write_text};

/// ELECTRA on text in which nothing can be told from anything but how frequent tokens are.
fn plateau(place: &Path) -> Config {
    let word = |document: u32, line, place| {
        let mut random = Stream::named(b"words\0\0\0").rng(
            1,
            u64::from(document),
            100 * u64::from(line) + u64::from(place),
        );
        // The square of a number makes low ids frequent.
        let share = random.unit();
        5 + (share * share * f64::from(VOCABULARY - 5)) as u32
    };
    write_text(&place.join("chance"), LENGTH, [0; 32], word);
    let mut config = config(place, 240);
    config.data.corpus = place.join("chance");
    config.budget.batch = 16;
    config.checkpoint.every_steps = 1000;
    config
}

#[test]
fn a_run_that_learns_frequencies_alone_says_so_once() {
    let place = place();
    let config = plateau(place.path());
    let (calm, folder) = (place.path().join("calm"), place.path().join("run"));
    let sitting = run(&config, &calm).finished();
    let said: Vec<Remark> = sitting.remarks().into_iter().cloned().collect();
    let plateau: Vec<&Remark> =
        said.iter().filter(|remark| remark.state == RunState::UnigramPlateau).collect();
    let [on] = plateau[..] else { panic!("{said:?}") };
    assert!(!on.is_over && on.since > 0 && on.step >= 2 * on.since, "{on:?}");
    assert!(
        on.text
            .starts_with(&format!("on the unigram plateau since step {}: the masked-LM loss is ", on.since))
    );
    assert!(
        said.iter().any(|remark| remark.state == RunState::CallsAllOriginal && !remark.is_over),
        "{said:?}"
    );
    let unigram_loss = sitting.events.iter().find_map(|event| match event {
        Event::Started { unigram_loss, .. } => *unigram_loss,
        _ => None,
    });
    assert!((3.5..95_f64.ln()).contains(&unigram_loss.unwrap()), "{unigram_loss:?}");

    // The run's folder has them too, and a run in two sittings says each once.
    let written = |folder: &Path| fs::read_to_string(folder.join("remarks.jsonl")).unwrap();
    assert_eq!(
        remarks(&calm),
        said.iter().map(|remark| serde_json::to_value(remark).unwrap()).collect::<Vec<_>>()
    );
    for end in [on.step - 5, on.step + 5] {
        let stop = AtomicBool::new(false);
        let mut observer = |event: &Event| {
            if matches!(event, Event::Step { step, .. } if *step == end) {
                stop.store(true, Ordering::Relaxed);
            }
        };
        run_observed(&config, &folder, &stop, &mut observer, &electra::SPEC).unwrap();
        run(&config, &folder).finished();
        assert_eq!(written(&folder), written(&calm));
        fs::remove_dir_all(&folder).unwrap();
    }
}
