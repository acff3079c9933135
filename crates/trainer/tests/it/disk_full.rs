//! A disk that is full while a checkpoint is saved.
#![cfg(unix)]

use std::fs;
use std::process::Command;

use electra_config::RunFolder;

use crate::child::{Trainee, command, write_config};
use crate::support::{checkpoint, metrics, model, names, place};

/// No file may grow beyond what the weights take, which is less than the moments take. The signal that comes
/// with it is ignored, as a full disk sends none.
#[test]
fn the_run_stops_with_the_last_checkpoint_intact() {
    let place = place();
    write_config(place.path(), 6);
    let (calm, full) = (place.path().join("calm"), place.path().join("full"));
    assert!(Trainee::start(&calm, None).finish().success());

    // A checkpoint, and a kill within the next.
    let mut trainee = Trainee::start(&full, Some(5));
    assert!(trainee.wait_until_stalled() && trainee.kill());
    let size = fs::metadata(checkpoint(&full, 1).join("model.safetensors")).unwrap().len();
    // dash counts in blocks of 512 bytes, bash in 1024: between the weights and the moments, either way.
    let blocks = size.div_ceil(1024) + 1;
    let child = command(&full, None);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
        .arg(child.get_program());
    limited.args(child.get_args());
    limited.envs(child.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = limited.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("the checkpoint of step 2 was not saved: "), "{message}");
    assert!(message.contains("safetensors: writing it: File too large"), "{message}");
    let intact =
        format!("{} is intact, and the same command continues from it", checkpoint(&full, 1).display());
    assert!(message.contains(&intact), "{message}");

    assert_eq!(names(&full.join("checkpoints")), ["step-00000001"]);
    assert_eq!(RunFolder::open(&full).unwrap().newest_checkpoint().unwrap().0.unwrap().step, 1);
    assert!(Trainee::start(&full, None).finish().success());
    assert!(model(&calm, 6) == model(&full, 6));
    assert_eq!(metrics(&calm), metrics(&full));
}
