//! What the report says, section by section, for whichever form it is written in.

use crate::chart::{Chart, Charts};
use crate::format::{count, list, percent, plural, points, scientific, sentence, time, word};
use crate::tables::{self, Cell, Table};
use crate::{ArmResult, Expectation, Matched, PaperOrdering, Results, Role, Verdict, by_task, replacements};

/// A part of a section.
pub(crate) enum Block<'a> {
    Paragraph(String),
    List(Vec<String>),
    Table(Table),
    Chart(&'a Chart),
    Code(String),
    /// Folded away on a page.
    Details(String, Vec<Block<'a>>),
}

/// A section.
pub(crate) struct Section<'a> {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) blocks: Vec<Block<'a>>,
}

/// The answer on the paper's ordering in a few words.
pub(crate) fn answer(ordering: PaperOrdering) -> &'static str {
    match ordering {
        PaperOrdering::Appears => "appears",
        PaperOrdering::Partly => "in part",
        PaperOrdering::Contradicted => "contradicted",
        PaperOrdering::Open => "cannot be told",
    }
}

/// What the study was, in a few names and values.
pub(crate) fn key_facts(results: &Results) -> Vec<(&'static str, String)> {
    let plan = &results.plan;
    let arms = results.arms.iter().filter(|arm| arm.facts.role == Role::Arm).count();
    vec![
        ("Objectives", arms.to_string()),
        ("Pre-training seeds", plan.pretraining_seeds.len().to_string()),
        (
            "Tasks",
            format!(
                "{} on {}, {} each",
                results.tasks.len(),
                plan.split,
                plural(plan.finetuning_seeds.len(), "fine-tuning")
            ),
        ),
        ("Equal for all", matched(plan.matched).into()),
        ("Budget of a run", plan.budget.clone()),
        ("Work in all", time(results.provenance.seconds)),
    ]
}

fn matched(matched: Matched) -> &'static str {
    match matched {
        Matched::Steps => "steps",
        Matched::Flops => "FLOPs",
    }
}

/// The sections that there is something for.
pub(crate) fn sections<'a>(results: &Results, charts: &'a Charts) -> Vec<Section<'a>> {
    let chart = |chart: &'a Option<Chart>| chart.as_ref().map(Block::Chart);
    let mut sections = Vec::new();
    let mut push = |id, title, blocks: Vec<Block<'a>>| {
        if !blocks.is_empty() {
            sections.push(Section { id, title, blocks });
        }
    };

    let mut result = vec![Block::Table(tables::main(results))];
    result.extend(chart(&charts.scores));
    if charts.scores.is_some() {
        result.push(Block::Paragraph(format!(
            "Each mark is one pre-training seed; the tick is their mean, the bar its {} interval by Student's t, cut off where it would run off the chart. It holds for one objective; for two of them look at the pairs, whose seeds share data and masks.",
            percent(results.config.level),
        )));
    }
    if !results.notes.is_empty() {
        result.push(Block::List(results.notes.clone()));
    }
    push("result", "Result", result);

    if !results.pairs.is_empty() {
        let mut pairs: Vec<Block<'_>> = chart(&charts.differences).into_iter().collect();
        pairs.push(Block::Table(tables::pairs(results)));
        pairs.push(Block::Details("How a verdict is reached".into(), rule(results)));
        push("pairs", "Pair by pair", pairs);
    }
    if !results.controls.is_empty() {
        let text = controls(results);
        push("controls", "Controls", vec![Block::Paragraph(text), Block::Table(tables::controls(results))]);
    }
    let table = tables::curve(results);
    if !table.rows.is_empty() {
        let text = "A truncated point is a longer run as it was on its way, its learning rate still high; a point of its own schedule is a run that was planned to end there. Only points of one kind can be compared. The band reaches from the lowest seed to the highest.";
        let mut compute: Vec<Block<'_>> =
            vec![Block::Paragraph(format!("{text}{}", of_the_same_seeds(results)))];
        compute.extend(chart(&charts.compute_flops));
        compute.extend(chart(&charts.compute_steps));
        compute.push(Block::Details("The numbers".into(), vec![Block::Table(table)]));
        push("compute", "Score against compute", compute);
    }
    if charts.tasks.is_some() {
        let mut tasks: Vec<Block<'_>> = chart(&charts.tasks).into_iter().collect();
        tasks.push(Block::Table(tables::tasks(results)));
        tasks.extend(by_task::blocks(results));
        tasks.push(Block::Details("Every run".into(), vec![Block::Table(tables::runs(results))]));
        push("tasks", "Task by task", tasks);
    }
    if !results.scratch.is_empty() {
        push(
            "pre-training",
            "Does pre-training help?",
            vec![Block::Paragraph(helps(results)), Block::Table(tables::scratch(results))],
        );
    }
    if let Some(drawn) = chart(&charts.diagnostics) {
        push("diagnostics", "Diagnostics over training", vec![
            Block::Paragraph("What the objectives said of themselves. Losses of different objectives are of different things: a lower one is not a better encoder. The masked-LM loss of all but MLM is the generator's; what is the kept encoder's own is called so.".into()),
            drawn,
            Block::Details("The last values".into(), vec![Block::Table(tables::diagnostics(results))]),
        ]);
    }
    push("replacements", "What the generator offers and what is found", replacements::blocks(results));
    push("cost", "Cost", vec![Block::Table(tables::cost(results))]);
    push("provenance", "How this was made", provenance(results));
    sections
}

/// What the curves are of, if not of all seeds.
fn of_the_same_seeds(results: &Results) -> String {
    let curves = results.arms.iter().filter(|arm| arm.facts.role == Role::Arm && arm.curve.len() > 1);
    let least = |arm: &ArmResult| arm.curve.iter().map(|point| point.score.seeds).min().unwrap_or(0);
    let seeds: Vec<(&str, usize, usize)> =
        curves.map(|arm| (arm.facts.title.as_str(), least(arm), arm.seeds.len())).collect();
    if seeds.iter().all(|(_, joined, all)| joined >= all) {
        return String::new();
    }
    let of = |(_, joined, all): &(&str, usize, usize)| format!("{joined} of {all}");
    let said = if seeds.iter().all(|one| of(one) == of(&seeds[0])) {
        format!("{} of each objective", of(&seeds[0]))
    } else {
        list(&seeds.iter().map(|one| format!("{} of {}", of(one), one.0)).collect::<Vec<_>>())
    };
    let alone = if seeds.iter().any(|(_, joined, _)| *joined == 1) {
        " One seed alone has no band: how far others would lie from it is not seen."
    } else {
        ""
    };
    format!(
        " A line joins the same seeds throughout, those that were scored at all of its points: {said}. It can therefore end beside the objective's score above, which is of all seeds.{alone}"
    )
}

/// The rule, with this study's numbers.
fn rule<'a>(results: &Results) -> Vec<Block<'a>> {
    let config = &results.config;
    let (level, alpha) = (percent(config.level), percent(config.alpha));
    let corrected = match results.pairs.len() {
        1 => "a p that (there is one pair, and nothing to correct for)".into(),
        pairs => format!("a p that, after Holm's correction over all {pairs} pairs,"),
    };
    let mut text = vec![Block::Paragraph(format!(
        "One objective is called better than another if two things hold. First, Student's t on their differences within pre-training seeds gives {corrected} is at most {alpha}. Second, where there are predictions, the {level} interval of the multi-bootstrap, which draws seeds and test examples anew {} times, leaves out 0: a lead that hangs on a few test examples is none. Else the two are not distinguishable.",
        count(config.draws as f64),
    ))];
    if let Some(noise) = &results.noise {
        text.push(Block::Paragraph(format!(
            "The noise in t is taken from the {} objectives together (standard deviation of a difference within a seed {} points, {:.1} degrees of freedom by Satterthwaite), over {}; where a pair's own is greater, that is taken. Fewer than a handful of seeds say next to nothing about one pair's noise, and all pairs together say something.",
            noise.arms, points(noise.standard_deviation), noise.degrees, plural(noise.seeds, "seed"),
        )));
    }
    let tests = || results.pairs.iter().filter_map(|pair| pair.test.as_ref());
    let floor = tests().filter_map(|test| test.sign_flip_floor).fold(f64::INFINITY, f64::min);
    if floor.is_finite() {
        let least = crate::format::p(floor);
        let seeds = results.pairs.iter().map(|pair| pair.seeds.len()).max().unwrap_or(0);
        text.push(Block::Paragraph(format!(
            "The sign-flip test supposes nothing of the noise, and is printed beside; with {} it cannot give a p below {least}, whatever is seen, so no verdict rests on it.",
            plural(seeds, "seed"),
        )));
    }
    text.push(Block::Paragraph(format!(
        "The interval of a difference is that of the pair alone, without the correction for looking at many: it can leave out 0 where the verdict is \"not distinguishable\". \"Detectable\" is the difference that would be seen in {} of such studies, at the strictest step of the correction; \"seeds needed\" is how many would see the difference that was observed that often.",
        percent(config.power),
    )));
    text
}

fn controls(results: &Results) -> String {
    let judged: Vec<bool> = results.controls.iter().filter_map(|control| control.passed).collect();
    let came_out = judged.iter().filter(|passed| **passed).count();
    let verdict = match (came_out, judged.len()) {
        (_, 0) => "There are too few seeds to judge them.".into(),
        (a, b) if a == b && b == 1 => "It came out.".into(),
        (2, 2) => "Both came out.".into(),
        (a, b) if a == b => format!("All {} came out.", word(b)),
        (a, b) => format!("{a} of {b} came out."),
    };
    let same = results
        .arms
        .iter()
        .any(|arm| matches!(arm.facts.role, Role::Control { expects: Expectation::Same, .. }));
    let caution = if same {
        " That the same thing under two names is not told apart says the more, the smaller the detectable difference is."
    } else {
        ""
    };
    format!("What is known beforehand has to come out by the same rule. {verdict}{caution}")
}

fn helps(results: &Results) -> String {
    let of = |verdicts: &[Verdict]| -> Vec<&str> {
        let which = results.scratch.iter().filter(|pair| verdicts.contains(&pair.verdict));
        which.map(|pair| results.title(&pair.a)).collect()
    };
    let mut text = "The same encoder, fine-tuned alike from its initial values. Its seeds have nothing in common with those of the objectives, so nothing is paired (Welch's t).".to_owned();
    let clauses = [
        (of(&[Verdict::Better]), "Pre-training helps"),
        (of(&[Verdict::NotDistinguishable]), "It is not seen to help"),
        (of(&[Verdict::Worse]), "It does harm"),
        (of(&[Verdict::NoVerdict]), "There are too few seeds to tell"),
    ];
    for (titles, what) in clauses {
        if !titles.is_empty() {
            text.push_str(&format!(" {what} with {}.", list(&titles)));
        }
    }
    text
}

fn provenance<'a>(results: &Results) -> Vec<Block<'a>> {
    let (plan, provenance) = (&results.plan, &results.provenance);
    let text = |text: &str| Cell::Text(text.to_owned());
    let seeds = |seeds: &[u64]| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut blocks =
        vec![Block::Paragraph("To make this report again:".into()), Block::Code(provenance.command.clone())];
    if !results.failures.is_empty() {
        let failures =
            results.failures.iter().map(|failure| (failure.job.clone(), text(&failure.message))).collect();
        blocks.push(Block::Table(tables::facts("Jobs that did not come to their end.", failures)));
    }
    let mut planned = vec![
        ("Plan".into(), text(&plan.name)),
        ("Equal for all".into(), text(matched(plan.matched))),
        ("Budget of a run".into(), text(&plan.budget)),
        ("Pre-training seeds".into(), text(&seeds(&plan.pretraining_seeds))),
        ("Fine-tuning seeds".into(), text(&seeds(&plan.finetuning_seeds))),
        ("Scored on".into(), text(&plan.split)),
        ("How settings were chosen".into(), text(&sentence(&plan.settings_chosen))),
    ];
    if let Some(fixed) = &plan.fixed_in_writing {
        planned.push(("Fixed in writing".into(), text(&sentence(fixed))));
    }
    planned.extend(plan.facts.iter().map(|fact| (fact.name.clone(), text(&fact.value))));
    blocks.push(Block::Table(tables::facts("The plan.", planned)));
    blocks.extend(tables::settings(results).map(Block::Table));

    let flops = |value: fn(&crate::RunFacts) -> f64| {
        let runs = results.arms.iter().flat_map(|arm| &arm.runs);
        scientific(runs.map(value).sum())
    };
    let mut made = vec![("Code".into(), text(&provenance.code_version))];
    made.extend(provenance.date.as_ref().map(|date| ("Date".into(), text(date))));
    made.extend([
        ("Hardware".into(), text(&provenance.hardware)),
        ("Threads".into(), text(&provenance.threads)),
        ("libtorch".into(), text(&provenance.libtorch)),
        ("Work in all".into(), text(&time(provenance.seconds))),
        ("FLOPs of pre-training (paper)".into(), text(&flops(|run| run.flops_paper))),
        ("FLOPs of pre-training (executed)".into(), text(&flops(|run| run.flops_executed))),
    ]);
    made.extend(provenance.facts.iter().map(|fact| (fact.name.clone(), text(&fact.value))));
    blocks.push(Block::Table(tables::facts("Program and machine.", made)));
    if !provenance.hashes.is_empty() {
        let hashes =
            provenance.hashes.iter().map(|hash| (hash.of.clone(), Cell::Code(hash.sha256.clone()))).collect();
        blocks.push(Block::Table(tables::facts("SHA-256 of what went in.", hashes)));
    }
    if let Some(file) = &plan.file {
        blocks.push(Block::Details("The plan's file".into(), vec![Block::Code(file.clone())]));
    }
    blocks
}
