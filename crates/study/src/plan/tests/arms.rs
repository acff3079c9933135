//! Arms that have the settings or the operations of another, and a setting that the score is shown against.

use std::collections::BTreeMap;

use toml::Value;

use super::super::Plan;
use super::small;
use crate::arms::Arm;
use crate::objectives::OBJECTIVES;
use crate::{Error, estimate};

const WIDTH: &str = "\"model.encoder.hidden_size\"";

fn arm(plan: &Plan, name: &str) -> Arm {
    plan.pretrained_arms().into_iter().find(|arm| arm.name == name).unwrap()
}

/// The small plan with two widths of MLM, and the wider at the operations of ELECTRA.
fn wide(set: &[&str]) -> Result<Plan, Error> {
    let arms = format!(
        "arms=[{{ name = \"mlm-128\", objective = \"mlm\", set = {{ {WIDTH} = 128, \"optimizer.clip\" = 2.0 }} }}, \
         {{ name = \"compute\", objective = \"mlm\", settings_of = \"mlm-128\", flops_of = \"electra\", \
         set = {{ \"optimizer.clip\" = 3.0 }} }}]"
    );
    let own = ["objectives=[\"mlm\", \"electra\"]", arms.as_str(), "scratch=false"];
    small(&[&own[..], set].concat())
}

#[test]
fn an_arm_has_the_settings_of_another_below_its_own() {
    let settings = "settings={ mlm-128 = { \"optimizer.learning_rate\" = 2e-3 } }";
    let plan = wide(&[settings]).unwrap();
    let compute = arm(&plan, "compute");
    let expected = BTreeMap::from([
        ("model.encoder.hidden_size".to_owned(), Value::Integer(128)),
        ("optimizer.clip".to_owned(), Value::Float(3.0)),
        ("optimizer.learning_rate".to_owned(), Value::Float(2e-3)),
    ]);
    assert_eq!((compute.set.clone(), compute.searched_as()), (expected, "mlm-128"));
    let searched: Vec<String> = plan.searched_arms().map(|arm| arm.name).collect();
    assert_eq!(searched, ["mlm", "electra", "mlm-128"], "it is searched with the arm that it names");
    assert_eq!(Plan::read("saved", &plan.to_toml(), false, &[], &OBJECTIVES).unwrap(), plan);
    // A control of such an arm has what was found for the arm behind it.
    let mut plan = plan;
    plan.arms.push(plan.arms[1].clone());
    let again = plan.arms.last_mut().unwrap();
    (again.name, again.settings_of, again.control_of) = ("again".into(), None, Some("compute".into()));
    assert_eq!(arm(&plan, "again").searched_as(), "mlm-128");
}

#[test]
fn an_arm_with_the_operations_of_another_has_the_steps_that_come_nearest() {
    let plan = wide(&[]).unwrap();
    let found = estimate(&plan, &OBJECTIVES).unwrap().arms;
    let of = |name: &str| found.iter().find(|arm| arm.arm == name).unwrap();
    assert_eq!((of("mlm").steps, of("mlm-128").steps), (100, 100), "as the budget says");
    let (compute, electra) = (of("compute"), of("electra"));
    let of_a_step = compute.flops_paper / compute.steps as f64;
    assert!((compute.flops_paper - electra.flops_paper).abs() <= of_a_step / 2.0, "{compute:?}, {electra:?}");
    assert!(compute.steps < 100, "a step of it is dearer: {compute:?}");
}

#[test]
fn what_is_wrong_with_an_arm_of_another_is_named_by_its_key() {
    let arm = |keys: &str| format!("arms=[{{ name = \"x\", objective = \"mlm\", {keys} }}]");
    let two = |first: &str, second: &str| {
        format!(
            "arms=[{{ name = \"x\", objective = \"mlm\", {first} }}, {{ name = \"y\", objective = \"mlm\", {second} }}]"
        )
    };
    for (set, expected) in [
        (vec![arm("flops_of = \"bert\"")], "arms.x.flops_of: bert; expected mlm, replace-mlm, electra"),
        (vec![arm("flops_of = \"x\"")], "arms.x.flops_of: x; expected mlm, replace-mlm, electra"),
        (
            vec![two("flops_of = \"mlm\"", "flops_of = \"x\"")],
            "arms.y.flops_of: x; expected mlm, replace-mlm, electra",
        ),
        (
            vec![arm("flops_of = \"mlm\""), "budget.reference=x".to_owned()],
            "budget.reference: x; expected mlm, replace-mlm, electra",
        ),
        (vec![arm("flops_off = \"mlm\"")], "flops_off: there is no such key; did you mean "),
        (vec![arm("settings_of = \"x\"")], "arms.x.settings_of: x; expected mlm, replace-mlm, electra"),
        (
            vec![two("settings_of = \"mlm\"", "settings_of = \"x\"")],
            "arms.y.settings_of: x; expected mlm, replace-mlm, electra",
        ),
        (
            vec![arm("settings_of = \"mlm\""), "settings={ x = { \"optimizer.clip\" = 1.0 } }".to_owned()],
            "settings.x: set; expected the name of an arm that is no control and has no settings_of",
        ),
    ] {
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let error = small(&set).expect_err(set[0]).to_string();
        assert!(error.contains(expected), "{set:?}: {error}");
    }
}

#[test]
fn a_sweep_is_over_a_number_that_every_arm_has_and_once_in_each_series() {
    let plan = wide(&["sweep=model.encoder.hidden_size"]).unwrap();
    assert_eq!(plan.sweep.as_deref(), Some("model.encoder.hidden_size"));
    wide(&["sweep=optimizer.clip"]).unwrap();
    for (set, expected) in [
        (
            "sweep=model.encoder.size",
            "sweep: model.encoder.size; expected a setting of pre-training that is a number",
        ),
        ("sweep=model.tied", "sweep: model.tied; expected a setting of pre-training that is a number"),
        ("sweep=model.encoder", "sweep: model.encoder; expected a setting of pre-training that is a number"),
        (
            "sweep=optimizer.eps",
            "sweep: optimizer.eps, which is 0.000001 in mlm-128 and in an arm before it; expected one arm for each value",
        ),
    ] {
        let error = wide(&[set]).expect_err(set).to_string();
        assert!(error.contains(expected), "{set}: {error}");
    }
    let search = "search={ grid = { \"model.encoder.hidden_size\" = [64] }, pretraining_seeds = [9], \
                  finetuning_seeds = [1], share = 1.0 }";
    let error = wide(&["sweep=model.encoder.hidden_size", search]).unwrap_err().to_string();
    assert!(
        error.contains("sweep: model.encoder.hidden_size; expected a setting that search.grid does not have"),
        "{error}"
    );
}

fn shipped(name: &str) -> Plan {
    Plan::read(name, &Plan::text(name).unwrap(), false, &[], &OBJECTIVES).unwrap()
}

#[test]
fn the_plan_of_sizes_has_both_bases_at_each_width() {
    let plan = shipped("sizes");
    let found = estimate(&plan, &OBJECTIVES).unwrap().arms;
    let of = |name: String| found.iter().find(|arm| arm.arm == name).unwrap();
    for width in [64, 128, 256] {
        let (mlm, electra) = (of(format!("mlm-{width}")), of(format!("electra-{width}")));
        let compute = of(format!("mlm-{width}-compute"));
        assert_eq!((mlm.steps, electra.steps), (10_000, 10_000));
        assert!(compute.steps > 11_000 && (compute.flops_paper / electra.flops_paper - 1.0).abs() < 1e-4);
        for other in [format!("mlm-{width}"), format!("mlm-{width}-compute")] {
            assert!(plan.analysis_config().pairs.contains(&[format!("electra-{width}"), other]));
        }
    }
    // The trials of the default plan are of arms that this one does not have.
    assert_eq!(plan.trials().unwrap(), []);
}

#[test]
fn the_search_of_sizes_is_for_the_arms_of_sizes() {
    let (search, sizes) = (shipped("rates-sizes"), shipped("sizes"));
    let searched: Vec<String> = search.searched_arms().map(|arm| arm.name).collect();
    assert_eq!(searched, ["mlm-128", "electra-128", "mlm-256", "electra-256"]);
    for arm in search.pretrained_arms() {
        let same = sizes.pretrained_arms().into_iter().find(|other| other.name == arm.name).unwrap();
        let encoder = |set: &BTreeMap<String, Value>| {
            set.clone().into_iter().filter(|(key, _)| key.starts_with("model.")).collect::<BTreeMap<_, _>>()
        };
        assert_eq!((&arm.objective, encoder(&arm.set)), (&same.objective, encoder(&same.set)));
    }
    // Each pair of arms that the search does not have is gone with them.
    let of_width = |width: u64| [format!("electra-{width}"), format!("mlm-{width}")];
    assert_eq!(search.analysis_config().pairs, [of_width(128), of_width(256)]);
}

#[test]
fn the_plan_of_the_field_gives_every_arm_the_same_operations() {
    let plan = shipped("field");
    let found = estimate(&plan, &OBJECTIVES).unwrap().arms;
    let electra = found.iter().find(|arm| arm.arm == "electra").unwrap();
    assert_eq!(electra.steps, 10_000);
    for arm in &found {
        let apart = arm.flops_paper / electra.flops_paper - 1.0;
        assert!(apart.abs() < 1e-3 && arm.runs >= 5, "{}: {apart}, {} runs", arm.arm, arm.runs);
    }
    let steps = |name: &str| found.iter().find(|arm| arm.arm == name).unwrap().steps;
    // Each masked position costs; a step of RoBERTa's is four.
    assert!(steps("mlm-diffusion") < steps("mlm-30-15") && steps("mlm-30-15") < steps("mlm"));
    assert_eq!((steps("roberta") as f64 / steps("mlm") as f64 * 4.0).round(), 1.0);
}

#[test]
fn the_plan_of_backbones_has_both_objectives_on_each_with_the_same_operations() {
    let plan = shipped("backbones");
    let found = estimate(&plan, &OBJECTIVES).unwrap().arms;
    let names: Vec<&str> = found.iter().map(|arm| arm.arm.as_str()).collect();
    assert_eq!(names, ["mlm", "mlm-modernbert", "electra", "electra-modernbert"]);
    for arm in &found {
        assert!((arm.flops_paper / found[2].flops_paper - 1.0).abs() < 1e-4, "{}", arm.arm);
    }
    let searched: Vec<String> = plan.searched_arms().map(|arm| arm.name).collect();
    assert_eq!(searched, names, "each arm has a search of its own");
}

#[test]
fn an_encoder_without_pretraining_is_the_one_that_every_arm_begins_with() {
    for (key, value, found) in [
        ("hidden_size", "128", "64"),
        ("num_hidden_layers", "3", "2"),
        ("num_attention_heads", "4", "2"),
        ("initializer_range", "0.5", "0.02"),
    ] {
        let set = format!("set = {{ \"model.encoder.{key}\" = {value} }}");
        let arm = format!("arms=[{{ name = \"x\", objective = \"mlm\", {set} }}]");
        let error = small(&[&arm]).unwrap_err().to_string();
        let expected = format!(
            "small: scratch: true; expected false, as there is one encoder without pre-training for all arms: its \
             model.encoder.{key} is {found}, and that of x is {value}"
        );
        assert_eq!(error, expected);
        small(&[&arm, "scratch=false"]).unwrap();
        // A control is not compared with it.
        let control = arm.replace("set =", "control_of = \"mlm\", expects = \"worse\", set =");
        small(&[&control]).unwrap();
        let search = format!(
            "search={{ grid = {{ \"model.encoder.{key}\" = [{value}] }}, pretraining_seeds = [9], finetuning_seeds = [1], \
             share = 1.0 }}"
        );
        assert!(small(&[&search]).unwrap_err().to_string().contains("scratch: true; expected false"));
    }
    let set =
        "arms=[{ name = \"x\", objective = \"mlm\", set = { \"model.encoder.hidden_dropout_prob\" = 0.3 } }]";
    small(&[set]).unwrap();
    let sizes =
        |set: &str| Plan::read("sizes", &Plan::text("sizes").unwrap(), false, &[set.into()], &OBJECTIVES);
    assert!(sizes("scratch=true").unwrap_err().to_string().contains("and that of mlm-128 is 128"));
}

/// A plan that is the plan of sizes without some of its widths, by `--set` and by a file.
#[test]
fn a_plan_loses_widths_with_all_that_is_said_of_them() {
    let text = Plan::text("sizes").unwrap();
    let whole: toml::Table = toml::from_str(&text).unwrap();
    for gone in [&["-256"][..], &["-128"], &["-128", "-256"], &["electra-256", "mlm-256-compute"], &["-64"]] {
        let goes = |arm: &Value| gone.iter().any(|gone| arm["name"].as_str().unwrap().contains(gone));
        let arms: Vec<Value> =
            whole["arms"].as_array().unwrap().iter().filter(|arm| !goes(arm)).cloned().collect();
        let mut set = vec![format!("arms={}", Value::Array(arms.clone()))];
        let mut file = format!("extends = \"sizes\"\narms = {}\n", Value::Array(arms.clone()));
        if gone == ["-64"] {
            set.extend(["baseline=mlm-128", "budget.reference=electra-128"].map(str::to_owned));
            file += "baseline = \"mlm-128\"\n[budget]\nreference = \"electra-128\"\n";
        }
        let by_set = Plan::read("sizes", &text, false, &set, &OBJECTIVES).unwrap();
        let by_file = Plan::read("mine", &file, false, &[], &OBJECTIVES).unwrap();
        assert_eq!(by_set, by_file);
        let names: Vec<String> = by_set.pretrained_arms().into_iter().map(|arm| arm.name).collect();
        let expected: Vec<&str> = arms.iter().map(|arm| arm["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected);
        for name in by_set.analysis_config().pairs.iter().flatten() {
            assert!(names.contains(name), "{gone:?}: {name}");
        }
        let pilot = by_set.pilot.unwrap();
        let said = by_set.settings.keys().chain(pilot.scores.keys()).chain(pilot.standard_deviations.keys());
        for name in said {
            assert!(names.contains(name), "{gone:?}: {name}");
        }
        // What is said of an arm that is not there, beside the list of those that are, is a slip.
        let slip = format!("{file}[settings.mlm-512]\n\"optimizer.clip\" = 2.0\n");
        let error = Plan::read("mine", &slip, false, &[], &OBJECTIVES).unwrap_err().to_string();
        assert!(error.contains("settings.mlm-512: set; expected the name of an arm"), "{error}");
    }
    for (set, expected) in [
        ("arms=[]", "objectives and arms: an empty list; expected at least one"),
        ("arms={}", "arms={}: expected a list"),
        ("arms.mlm-256={}", "arms: a section of keys; expected a list"),
        ("arms=[\"mlm-64\"]", "expected a section of keys"),
        (
            "arms=[{ name = \"mlm-64\", objective = \"mlm\" }]",
            "budget.reference: electra-64; expected mlm-64",
        ),
        (
            "arms=[{ name = \"electra-64\", objective = \"electra\" }]",
            "baseline: mlm-64; expected electra-64",
        ),
        ("arms=[{ name = \"mlm-64\", objective = \"mlm\", flops_of = \"electra-64\" }]", "expected nothing"),
    ] {
        let error =
            Plan::read("sizes", &text, false, &[set.to_owned()], &OBJECTIVES).unwrap_err().to_string();
        assert!(error.contains(expected), "{set}: {error}");
    }
}
