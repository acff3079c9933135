//! How often verdicts are false, how often intervals hold the truth, and how often a difference is found:
//! `cargo run --release -p electra-analysis --example verdicts -- STUDIES FOLDER [PART]` judges so many made-up studies of each
//! kind with the function that every report calls, and writes `verdicts.json` and `table.md`.

#![allow(clippy::print_stdout, reason = "an example")]

#[path = "../../tests/it/random.rs"]
#[allow(dead_code, reason = "tests make up predictions, too")]
mod random;
mod scenario;
#[path = "../../tests/it/table.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "tests analyse with the usual settings, too")]
mod table;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use rayon::prelude::*;
use scenario::{Counts, Scenario, Shares};
use serde::Serialize;

/// Spreads of five arms, in words.
const NOISE: [(&str, [f64; 5]); 5] = [
    ("equal noise", [1.0; 5]),
    ("one arm 5 × as noisy", [5.0, 1.0, 1.0, 1.0, 1.0]),
    ("two arms 5 × as noisy", [5.0, 5.0, 1.0, 1.0, 1.0]),
    ("noise of .2, .4, .6, .8, 1", [0.2, 0.4, 0.6, 0.8, 1.0]),
    ("one arm with a fifth of the noise", [1.0, 1.0, 1.0, 1.0, 0.2]),
];
/// Standard deviations of languages; none with one test set.
const LANGUAGES: [Option<f64>; 4] = [None, Some(0.0), Some(1.0), Some(3.0)];
/// Studies that a thread judges at a time.
const AT_A_TIME: u64 = 50;

/// Every kind of study.
fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, spreads) in NOISE {
        for languages in LANGUAGES {
            for runs in [3, 4, 5, 6, 8, 10] {
                all.push(Scenario { spreads: spreads.into(), languages, ..Scenario::plain(name, 5, runs) });
            }
        }
    }
    for languages in [None, Some(1.0)] {
        for runs in [5, 6, 10] {
            let with = |name: &str| Scenario { languages, ..Scenario::plain(name, 5, runs) };
            let noisy = |name: &str| Scenario { spreads: NOISE[1].1.into(), ..with(name) };
            all.extend([
                Scenario { failures: 0.15, ..with("15 % of the runs fail") },
                Scenario { failures: 0.15, ..noisy("15 % of the runs fail, one arm 5 × as noisy") },
                Scenario { take_off: 0.9, ..with("90 % of the runs take off") },
                Scenario { take_off: 0.7, ..with("70 % of the runs take off") },
                Scenario { examples: 100, ..with("ties: scores in steps of one deviation") },
                Scenario { examples: 50, ..with("ties: scores in steps of two deviations") },
                Scenario { tasks: 6, ..with("each pair on each of six tasks") },
                Scenario { control: true, ..with("an arm pooled with its control") },
                Scenario { means: vec![0.0, 0.0, 0.0, 2.0, 3.0], ..with("differences of 1, 2, 3") },
                Scenario { means: vec![0.0, 0.0, 0.0, 3.0, 6.0], ..with("differences of 3, 6") },
                Scenario {
                    means: vec![0.0, 0.0, 0.0, 6.0, 12.0],
                    ..noisy("differences of 6, 12, one arm 5 × as noisy")
                },
                Scenario { margin: Some(3.0), ..with("no differences, a margin of 3") },
                Scenario {
                    margin: Some(3.0),
                    means: vec![0.0, 0.0, 0.0, 0.0, 3.0],
                    ..with("one difference just the margin of 3")
                },
            ]);
            for arms in [2, 3, 8] {
                all.push(Scenario { languages, ..Scenario::plain(&format!("{arms} arms"), arms, runs) });
            }
        }
    }
    for runs in [5, 6, 10] {
        let with = |name: &str| Scenario {
            predictions: true,
            examples: 300,
            spreads: vec![0.1; 5],
            ..Scenario::plain(name, 5, runs)
        };
        all.push(with("300 shared test examples"));
        all.push(Scenario {
            spreads: vec![0.5, 0.1, 0.1, 0.1, 0.1],
            ..with("300 shared test examples, one arm 5 × as noisy")
        });
        all.push(Scenario {
            means: vec![0.0, 0.0, 0.0, 0.4, 0.6],
            ..with("300 shared test examples, differences")
        });
    }
    all
}

/// A kind of study and what it comes to.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    scenario: Scenario,
    #[serde(flatten)]
    shares: Shares,
}

fn judge(scenario: Scenario, studies: u64) -> Row {
    // Studies with predictions take a hundred times as long.
    let studies = if scenario.predictions { studies / 2 } else { studies };
    let chunks: Vec<u64> = (0..studies.div_ceil(AT_A_TIME)).collect();
    let counts = chunks
        .into_par_iter()
        .map(|chunk| scenario.judge(chunk * AT_A_TIME..studies.min((chunk + 1) * AT_A_TIME)))
        .reduce(Counts::default, Counts::and);
    Row { scenario, shares: counts.shares() }
}

fn line(Row { scenario, shares }: &Row) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let or_dash = |share: Option<f64>| share.map_or_else(|| "–".into(), percent);
    let languages = scenario.languages.map_or_else(|| "–".to_owned(), |deviation| format!("{deviation}"));
    let cells = [
        scenario.name.clone(),
        languages,
        scenario.runs.to_string(),
        percent(shares.false_verdicts),
        or_dash(shares.coverage),
        or_dash(shares.power),
        or_dash(shares.same.filter(|_| scenario.margin.is_some())),
        percent(shares.judged),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let expected = "expected how many studies of each kind, and the folder to write to";
    let studies: u64 = arguments.next().ok_or(expected)?.parse()?;
    let folder = PathBuf::from(arguments.next().ok_or(expected)?);
    // A part of the kinds' names, to look at some of them.
    let part = arguments.next().unwrap_or_default();
    let mut table = String::from(
        "| studies | languages | runs | false verdicts, % | coverage, % | found, % | called the same, % | with a verdict, % |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut rows = Vec::new();
    for scenario in scenarios().into_iter().filter(|scenario| scenario.name.contains(&part)) {
        let row = judge(scenario, studies);
        let text = line(&row);
        print!("{text}");
        write!(table, "{text}")?;
        rows.push(row);
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("verdicts.json"), serde_json::to_string_pretty(&rows)? + "\n")?;
    fs::write(folder.join("table.md"), table)?;
    Ok(())
}
