//! A study in which an arm goes on from another one's run, from its plan to its report.

use serde_json::Value;

use crate::plan::{PLAN, bench};

#[test]
fn mlm_then_electra_has_the_operations_of_each_alone() {
    let bench = bench();
    let plan = PLAN.to_owned()
        + "[[arms]]\nname = \"mlm-then-electra\"\ntitle = \"MLM, then ELECTRA\"\nobjective = \"electra\"\n\
           continues = { arm = \"mlm\", share = 0.5 }\n\
           [quick]\nproves_nothing = \"It is short.\"\nbudget = { steps = 12 }\n";
    bench.write("plan.toml", plan);
    bench.run("ablate --plan plan.toml --quick --output study").ok();
    let found: Value =
        serde_json::from_slice(&std::fs::read(bench.path("study/results.json")).unwrap()).unwrap();
    let arms = found["arms"].as_array().unwrap();
    let arm = |name: &str| arms.iter().find(|arm| arm["facts"]["name"] == name).unwrap();
    let flops = |name: &str| arm(name)["runs"][0]["flops_paper"].as_f64().unwrap();
    let of_a_step = flops("electra") / arm("electra")["runs"][0]["steps"].as_f64().unwrap();
    let apart = (flops("mlm-then-electra") - flops("electra")).abs();
    assert!(apart <= of_a_step, "{apart:e} of {:e}", flops("electra"));
    assert_eq!(arm("mlm-then-electra")["facts"]["continues"], "mlm");
    let from = arm("mlm-then-electra")["facts"]["settings"]["goes on from"].as_str().unwrap();
    assert!(from.starts_with("mlm at step "), "{from}");
    let report = std::fs::read_to_string(bench.path("study/report.md")).unwrap();
    let said = "FLOPs; one arm goes on from a checkpoint of another, whose FLOPs until then count as its own";
    assert!(report.contains(said), "{report}");

    // The second run begins with the first one's encoder, and goes on like any run: what is done is not done again.
    let settings = std::fs::read_to_string(bench.path("study/settings/mlm-then-electra-1.toml")).unwrap();
    assert!(settings.contains("discriminator = \"exports/mlm-1-at-"), "{settings}");
    let again = bench.run("ablate --plan plan.toml --quick --output study").ok();
    assert!(!again.contains("pre-training: done"), "{again}");
}
