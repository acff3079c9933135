//! Arms that go on from other arms' runs.

use electra_analysis::Matched;

use super::*;

/// On generated languages, where all that an arm which goes on cannot have is left out.
fn plan_without_a_search() -> Plan {
    let mut plan = generated();
    (plan.search, plan.own_schedule, plan.checkpoints) = (None, None, None);
    plan.tasks.names = vec!["topic".into()];
    plan
}

/// ELECTRA from a state of MLM's run, at equal operations or equal steps.
#[test]
fn an_arm_goes_on_from_another_ones_run_and_both_together_have_the_budget() {
    let mut plan = plan_without_a_search();
    plan.curves = Some(crate::CurvesPlan { shares: vec![0.25, 0.75] });
    plan.tasks.probes = vec!["topic".into()];
    let mut arm = plan.arms[0].clone();
    (arm.name, arm.control_of, arm.expects, arm.seed_offset) = ("mlm-then-electra".into(), None, None, 0);
    arm.continues = Some(crate::ContinuesPlan { arm: "mlm".into(), share: 0.375 });
    plan.arms.push(arm);
    for matched in [Matched::Flops, Matched::Steps] {
        plan.budget.matched = matched;
        plan.validate("test", &OBJECTIVES).unwrap();
        let study = study(&scope(&plan), &BTreeMap::new()).unwrap();
        let run = |name: &str| study.runs.iter().find(|run| run.name == name).unwrap();
        let (mlm, electra, both) = (run("mlm-2"), run("electra-2"), run("mlm-then-electra-2"));
        let before = both.before.as_ref().unwrap();
        assert_eq!((before.run.as_str(), before.steps), ("mlm-2", mlm.steps));
        assert!((before.share() - 0.375).abs() < 0.01, "{}", before.share());
        assert_eq!((both.seed, &both.source), (mlm.seed, &mlm.source), "one seed, one language");
        match matched {
            Matched::Steps => assert_eq!(before.step + both.steps, electra.steps),
            Matched::Flops => {
                let spent = before.flops_paper() + both.steps as f64 * both.cost.paper_flops;
                let apart = (spent - electra.steps as f64 * electra.cost.paper_flops).abs();
                assert!(apart <= both.cost.paper_flops / 2.0 + 1.0, "{apart:e}");
            }
        }
        // The state is saved, exported once, and waited for.
        let export = find(&study, &format!("export-mlm-2-at-{}", before.step));
        assert_eq!(export.needs, ["pretrain-mlm-2"]);
        let pretrain = find(&study, "pretrain-mlm-then-electra-2");
        assert!(pretrain.needs.contains(&export.id), "{:?}", pretrain.needs);
        let settings = |name: &str| -> toml::Table {
            find(&study, &format!("pretrain-{name}")).settings.as_ref().unwrap().1.parse().unwrap()
        };
        let (first, second) = (settings("mlm-2"), settings("mlm-then-electra-2"));
        let every = first["checkpoint"]["every_steps"].as_integer().unwrap() as u64;
        assert_eq!(before.step % every, 0);
        assert_eq!(
            second["init"]["discriminator"].as_str(),
            Some(&*format!("exports/mlm-2-at-{}", before.step))
        );
        assert_eq!(second["optimizer"]["schedule_begin"].as_float(), Some(before.share()));
        assert_eq!(second["data"], first["data"]);
        assert!(first.get("init").is_none());
        // On the way it is scored at shares of the whole that it has a part in.
        let shares: Vec<f64> = both.checkpoints.iter().map(|checkpoint| checkpoint.share).collect();
        assert_eq!(shares.len(), 2, "the end, and three quarters: {shares:?}");
        assert!(
            shares.contains(&1.0) && shares.iter().any(|share| (share - 0.75).abs() < 0.02),
            "{shares:?}"
        );
        // A study that leaves MLM out leaves out what goes on from it.
        let mut left = study.clone();
        left.leave_out(&["mlm".to_owned()]);
        assert!(left.runs.iter().all(|run| run.arm.name != "mlm-then-electra"));
        assert!(left.jobs.iter().all(|job| !job.id.contains("mlm")));
    }
}

#[test]
fn what_cannot_go_on_is_refused() {
    let plan = plan_without_a_search();
    let refused = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        let mut arm = plan.arms[0].clone();
        (arm.name, arm.control_of, arm.expects, arm.seed_offset) = ("second".into(), None, None, 0);
        arm.continues = Some(crate::ContinuesPlan { arm: "mlm".into(), share: 0.5 });
        plan.arms.push(arm);
        plan.validate("test", &OBJECTIVES).unwrap();
        change(&mut plan);
        plan.validate("test", &OBJECTIVES).unwrap_err().to_string()
    };
    let other = |name: &str, share: f64| Some(crate::ContinuesPlan { arm: name.into(), share });
    for (change, message) in [
        (
            &(|plan: &mut Plan| plan.arms[1].continues = other("none", 0.5)) as &dyn Fn(&mut Plan),
            "test: arms.second.continues.arm: none; expected mlm, electra, electra-again",
        ),
        (
            &|plan| plan.arms[1].continues = other("mlm", 0.3),
            "test: arms.second.continues.share: 0.3; expected above 0 and below 1, a multiple of 1/64",
        ),
        (
            &|plan| plan.arms[1].continues = other("electra-again", 0.5),
            "test: arms.second.seed_offset: 0; expected 100, as of electra-again, which it continues",
        ),
        (
            &|plan| {
                let fewer = crate::ArmSyntheticPlan { documents: Some(3), told_twice: None };
                plan.arms[1].synthetic = Some(fewer);
            },
            "test: arms.second.synthetic: others; expected those of mlm, which it continues",
        ),
        (
            &|plan| {
                plan.scratch = false;
                plan.arms[1].set.insert("model.encoder.num_hidden_layers".into(), Value::Integer(3));
            },
            "test: arms.second.set.model.encoder.num_hidden_layers: 3; expected 2, as of mlm, which it continues",
        ),
        (
            &|plan| {
                plan.arms[1].set.insert("optimizer.schedule_begin".into(), Value::Float(0.5));
            },
            "test: arms.second.set.optimizer.schedule_begin: set; expected no such key: the study sets it",
        ),
    ] {
        assert_eq!(refused(change), message);
    }
}
