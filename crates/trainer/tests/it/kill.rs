//! A run that is killed again and again ends with the same bytes as one that is left alone.

use std::fs;
use std::path::Path;
use std::time::Duration;

use electra_masking::Stream;

use crate::child::{Trainee, write_config};
use crate::support::{metrics, model, names, place};

const STEPS: u64 = 100;
const KILLS: u64 = 24;

#[test]
fn killed_at_random_instants_it_ends_with_the_same_bytes() {
    let place = place();
    write_config(place.path(), STEPS);
    let (calm, killed) = (place.path().join("calm"), place.path().join("killed"));
    assert!(Trainee::start(&calm, None).finish().success());

    let mut during_writes = 0;
    for kill in 0..KILLS {
        during_writes += u64::from(live_and_die(&killed, kill));
    }
    assert!(during_writes >= 8, "{during_writes} of {KILLS} kills left half a checkpoint");
    assert!(Trainee::start(&killed, None).finish().success());

    assert!(model(&calm, STEPS) == model(&killed, STEPS), "other weights");
    for name in ["metrics.jsonl", "remarks.jsonl", "config.toml"] {
        let read = |folder: &Path| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(read(&calm), read(&killed), "{name}");
    }
    let steps: Vec<u64> = metrics(&killed).iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, (1..=STEPS).collect::<Vec<_>>());
    assert_eq!(names(&killed.join("checkpoints")), ["step-00000099", "step-00000100"]);
}

/// One sitting that ends in a SIGKILL; tells whether it left half a checkpoint.
fn live_and_die(folder: &Path, kill: u64) -> bool {
    let mut random = Stream::named(b"kills\0\0\0").rng(1, 0, kill);
    let way = kill % 3;
    // Every third dies at a file of a checkpoint: after the weights, the moments, the state, the manifest.
    let stall = (way == 0).then(|| 1 + u64::from(random.below(12)));
    let mut trainee = Trainee::start(folder, stall);
    if stall.is_some() {
        assert!(trainee.wait_until_stalled(), "the run was over before kill {kill}");
    } else if way == 1 {
        // Some milliseconds after a random event: two to four of them a step, and four files.
        for _ in 0..random.below(15) {
            assert!(trainee.wait_for(""), "the run was over before kill {kill}");
        }
        std::thread::sleep(Duration::from_micros(u64::from(random.below(4000))));
    } else {
        // At any time after the start, mostly while it loads.
        std::thread::sleep(Duration::from_millis(u64::from(random.below(400))));
    }
    assert!(trainee.kill(), "the run was over before kill {kill}");
    let checkpoints = folder.join("checkpoints");
    let half = |name: &String| name.starts_with(".step-") && name.contains(".partial-");
    let left_half = checkpoints.exists() && names(&checkpoints).iter().any(half);
    assert!(left_half || stall.is_none(), "kill {kill} was not within a write");
    left_half
}
