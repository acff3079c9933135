//! A study of two objectives at two widths, from its plan to its chart.

use serde_json::Value;

use crate::plan::{PLAN, bench};

/// Two widths, each at equal steps and with the operations of ELECTRA.
fn plan() -> String {
    let mut plan = PLAN.replace("objectives = [\"mlm\", \"electra\"]", "objectives = []");
    plan = plan.replace("baseline = \"mlm\"", "baseline = \"mlm-32\"\nsweep = \"model.encoder.hidden_size\"");
    plan = plan.replace("scratch = true", "scratch = false");
    plan = plan.replace(
        "match = \"flops\", reference = \"electra\"",
        "match = \"steps\", reference = \"electra-64\"",
    );
    for width in [32, 64] {
        let set = format!("set = {{ \"model.encoder.hidden_size\" = {width} }}");
        for objective in ["mlm", "electra"] {
            plan.push_str(&format!(
                "[[arms]]\nname = \"{objective}-{width}\"\nobjective = \"{objective}\"\n{set}\n"
            ));
        }
        plan.push_str(&format!(
            "[[arms]]\nname = \"mlm-{width}-compute\"\nobjective = \"mlm\"\nsettings_of = \"mlm-{width}\"\n\
             flops_of = \"electra-{width}\"\n"
        ));
    }
    plan + "[quick]\nproves_nothing = \"It is short.\"\nbudget = { steps = 6 }\n"
}

#[test]
fn objectives_at_two_widths_come_to_a_chart_by_width() {
    let bench = bench();
    bench.write("plan.toml", plan());
    bench.run("ablate --plan plan.toml --quick --output study").ok();
    let found: Value =
        serde_json::from_slice(&std::fs::read(bench.path("study/results.json")).unwrap()).unwrap();
    let arms = found["arms"].as_array().unwrap();
    let arm = |name: &str| arms.iter().find(|arm| arm["facts"]["name"] == name).unwrap();
    assert_eq!(arms.len(), 6);
    for (name, width) in [("mlm-32", "32"), ("mlm-64-compute", "64"), ("electra-64", "64")] {
        assert_eq!(arm(name)["facts"]["settings"]["model.encoder.hidden_size"], width, "{name}");
    }
    let run = |name: &str, fact: &str| arm(name)["runs"][0][fact].as_f64().unwrap();
    assert_eq!((run("mlm-64", "steps"), run("electra-32", "steps")), (6.0, 6.0));
    for width in [32, 64] {
        let (compute, electra) = (format!("mlm-{width}-compute"), format!("electra-{width}"));
        let of_a_step = run(&compute, "flops_paper") / run(&compute, "steps");
        let apart = (run(&compute, "flops_paper") - run(&electra, "flops_paper")).abs();
        assert!(run(&compute, "steps") > 6.0 && apart <= of_a_step / 2.0, "{width}: {apart}");
    }
    assert_eq!(arm("mlm-64-compute")["facts"]["flops_of"], "electra-64");
    let report = std::fs::read_to_string(bench.path("study/report.md")).unwrap();
    assert!(report.contains("## Score against hidden size") && report.contains("](charts/sweep.svg)"));
    let read = |path: &str| std::fs::read_to_string(bench.path(path)).unwrap();
    assert!(read("study/charts/sweep.svg").contains(">32</text>"));
    // The report can be made anew.
    bench.run("report study --output again").ok();
    assert!(read("again/report.html") == read("study/report.html"), "another report");
}
