//! Verdicts on single tasks.

use std::fs;

use electra_analysis::{
    AnalysisConfig, Comparison, Findings, Measurements, Predictions, Role, TaskFacts, TaskScore, Test,
    Verdict, analyse,
};
use electra_report::{conclude, read, write};
use proptest::prelude::*;

use crate::random::Random;
use crate::sentences::{is_english, names};
use crate::table::{PAPER, facts, measurements, run};

type Table<'a> = &'a [(&'a str, &'a [f64])];

/// The same arms and seeds on several tasks.
fn study(tasks: &[(&str, Table<'_>)]) -> Measurements {
    let mut study = measurements(tasks[0].1);
    let task = study.tasks.remove(0);
    for (index, (title, table)) in tasks.iter().enumerate() {
        let name = title.to_lowercase();
        study.tasks.push(TaskFacts { name: name.clone(), title: (*title).into(), ..task.clone() });
        for (run, of_task) in study.runs.iter_mut().zip(measurements(table).runs) {
            let scores = &mut run.checkpoints[0].scores;
            if index == 0 {
                scores.clear();
            }
            let score = of_task.checkpoints[0].scores[0].clone();
            scores.push(TaskScore { task: name.clone(), ..score });
        }
    }
    study
}

fn analysed(study: &Measurements) -> Findings {
    analyse(study, &AnalysisConfig::standard()).unwrap()
}

/// What is said of single tasks.
fn tasks_sentence(findings: &Findings) -> String {
    conclude(findings).tasks_sentence.replace('\u{a0}', " ")
}

const MLM: &[f64] = &[60.0, 61.0, 62.0, 60.5, 61.5];
const NEAR: &[f64] = &[61.1, 60.2, 61.9, 60.9, 61.4];
const ALSO_NEAR: &[f64] = &[60.4, 61.7, 61.2, 60.8, 61.4];
const ABOVE: &[f64] = &[71.1, 70.2, 71.9, 70.9, 71.4];

/// ELECTRA is ahead on the second of three tasks.
fn planted() -> Measurements {
    let level: Table<'_> = &[("mlm", MLM), ("electra-15", ALSO_NEAR), ("electra", NEAR)];
    let ahead: Table<'_> = &[("mlm", MLM), ("electra-15", ALSO_NEAR), ("electra", ABOVE)];
    study(&[("Acceptability", level), ("Topic", ahead), ("Paraphrase", level)])
}

fn tests(results: &Findings) -> impl Iterator<Item = &Test> {
    results.task_pairs.iter().flat_map(|task| &task.pairs).filter_map(|pair| pair.test.as_ref())
}

#[test]
fn a_difference_is_found_on_its_task_alone() {
    let results = analysed(&planted());
    let tasks: Vec<&str> = results.task_pairs.iter().map(|task| task.task.as_str()).collect();
    assert_eq!(tasks, ["acceptability", "topic", "paraphrase"]);
    for task in &results.task_pairs {
        let names = |pairs: &[Comparison]| -> Vec<(String, String)> {
            pairs.iter().map(|pair| (pair.a.clone(), pair.b.clone())).collect()
        };
        assert_eq!(names(&task.pairs), names(&results.pairs));
        for pair in &task.pairs {
            let ahead = task.task == "topic" && pair.a == "electra";
            let expected = if ahead { Verdict::Better } else { Verdict::NotDistinguishable };
            assert_eq!(pair.verdict, expected, "{}: {pair:?}", task.task);
        }
        // The noise is the task's own: what a study of this task alone would have.
        let mut alone = planted();
        alone.tasks.retain(|other| other.name == task.task);
        for run in &mut alone.runs {
            run.checkpoints[0].scores.retain(|score| score.task == task.task);
        }
        let alone = analysed(&alone);
        assert_eq!(alone.noise, task.noise);
        for (pair, of_alone) in task.pairs.iter().zip(&alone.pairs) {
            assert_eq!(pair.difference, of_alone.difference);
            assert_eq!(pair.test.as_ref().unwrap().p, of_alone.test.as_ref().unwrap().p);
        }
    }
}

#[test]
fn the_correction_is_over_all_pairs_on_all_tasks() {
    let results = analysed(&planted());
    let tests: Vec<&Test> = tests(&results).collect();
    assert_eq!(tests.len(), 9);
    let corrected = |test: &Test, family: i32| {
        let expected = 1.0 - (1.0 - test.p).powi(family);
        assert!((test.p_adjusted - expected).abs() < 1e-9, "{test:?}");
    };
    tests.iter().for_each(|test| corrected(test, 9));
    // The mean's is over its own three pairs.
    results.pairs.iter().filter_map(|pair| pair.test.as_ref()).for_each(|test| corrected(test, 3));
}

#[test]
fn arms_that_are_the_same_on_a_task_are_not_told_apart() {
    let (level, apart): (Table<'_>, Table<'_>) =
        (&[("mlm", MLM), ("electra", MLM)], &[("mlm", MLM), ("electra", ABOVE)]);
    // With noise over seeds, and where every run of every arm has the same score.
    let constant: Table<'_> = &[("mlm", &[50.0; 5]), ("electra", &[50.0; 5])];
    let results = analysed(&study(&[("Level", level), ("Constant", constant), ("Apart", apart)]));
    let verdicts: Vec<Verdict> = results.task_pairs.iter().map(|task| task.pairs[0].verdict).collect();
    assert_eq!(verdicts, [Verdict::NotDistinguishable, Verdict::NotDistinguishable, Verdict::Better]);
    assert!(results.task_pairs[..2].iter().all(|task| task.pairs[0].test.as_ref().unwrap().p == 1.0));
}

#[test]
fn of_one_task_or_one_arm_there_is_no_list() {
    let one = analysed(&measurements(&[("mlm", MLM), ("electra", ABOVE)]));
    assert!(one.task_pairs.is_empty() && tasks_sentence(&one).is_empty());
    // A task that no run has is none.
    let table: Table<'_> = &[("mlm", MLM), ("electra", ABOVE)];
    let mut left_out = study(&[("Topic", table), ("Paraphrase", table)]);
    for run in &mut left_out.runs {
        run.checkpoints[0].scores.truncate(1);
    }
    assert!(analysed(&left_out).task_pairs.is_empty());
    let alone = study(&[("Topic", &[("mlm", MLM)]), ("Paraphrase", &[("mlm", MLM)])]);
    assert!(analysed(&alone).task_pairs.is_empty());
}

#[test]
fn the_predictions_are_those_of_the_task() {
    let table: Table<'_> = &[("mlm", &[0.0; 5]), ("electra", &[0.0; 5])];
    let mut study = study(&[("Without", table), ("Few", table), ("Many", table)]);
    let mut random = Random::new(&[3]);
    let examples = 200;
    let right: Vec<f64> = (0..examples).map(|_| random.uniform().round()).collect();
    // ELECTRA gets three more examples right in every run, or sixty.
    let with = |more: usize| {
        let wrong = right.iter().enumerate().filter(|(_, score)| **score < 0.5);
        let mut better = right.clone();
        wrong.take(more).for_each(|(example, _)| better[example] = 1.0);
        better
    };
    for task in &mut study.tasks {
        task.examples = examples;
    }
    for run in &mut study.runs {
        let electra = run.arm == "electra";
        for (score, gained) in run.checkpoints[0].scores.iter_mut().skip(1).zip([3, 60]) {
            let scores = with(if electra { gained } else { 0 });
            score.score = scores.iter().sum::<f64>() / examples as f64;
            score.predictions = Some(Predictions::Scores(scores));
        }
    }
    let results = analysed(&study);
    let test = |task: usize| results.task_pairs[task].pairs[0].test.as_ref().unwrap();
    let verdict = |task: usize| results.task_pairs[task].pairs[0].verdict;
    // The mean lacks a task's predictions, so nothing is added to its noise; it is to that of the tasks that have them.
    assert_eq!((results.pairs[0].test.as_ref().unwrap().examples, test(0).examples), (None, None));
    assert!(test(1).examples.unwrap() > 0.5 && test(1).interval.low < 0.0);
    assert!(test(2).examples.unwrap() > 2.0 && test(2).interval.low > 0.0);
    assert_eq!((verdict(1), verdict(2)), (Verdict::NotDistinguishable, Verdict::Better));
}

#[test]
fn runs_that_lack_another_task_count() {
    let mut study = planted();
    study.runs.iter_mut().filter(|run| run.arm == "mlm" && run.seed > 1).for_each(|run| {
        run.checkpoints[0].scores.remove(0);
    });
    let results = analysed(&study);
    let pair = |task: usize, a: &str, b: &str| {
        results.task_pairs[task].pairs.iter().find(|pair| pair.a == a && pair.b == b).unwrap()
    };
    assert_eq!(pair(0, "electra", "mlm").runs, (5, 1));
    assert_eq!(pair(0, "electra", "mlm").verdict, Verdict::TooFewRuns);
    assert_eq!(pair(1, "electra", "mlm").runs, (5, 5));
    assert_eq!(pair(1, "electra", "mlm").verdict, Verdict::Better);
    let (page, markdown) = written(&results);
    let row = "| ELECTRA − MLM | – | **better +10.1** | +0.1 |";
    assert!(markdown.contains(row), "{markdown}");
    let dash = "The intervals hold together over all 9 comparisons of this table, apart from those of the mean: do not mix the two families. A dash is a pair without enough runs, or of which not all took off.";
    assert!(markdown.contains(dash) && page.contains("A dash is a pair"));
    assert!(tasks_sentence(&results).starts_with("Of 7 comparisons on single tasks,"));
}

#[test]
fn the_sentence_names_what_is_told_by_task() {
    assert_eq!(
        tasks_sentence(&analysed(&planted())),
        "Of 9 comparisons on single tasks, with a correction of their own, two are significant: on Topic, ELECTRA is above MLM and ELECTRA 15 %.",
    );
    // Two behind three, in one clause, and one before the other four.
    let behind = paper([60.0, 60.0, 50.0, 60.0, 50.0]);
    let before = paper([60.0, 60.0, 60.0, 60.0, 70.0]);
    assert_eq!(
        tasks_sentence(&analysed(&of_paper(&[("Acceptability", &behind), ("Topic", &before)]))),
        "Of 20 comparisons on single tasks, with a correction of their own, ten are significant: on Acceptability, ELECTRA 15 % and ELECTRA are below MLM, Replace MLM and All-Tokens MLM; on Topic, ELECTRA is above the other four.",
    );
    // A whole order takes four clauses a task, so three tasks are counted.
    let order = paper([50.0, 55.0, 60.0, 65.0, 70.0]);
    assert_eq!(
        tasks_sentence(&analysed(&of_paper(&[
            ("Acceptability", &order),
            ("Topic", &order),
            ("Paraphrase", &order)
        ]))),
        "Of 30 comparisons on single tasks, with a correction of their own, 30 are significant: 10 on Acceptability, 10 on Topic and 10 on Paraphrase; the table under \"Task by task\" says which.",
    );
}

/// Scores of the paper's five about these means.
fn paper(means: [f64; 5]) -> Vec<Vec<f64>> {
    let wobble = [
        [0.0, 0.1, -0.1, 0.05, -0.05],
        [0.1, -0.1, 0.0, -0.05, 0.05],
        [-0.1, 0.0, 0.1, 0.05, -0.05],
        [0.0, -0.1, 0.1, -0.05, 0.05],
        [0.1, 0.0, -0.1, 0.05, -0.05],
    ];
    let around = |(mean, wobble): (&f64, &[f64; 5])| wobble.iter().map(|wobble| mean + wobble).collect();
    means.iter().zip(&wobble).map(around).collect()
}

fn of_paper(tasks: &[(&str, &[Vec<f64>])]) -> Measurements {
    let tables: Vec<Vec<(&str, &[f64])>> = tasks
        .iter()
        .map(|(_, scores)| PAPER.iter().zip(*scores).map(|((name, _), of)| (*name, of.as_slice())).collect())
        .collect();
    let titled: Vec<(&str, Table<'_>)> =
        tasks.iter().zip(&tables).map(|((title, _), table)| (*title, table.as_slice())).collect();
    study(&titled)
}

#[test]
fn where_nothing_is_told_it_says_how_large_differences_can_be() {
    let level: Table<'_> = &[("mlm", MLM), ("electra", NEAR)];
    let results = analysed(&study(&[("Acceptability", level), ("Topic", level)]));
    let far = |test: &Test| test.interval.high.max(-test.interval.low);
    let far = tests(&results).map(far).fold(0.0, f64::max);
    assert_eq!(
        tasks_sentence(&results),
        format!(
            "Of 2 comparisons on single tasks, with a correction of their own, none is significant: the 95 % intervals of their differences reach {far:.1} points from 0."
        ),
    );
    // With one seed nothing can be told, and nothing is said.
    let one: Table<'_> = &[("mlm", &[60.0]), ("electra", &[70.0])];
    let results = analysed(&study(&[("Acceptability", one), ("Topic", one)]));
    assert!(tasks_sentence(&results).is_empty() && results.task_pairs.len() == 2);
    assert!(!written(&results).1.contains(CAPTION));
}

#[test]
fn a_plan_that_proves_nothing_finds_nothing_on_tasks_either() {
    let mut study = planted();
    study.plan.proves_nothing = Some("It is quick".into());
    let results = analysed(&study);
    let conclusion = conclude(&results);
    assert_eq!(conclusion.sentence, "This run proves nothing. It is quick.");
    assert!(conclusion.tasks_sentence.is_empty());
    let told = "on Topic, ELECTRA is above MLM and ELECTRA 15 %.";
    let would_say = &conclusion.caveats[0];
    assert!(
        would_say.starts_with("What its numbers would say if they were to prove anything: "),
        "{would_say}"
    );
    assert!(would_say.ends_with(told), "{would_say}");
    // Once, as what it would say.
    let (page, markdown) = written(&results);
    assert_eq!((page.matches("comparisons on single tasks").count(), markdown.matches(told).count()), (1, 1));
}

const CAPTION: &str = "Which pairs differ significantly on which task";

/// The page and the text.
fn written(results: &Findings) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    write(results, folder.path()).unwrap();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    (text("report.html"), text("report.md"))
}

#[test]
fn the_table_marks_what_is_told_by_word_and_not_by_colour_alone() {
    let results = analysed(&planted());
    let (page, markdown) = written(&results);
    let said = &tasks_sentence(&results);
    // In the section on tasks.
    assert_eq!((page.replace('\u{a0}', " ").matches(said).count(), markdown.matches(said).count()), (1, 1));
    let section = markdown.split("## Task by task").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = "| Pair | Acceptability | Topic | Paraphrase |\n| --- | ---: | ---: | ---: |\n\
                | ELECTRA 15 % − MLM | +0.1 | +0.1 | +0.1 |\n\
                | ELECTRA − MLM | +0.1 | **better +10.1** | +0.1 |\n\
                | ELECTRA − ELECTRA 15 % | 0.0 | **better +10.0** | 0.0 |\n";
    assert!(section.contains(CAPTION) && section.contains(rows), "{section}");
    assert!(section.contains(
        "over all 9 comparisons of this table, apart from those of the mean: do not mix the two families.\n"
    ));
    assert!(page.contains("<span class=\"verdict better\">better +10.1</span>"));
    assert!(page.contains("<span class=\"verdict not-distinguishable\">+0.1</span>"));
    // The same, turned round.
    let turned: Table<'_> = &[("mlm", ABOVE), ("electra", MLM)];
    let (page, markdown) = written(&analysed(&study(&[("Acceptability", turned), ("Topic", turned)])));
    assert!(markdown.contains("| ELECTRA − MLM | **worse −10.1** | **worse −10.1** |"));
    assert!(page.contains("<span class=\"verdict worse\">worse −10.1</span>"));
}

#[test]
fn results_from_before_there_were_any_are_read() {
    let results = analysed(&planted());
    let folder = tempfile::tempdir().unwrap();
    write(&results, folder.path()).unwrap();
    let path = folder.path().join("results.json");
    assert!(read(&path).unwrap() == results, "results.json is not what was written");
    let mut json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(json.as_object_mut().unwrap().remove("task_pairs").is_some());
    assert!(json["conclusion"].as_object_mut().unwrap().remove("tasks_sentence").is_some());
    fs::write(&path, json.to_string()).unwrap();
    let before = read(&path).unwrap();
    assert!(before.task_pairs.is_empty() && tasks_sentence(&before).is_empty());
    assert_eq!(before.pairs, results.pairs);
    let (page, markdown) = written(&before);
    assert!(!page.contains(CAPTION) && !markdown.contains(CAPTION) && markdown.contains("## Task by task"));
}

#[test]
fn controls_and_the_encoder_from_scratch_are_not_in_it() {
    let mut study = planted();
    study.arms.push(facts("scratch", Role::Scratch));
    let mut scratch = run("scratch", 1, 20.0);
    scratch.checkpoints[0].scores[0].task = "topic".into();
    study.runs.push(scratch);
    assert_eq!(tests(&analysed(&study)).count(), 9);
}

/// What a sentence that names all says of each task, the upper arm first.
fn said(sentence: &str) -> Vec<(String, &'static str, &'static str)> {
    let mut said = Vec::new();
    let Some((_, told)) = sentence.split_once(" significant: on ") else { return said };
    for of_task in told.trim_end_matches('.').split("; on ") {
        let (task, clauses) = of_task.split_once(", ").unwrap();
        for clause in clauses.split(", and ") {
            let verb = if clause.contains(" are ") { " are " } else { " is " };
            let (arms, rest) = clause.split_once(verb).unwrap();
            let (side, others) = rest.split_once(' ').unwrap();
            let arms = names(arms);
            let others = if others == "the other four" {
                PAPER.iter().map(|(_, title)| *title).filter(|title| !arms.contains(title)).collect()
            } else {
                names(others)
            };
            for (arm, other) in arms.iter().flat_map(|arm| others.iter().map(move |other| (*arm, *other))) {
                let (upper, lower) = if side == "above" { (arm, other) } else { (other, arm) };
                said.push((task.to_lowercase(), upper, lower));
            }
        }
    }
    said.sort_unstable();
    said
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn the_sentence_is_true_and_english(
        means in prop::collection::vec(prop::collection::vec(prop_oneof![Just(60.0), Just(65.0), 50.0..70.0], 5), 2),
        noise in prop::collection::vec(prop::collection::vec(-1.0..1.0f64, 5), 10),
        scale in prop_oneof![Just(0.0), Just(0.1), Just(1.0), Just(5.0)],
    ) {
        let table = |task: usize| -> Vec<Vec<f64>> {
            let arm = |arm: usize| noise[5 * task + arm].iter().map(|noise| means[task][arm] + scale * noise).collect();
            (0..5).map(arm).collect()
        };
        let results = analysed(&of_paper(&[("Acceptability", &table(0)), ("Topic", &table(1))]));
        let sentence = &tasks_sentence(&results);
        is_english(sentence)?;
        let title = |name: &str| PAPER.iter().find(|(paper, _)| *paper == name).unwrap().1;
        let mut told = Vec::new();
        for (task, pair) in results.task_pairs.iter().flat_map(|task| task.pairs.iter().map(move |pair| (&task.task, pair))) {
            match pair.verdict {
                Verdict::Better => told.push((task.clone(), title(&pair.a), title(&pair.b))),
                Verdict::Worse => told.push((task.clone(), title(&pair.b), title(&pair.a))),
                _ => {}
            }
        }
        told.sort_unstable();
        prop_assert_eq!(sentence.contains("none is significant"), told.is_empty(), "{}", sentence);
        prop_assert_eq!(said(sentence), told, "{}", sentence);
    }
}
