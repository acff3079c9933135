#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

use std::fs;

use super::*;

/// A job that runs a line of a shell.
fn job(id: &str, needs: &[&str], script: &str) -> Job {
    Job {
        id: id.into(),
        title: format!("the job {id}"),
        kind: Kind::Data,
        needs: needs.iter().map(ToString::to_string).collect(),
        seconds: 1.0,
        bytes: 0.0,
        arguments: vec!["-c".into(), script.into()],
        settings: None,
        output: format!("out/{id}").into(),
        done: Done::Folder,
    }
}

/// Writes the job's name into a list of what was run, then its output.
fn run_once(id: &str) -> String {
    format!("echo {id} >> ran; mkdir out/{id}")
}

struct Bench {
    folder: tempfile::TempDir,
    stop: AtomicBool,
    before: BTreeMap<String, Outcome>,
    devices: Vec<DeviceChoice>,
}

impl Bench {
    fn new() -> Self {
        let (folder, stop) = (tempfile::tempdir().unwrap(), AtomicBool::new(false));
        Self { folder, stop, before: BTreeMap::new(), devices: Vec::new() }
    }

    fn run(&self, slots: usize, jobs: &[Job]) -> (BTreeMap<String, Outcome>, Vec<Event>) {
        self.run_with(slots, jobs, &[], |_| ())
    }

    fn run_with(
        &self,
        slots: usize,
        jobs: &[Job],
        later: &[Job],
        mut also: impl FnMut(&Event),
    ) -> (BTreeMap<String, Outcome>, Vec<Event>) {
        let (program, study) = (Path::new("/bin/sh"), self.folder.path());
        let pool = Pool { study, program, slots, threads: 1, devices: &self.devices, stop: &self.stop };
        let mut events = Vec::new();
        let work = Work { jobs, later, before: &self.before };
        let outcomes = pool.run(&work, &mut |event| {
            also(event);
            events.push(event.clone());
        });
        (outcomes.unwrap(), events)
    }

    /// What was run, in order.
    fn ran(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("ran")).unwrap_or_default();
        text.lines().map(String::from).collect()
    }
}

fn is_done(outcomes: &BTreeMap<String, Outcome>, id: &str) -> bool {
    matches!(outcomes[id], Outcome::Done { .. })
}

#[test]
fn needs_come_first_and_the_longest_way_before_others() {
    let bench = Bench::new();
    let mut jobs: Vec<Job> = [("a", &[][..]), ("b", &[]), ("c", &["b"]), ("d", &["c"])]
        .into_iter()
        .map(|(id, needs)| job(id, needs, &run_once(id)))
        .collect();
    // a alone is longer than any of the others, and shorter than b, c and d together.
    jobs[0].seconds = 2.5;
    let (outcomes, _) = bench.run(1, &jobs);
    assert!(outcomes.keys().all(|id| is_done(&outcomes, id)));
    assert_eq!(bench.ran(), ["b", "a", "c", "d"]);
}

#[test]
fn what_is_done_is_not_done_again() {
    let bench = Bench::new();
    let jobs = [job("a", &[], &run_once("a")), job("b", &["a"], &run_once("b"))];
    bench.run(2, &jobs);
    let (outcomes, events) = bench.run(2, &jobs);
    assert!(is_done(&outcomes, "a") && is_done(&outcomes, "b"));
    assert_eq!(bench.ran(), ["a", "b"]);
    let Event::Planned { jobs: planned } = &events[0] else { panic!("{events:?}") };
    assert!(planned.iter().all(|(_, done)| *done));
    assert_eq!(events.len(), 1);

    // Other inputs make another job of it, and of what needs it.
    let other = [job("a", &[], &format!("true; {}", run_once("a"))), jobs[1].clone()];
    bench.run(2, &other);
    assert_eq!(bench.ran(), ["a", "b", "a", "b"]);

    // So does an output that is gone.
    fs::remove_dir(bench.folder.path().join("out/b")).unwrap();
    bench.run(2, &other);
    assert_eq!(bench.ran(), ["a", "b", "a", "b", "b"]);
}

#[test]
fn what_comes_later_is_told_of_and_left_alone() {
    let bench = Bench::new();
    let jobs = [job("a", &[], &run_once("a")), job("b", &["a"], &run_once("b"))];
    let finished = |events: &[Event]| -> Vec<(String, bool)> {
        let Event::Planned { jobs } = &events[0] else { panic!("{events:?}") };
        jobs.iter().map(|(job, done)| (job.id.clone(), *done)).collect()
    };
    let (outcomes, events) = bench.run_with(1, &jobs[..1], &jobs[1..], |_| ());
    assert_eq!(finished(&events), [("a".into(), false), ("b".into(), false)]);
    assert_eq!((outcomes.len(), bench.ran()), (1, vec!["a".to_owned()]));
    bench.run(1, &jobs);
    let (_, events) = bench.run_with(1, &jobs[..1], &jobs[1..], |_| ());
    assert_eq!(finished(&events), [("a".into(), true), ("b".into(), true)]);
}

#[test]
fn a_failure_stops_what_needs_it_and_nothing_else() {
    let mut bench = Bench::new();
    let fails = "echo first; echo; echo the disk is on fire >&2; exit 3";
    let jobs = [
        job("bad", &[], fails),
        job("after", &["bad"], &run_once("after")),
        job("last", &["after"], &run_once("last")),
        job("other", &[], &run_once("other")),
        job("liar", &[], "true"),
    ];
    let (outcomes, events) = bench.run(2, &jobs);
    assert!(is_done(&outcomes, "other"));
    assert_eq!(bench.ran(), ["other"]);
    let Outcome::Failed { message } = &outcomes["bad"] else { panic!("{outcomes:?}") };
    assert_eq!(message, "exit status: 3: first; the disk is on fire");
    let Outcome::Failed { message } = &outcomes["liar"] else { panic!("{outcomes:?}") };
    assert_eq!(message, "it ended well, but out/liar is not there");
    assert_eq!(outcomes["after"], Outcome::Skipped { lacks: "bad".into() });
    assert_eq!(outcomes["last"], Outcome::Skipped { lacks: "after".into() });
    let failed = events.iter().filter(|event| matches!(event, Event::Failed { .. })).count();
    assert_eq!(failed, 2);

    // The next part of the same study does not.
    bench.before = outcomes;
    let (again, events) = bench.run(2, &jobs);
    assert_eq!(again["bad"], bench.before["bad"]);
    let Event::Planned { jobs: planned } = &events[0] else { panic!("{events:?}") };
    assert_eq!((planned.len(), events.len()), (1, 1), "what is lost is no longer planned");

    // The same call tries it again.
    bench.before.clear();
    let (outcomes, _) = bench.run(2, &jobs);
    assert!(matches!(outcomes["bad"], Outcome::Failed { .. }) && is_done(&outcomes, "other"));
    assert_eq!(bench.ran(), ["other"]);
}

#[test]
fn half_an_output_is_removed_before_a_job_begins() {
    let bench = Bench::new();
    let half = bench.folder.path().join("out/a");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("half"), "").unwrap();
    let (outcomes, _) = bench.run(1, &[job("a", &[], &run_once("a"))]);
    assert!(is_done(&outcomes, "a"));
    assert_eq!(fs::read_dir(half).unwrap().count(), 0);
}

#[test]
fn settings_are_written_and_are_part_of_the_job() {
    let bench = Bench::new();
    let mut changing = job("a", &[], "mkdir out/a; cat settings/a.toml >> ran");
    changing.settings = Some(("settings/a.toml".into(), "steps = 1\n".into()));
    bench.run(1, std::slice::from_ref(&changing));
    bench.run(1, std::slice::from_ref(&changing));
    changing.settings = Some(("settings/a.toml".into(), "steps = 2\n".into()));
    bench.run(1, &[changing]);
    assert_eq!(bench.ran(), ["steps = 1", "steps = 2"]);
}

#[test]
fn a_study_that_is_stopped_closes_the_jobs_input_and_goes_on_later() {
    let bench = Bench::new();
    // As a run: it waits for the end of its input, saves, and ends well without being done.
    let waits =
        "echo begun >> ran; [ -e saved ] && mkdir out/a || { read line; echo saved >> ran; touch saved; }";
    let jobs = [job("a", &[], waits), job("b", &["a"], &run_once("b"))];
    let (outcomes, _) = bench.run_with(1, &jobs, &[], |event| {
        if let Event::Started { .. } = event {
            bench.stop.store(true, atomic::Ordering::Relaxed);
        }
    });
    assert_eq!(outcomes["a"], Outcome::Interrupted);
    assert_eq!(outcomes["b"], Outcome::Interrupted);
    assert_eq!(bench.ran(), ["begun", "saved"]);

    bench.stop.store(false, atomic::Ordering::Relaxed);
    let (outcomes, _) = bench.run(1, &jobs);
    assert!(is_done(&outcomes, "a") && is_done(&outcomes, "b"));
    assert_eq!(bench.ran(), ["begun", "saved", "begun", "b"]);
}

#[test]
fn as_many_run_side_by_side_as_there_is_room_for() {
    let bench = Bench::new();
    // Each waits until there are two: alone it would never end.
    let meets = |id: &str| {
        format!("touch here-{id}; until [ $(ls | grep -c here-) -ge 2 ]; do sleep 0.01; done; mkdir out/{id}")
    };
    let jobs = [job("a", &[], &meets("a")), job("b", &[], &meets("b")), job("c", &[], &meets("c"))];
    let mut running = 0_i32;
    let mut most = 0;
    let (outcomes, _) = bench.run_with(2, &jobs, &[], |event| {
        match event {
            Event::Started { .. } => running += 1,
            Event::Finished { .. } => running -= 1,
            _ => {}
        }
        most = most.max(running);
    });
    assert!(outcomes.keys().all(|id| is_done(&outcomes, id)));
    assert_eq!(most, 2);
}

/// What each job was told of the machine's GPUs stands in its output.
#[test]
fn each_device_has_one_job_at_a_time_which_is_told_of_and_recorded() {
    let script =
        |id: &str| format!("printf '%s' \"$CUDA_VISIBLE_DEVICES\" > seen-{id}; sleep 0.2; {}", run_once(id));
    let names = ["a", "b", "c", "d", "e"];
    let jobs: Vec<Job> = names.iter().map(|id| job(id, &[], &script(id))).collect();
    for (devices, expected, shown) in [
        (["cpu", "cpu"], ["", ""], ["cpu, place 1 of 2", "cpu, place 2 of 2"]),
        (["cuda:3", "cuda:1"], ["3", "1"], ["cuda:3", "cuda:1"]),
    ] {
        let mut bench = Bench::new();
        bench.devices = devices.map(|name| DeviceChoice::try_from(name.to_owned()).unwrap()).into();
        let (outcomes, events) = bench.run(2, &jobs);
        assert!(names.iter().all(|id| is_done(&outcomes, id)));
        let mut busy: Vec<&String> = Vec::new();
        let mut had = BTreeMap::new();
        for event in &events {
            match event {
                Event::Started { id, device: Some(device) } => {
                    assert!(!busy.contains(&device), "{device} has two jobs");
                    busy.push(device);
                    let place = shown.iter().position(|name| name == device).unwrap();
                    had.insert(id.as_str(), place);
                }
                Event::Finished { device: Some(device), .. } => busy.retain(|other| *other != device),
                _ => {}
            }
        }
        assert!((0..2).all(|place| had.values().any(|had| *had == place)), "{had:?}");
        for id in names {
            let seen = fs::read_to_string(bench.folder.path().join(format!("seen-{id}"))).unwrap();
            assert_eq!(seen, expected[had[id]], "{id}");
            let record = fs::read_to_string(bench.folder.path().join(format!("done/{id}.json"))).unwrap();
            let record: serde_json::Value = serde_json::from_str(&record).unwrap();
            assert_eq!(record["device"], shown[had[id]]);
        }
    }
}
