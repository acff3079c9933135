//! What the report shows, section by section, for whichever form it is written in.

use std::collections::BTreeSet;

use electra_analysis::{ArmFindings, Findings, Role, RunFacts};

use crate::chart::{Chart, Charts};
use crate::format::{list, plural, scientific, sentence, size, time};
use crate::table::{Cell, Table, facts};
use crate::trials::short;
use crate::{Conclusion, families, replacements, sentences, tables, trials};

/// A part of a section.
pub(crate) enum Block<'a> {
    Paragraph(String),
    List(Vec<String>),
    Table(Table),
    Chart(&'a Chart),
    Code(String),
    /// Folded away on a page.
    Details(&'static str, Vec<Block<'a>>),
}

impl Block<'_> {
    fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph(text.into())
    }
}

/// A section.
pub(crate) struct Section<'a> {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block<'a>>,
}

/// What the study was, in a few names and values.
pub(crate) fn key_facts(findings: &Findings) -> Vec<(&'static str, String)> {
    let plan = &findings.plan;
    let arms = findings.arms.iter().filter(|arm| arm.facts.role == Role::Arm);
    let compared = match findings.sweep() {
        Some(sweep) => {
            let objectives: BTreeSet<&str> = arms.map(|arm| arm.facts.objective.as_str()).collect();
            let values: Vec<String> = sweep.values.iter().map(|value| size(*value)).collect();
            format!("{} at {} {}", objectives.len(), short(sweep.setting), list(&values))
        }
        None => arms.count().to_string(),
    };
    let fine_tunings = plural(plan.finetuning_seeds.len(), "fine-tuning");
    vec![
        ("Objectives", compared),
        ("Pre-training seeds", plan.pretraining_seeds.len().to_string()),
        ("Tasks", format!("{} on {}, {fine_tunings} each", findings.tasks.len(), plan.split)),
        ("Equal for all", sentences::equal_for_all(findings)),
        ("Budget of a run", plan.budget.clone()),
        ("Total work", time(findings.provenance.seconds)),
    ]
}

/// The sections that there is something for.
pub(crate) fn sections<'a>(
    findings: &Findings,
    conclusion: &Conclusion,
    charts: &'a Charts,
) -> Vec<Section<'a>> {
    let against = findings.sweep().map_or_else(String::new, |sweep| sentences::against(&sweep));
    let sections = [
        ("sweep", against.as_str(), sweep(findings, charts)),
        ("result", "Result", result(findings, charts)),
        ("pairs", "Pair by pair", pairs(findings, conclusion, charts)),
        ("ranks", "Which is the best?", ranks(findings)),
        ("take-off", "Which runs took off", take_off(findings)),
        ("controls", "Controls", controls(findings)),
        ("learning", "Learning curves", learning(findings, charts)),
        ("compute", "Score against compute", compute(findings, charts)),
        ("tasks", "Task by task", tasks(findings, conclusion, charts)),
        ("pre-training", "Does pre-training help?", pretraining(findings)),
        ("families", "Without fine-tuning", families(findings, charts)),
        ("diagnostics", "Diagnostics over training", diagnostics(findings, charts)),
        ("replacements", "What the generator offers and what is found", replaced(findings)),
        ("settings", "How settings were chosen", settings(findings)),
        ("cost", "Cost", vec![Block::Table(tables::cost(findings))]),
        ("provenance", "How this was made", provenance(findings)),
    ];
    let sections = sections.into_iter().filter(|(_, _, blocks)| !blocks.is_empty());
    sections.map(|(id, title, blocks)| Section { id, title: title.into(), blocks }).collect()
}

fn sweep<'a>(findings: &Findings, charts: &'a Charts) -> Vec<Block<'a>> {
    let (Some(sweep), Some(drawn)) = (findings.sweep(), chart(&charts.sweep)) else { return Vec::new() };
    // The page's opening says what was found.
    let mut blocks = vec![
        drawn,
        Block::Paragraph(sentences::reading(findings, &sweep)),
        Block::Table(tables::sweep::means(findings, &sweep)),
    ];
    if !sweep.differences.is_empty() {
        blocks.push(Block::Table(tables::sweep::differences(findings, &sweep)));
    }
    blocks
}

fn chart(chart: &Option<Chart>) -> Option<Block<'_>> {
    chart.as_ref().map(Block::Chart)
}

fn result<'a>(findings: &Findings, charts: &'a Charts) -> Vec<Block<'a>> {
    let mut blocks = vec![Block::Table(tables::main(findings))];
    if let Some(drawn) = chart(&charts.scores) {
        blocks.extend([drawn, Block::Paragraph(sentences::marks(findings))]);
    }
    let notes = sentences::notes(findings);
    blocks.extend((!notes.is_empty()).then_some(Block::List(notes)));
    blocks
}

fn pairs<'a>(findings: &Findings, conclusion: &Conclusion, charts: &'a Charts) -> Vec<Block<'a>> {
    if findings.pairs.is_empty() {
        return Vec::new();
    }
    let rule = sentences::rule(findings).into_iter().map(Block::Paragraph).collect();
    let mut blocks = Vec::new();
    if findings.plan.proves_nothing.is_none() {
        blocks.push(Block::paragraph(&conclusion.sentence));
    }
    let mut every: Vec<Block<'_>> = chart(&charts.differences).into_iter().collect();
    every.push(Block::Table(tables::pairs(findings)));
    // Every arm of a sweep with every other are too many to stand before the rest.
    match findings.plan.sweep {
        Some(_) => blocks.push(Block::Details("Every pair", every)),
        None => blocks.extend(every),
    }
    if !conclusion.quotes.is_empty() {
        let quotes = vec![Block::paragraph(sentences::QUOTES), Block::List(conclusion.quotes.clone())];
        blocks.push(Block::Details("Each verdict as a sentence to quote", quotes));
    }
    blocks.push(Block::Details("How a verdict is reached", rule));
    blocks
}

fn ranks<'a>(findings: &Findings) -> Vec<Block<'a>> {
    // The largest of a sweep is not a finding.
    if findings.ranks.is_empty() || findings.plan.sweep.is_some() {
        return Vec::new();
    }
    vec![Block::Table(tables::ranks(findings)), Block::Paragraph(sentences::ranks(findings))]
}

fn take_off<'a>(findings: &Findings) -> Vec<Block<'a>> {
    let table = tables::take_off(findings);
    if table.rows.is_empty() {
        return Vec::new();
    }
    let mut blocks: Vec<Block<'_>> =
        sentences::take_off(findings).into_iter().map(Block::Paragraph).collect();
    blocks.push(Block::Table(table));
    blocks
}

fn learning<'a>(findings: &Findings, charts: &'a Charts) -> Vec<Block<'a>> {
    let Some(drawn) = chart(&charts.learning) else { return Vec::new() };
    let mut seeds = findings.arms.iter().flat_map(|arm| &arm.seeds);
    let any_lost = seeds.any(|seed| seed.took_off == Some(false));
    vec![Block::Paragraph(sentences::learning(any_lost)), drawn]
}

fn settings<'a>(findings: &Findings) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'_>> =
        sentences::settings_chosen(findings).into_iter().map(Block::Paragraph).collect();
    blocks.extend(trials::log(findings).map(Block::Table));
    blocks.extend(tables::settings(findings).map(Block::Table));
    blocks
}

fn controls<'a>(findings: &Findings) -> Vec<Block<'a>> {
    if findings.controls.is_empty() {
        return Vec::new();
    }
    vec![Block::Paragraph(sentences::controls(findings)), Block::Table(tables::controls(findings))]
}

fn compute<'a>(findings: &Findings, charts: &'a Charts) -> Vec<Block<'a>> {
    let table = tables::curve(findings);
    if table.rows.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::Paragraph(sentences::curves(findings))];
    blocks.extend(chart(&charts.compute_flops));
    blocks.extend(chart(&charts.compute_steps));
    blocks.push(Block::Details("The numbers", vec![Block::Table(table)]));
    blocks
}

fn tasks<'a>(findings: &Findings, conclusion: &Conclusion, charts: &'a Charts) -> Vec<Block<'a>> {
    let Some(drawn) = chart(&charts.tasks) else { return Vec::new() };
    let found = &conclusion.tasks_sentence;
    let mut blocks: Vec<Block<'_>> =
        (!found.is_empty()).then(|| Block::paragraph(found)).into_iter().collect();
    blocks.extend([drawn, Block::Table(tables::tasks(findings))]);
    if let Some(rule) = sentences::rule_on_tasks(findings) {
        let by_task = vec![Block::Table(tables::pairs_by_task(findings)), Block::Paragraph(rule)];
        match findings.plan.sweep {
            Some(_) => blocks.push(Block::Details("Every pair on every task", by_task)),
            None => blocks.extend(by_task),
        }
    }
    blocks.push(Block::Details("Every run", vec![Block::Table(tables::runs(findings))]));
    blocks
}

fn pretraining<'a>(findings: &Findings) -> Vec<Block<'a>> {
    if findings.scratch.is_empty() {
        return Vec::new();
    }
    vec![Block::Paragraph(sentences::helps(findings)), Block::Table(tables::scratch(findings))]
}

fn families<'a>(findings: &Findings, charts: &'a Charts) -> Vec<Block<'a>> {
    let mut blocks = Vec::new();
    for (family, drawn) in findings.families.iter().zip(&charts.families) {
        blocks.push(Block::Paragraph(sentences::family(family)));
        blocks.push(Block::Table(families::scores(&family.findings)));
        blocks.extend(chart(drawn));
    }
    blocks
}

fn diagnostics<'a>(findings: &Findings, charts: &'a Charts) -> Vec<Block<'a>> {
    let Some(drawn) = chart(&charts.diagnostics) else { return Vec::new() };
    let last = vec![Block::Table(tables::diagnostics(findings))];
    vec![Block::paragraph(sentences::DIAGNOSTICS), drawn, Block::Details("The last values", last)]
}

fn replaced<'a>(findings: &Findings) -> Vec<Block<'a>> {
    let measured = |arm: &&ArmFindings| replacements::measured(arm).next().is_some();
    let arms: Vec<&ArmFindings> = findings.arms.iter().filter(measured).collect();
    if arms.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![
        Block::paragraph(sentences::KINDS),
        Block::Paragraph(sentences::masked_lm_loss(findings)),
        Block::Table(replacements::offered(findings, &arms)),
    ];
    let detecting: Vec<&ArmFindings> = arms.into_iter().filter(|arm| replacements::detects(arm)).collect();
    if !detecting.is_empty() {
        blocks.push(Block::Paragraph(sentences::detection(findings, &detecting)));
        blocks.push(Block::Table(replacements::found(findings, &detecting)));
    }
    blocks
}

fn provenance<'a>(findings: &Findings) -> Vec<Block<'a>> {
    let (plan, provenance) = (&findings.plan, &findings.provenance);
    let row = |name: &str, value: &str| (name.to_owned(), Cell::Text(value.to_owned()));
    let seeds = |seeds: &[u64]| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut blocks =
        vec![Block::paragraph("To make this report again:"), Block::Code(provenance.command.clone())];
    if !findings.failures.is_empty() {
        let failures = findings.failures.iter().map(|failure| row(&failure.job, &failure.message)).collect();
        blocks.push(Block::Table(facts("Jobs that failed.", failures)));
    }
    let mut planned = vec![
        row("Plan", &plan.name),
        row("Equal for all", &sentences::equal_for_all(findings)),
        row("Budget of a run", &plan.budget),
        row("Pre-training seeds", &seeds(&plan.pretraining_seeds)),
        row("Fine-tuning seeds", &seeds(&plan.finetuning_seeds)),
        row("Scored on", &plan.split),
    ];
    planned.extend(plan.fixed_in_writing.iter().map(|fixed| row("Fixed in writing", &sentence(fixed))));
    planned.extend(plan.facts.iter().map(|fact| row(&fact.name, &fact.value)));
    blocks.push(Block::Table(facts("The plan.", planned)));

    let flops = |value: fn(&RunFacts) -> f64| {
        scientific(findings.arms.iter().flat_map(|arm| &arm.runs).map(value).sum())
    };
    let mut made = vec![row("Code", &provenance.code_version)];
    made.extend(provenance.date.iter().map(|date| row("Date", date)));
    made.extend([
        row("Hardware", &provenance.hardware),
        row("Threads", &provenance.threads),
        row("libtorch", &provenance.libtorch),
        row("Total work", &time(provenance.seconds)),
        row("FLOPs of pre-training (paper)", &flops(|run| run.flops_paper)),
        row("FLOPs of pre-training (executed)", &flops(|run| run.flops_executed)),
    ]);
    made.extend(provenance.facts.iter().map(|fact| row(&fact.name, &fact.value)));
    blocks.push(Block::Table(facts("Program and machine.", made)));
    if !provenance.hashes.is_empty() {
        let hashes = provenance.hashes.iter();
        let hashes = hashes.map(|hash| (hash.name.clone(), Cell::Code(hash.sha256.clone()))).collect();
        blocks.push(Block::Table(facts("SHA-256 of the inputs.", hashes)));
    }
    if let Some(file) = &plan.file {
        blocks.push(Block::Details("The plan's file", vec![Block::Code(file.clone())]));
    }
    blocks
}
