//! The tables, and the record with the chart.

use super::fit::{Bound, last_decade};
use super::growth::{Growth, Unit, count, shown};
use super::leak::Leak;
use super::{Args, Measured};
use crate::commands;
use anyhow::{Context, Result};
use electra_report::{GrowthPanel, growth_chart};
use std::fmt::Write;
use std::process::Command;

/// Exponents and leaks as Markdown.
pub(super) fn tables(growths: &[Growth], leaks: &[Leak]) -> Result<String> {
    let mut text = String::new();
    if !growths.is_empty() {
        text += "| over | range | quantity | from – to | exponent, all | last decade | at most | |\n";
        text += "|---|---|---|---|---|---|---|---|\n";
    }
    for growth in growths {
        let (first, last) = (growth.points[0], growth.points[growth.points.len() - 1]);
        let unit = growth.quantity.unit;
        writeln!(
            text,
            "| {} | {} – {} | {} | {} – {} | {:.2} | {:.2} | {} | {} |",
            growth.title,
            count(first.0),
            count(last.0),
            growth.quantity.name,
            shown(first.1, unit),
            shown(last.1, unit),
            growth.whole,
            growth.last,
            growth.bound().exponent(),
            growth.verdict()
        )?;
    }
    if !leaks.is_empty() {
        text += "\n| objective | steps | resident, MiB | on the GPU, MiB | more at the end, kiB | |\n";
        text += "|---|---|---|---|---|---|\n";
    }
    for leak in leaks {
        let list = |values: Vec<u64>| {
            values.iter().map(|&bytes| format!("{:.1}", mib(bytes))).collect::<Vec<_>>().join(", ")
        };
        let resident = list(leak.readings.iter().map(|reading| reading.resident_bytes).collect());
        let device = list(leak.readings.iter().filter_map(|reading| reading.device_bytes).collect());
        let steps: Vec<_> = leak.readings.iter().map(|reading| count(reading.step as f64)).collect();
        let (more, more_on_device) = leak.growth();
        writeln!(
            text,
            "| {} | {} – {} | {resident} | {} | {}{} | {} |",
            leak.objective,
            steps.first().map_or("", String::as_str),
            steps.last().map_or("", String::as_str),
            if device.is_empty() { "–" } else { &device },
            more / 1024,
            more_on_device.map(|more| format!(", GPU {}", more / 1024)).unwrap_or_default(),
            leak.verdict()
        )?;
    }
    Ok(text)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

pub(super) fn write(args: &Args, name: &str, measured: &Measured, growths: &[Growth]) -> Result<()> {
    let date = commands::output(Command::new("date").arg("+%F"))?;
    let date = String::from_utf8(date).context("the date is not UTF-8")?.trim().to_owned();
    let folder = commands::benches().join("records").join(format!("{date}-{name}"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut command =
        format!("cargo xtask bench scaling --rounds {} --threads {}", args.rounds, args.threads);
    if args.quick {
        command += " --quick";
    }
    if !args.only.is_empty() {
        write!(command, " --only {}", args.only.join(","))?;
    }
    write!(command, " --record {name}")?;
    let device = measured.points.iter().find_map(|point| point.values.get("device")?.as_str());
    let rounds = if args.quick { 1 } else { args.rounds };
    let readme = format!(
        "# Growth of time and memory\n\n`{command}`, {date}\n\n{}, {} threads{}\n\n\
         {}\n\n![Time and memory over each size, log over log](scaling.svg)\n\n{}\n\
         Every point of every round is in `points.json`.\n",
        machine(),
        args.threads,
        device.map(|device| format!(", steps on {device}")).unwrap_or_default(),
        explained(rounds),
        tables(growths, &measured.leaks)?,
    );
    std::fs::write(folder.join("README.md"), readme)?;
    std::fs::write(folder.join("scaling.svg"), chart(growths))?;
    std::fs::write(folder.join("points.json"), lines(measured)?)?;
    crate::output::tell(format_args!("written to benches/records/{date}-{name}"));
    Ok(())
}

/// The chart of all growths.
fn chart(growths: &[Growth]) -> String {
    let written: Vec<_> = growths
        .iter()
        .map(|growth| {
            let unit = growth.quantity.unit;
            move |value: f64| shown(value, unit).replace(".00", "").replace(".0", "")
        })
        .collect();
    let panels: Vec<_> =
        growths.iter().zip(&written).map(|(growth, quantity)| panel(growth, quantity)).collect();
    let slopes = growths
        .iter()
        .map(|growth| format!("{} over {}: slope {:.2}", growth.quantity.name, growth.title, growth.last));
    let description = slopes.collect::<Vec<_>>().join("; ");
    growth_chart("Growth of time and memory, log over log; slopes of the last decade", &description, &panels)
}

fn panel<'a>(growth: &'a Growth, quantity: &'a dyn Fn(f64) -> String) -> GrowthPanel<'a> {
    GrowthPanel {
        name: growth.quantity.name,
        over: growth.title,
        // With a real minus sign, and never a minus zero.
        note: format!("{:.2}", growth.last + 0.0).replace("-0.00", "0.00").replace('-', "−"),
        is_right: growth.holds(),
        points: &growth.points,
        // Through the first point of the last decade: below it, what does not depend on the size outweighs.
        start: last_decade(&growth.points)[0],
        power: if growth.bound() == Bound::Square { 2 } else { 1 },
        colour: if growth.quantity.unit == Unit::Seconds { 0 } else { 1 },
        size: count,
        quantity,
    }
}

fn explained(rounds: u32) -> String {
    let times = if rounds == 1 { "once".into() } else { format!("{rounds} times; medians") };
    format!(
        "Each point is a process of its own, in shuffled order, {times}. A step is ELECTRA's (2 layers, \
         generator 1/4, dropout 0.1) unless said otherwise: batch, forward, backward, clip, AdamW; its memory is the peak above \
         what was resident before the model. An exponent is the slope of log over log, of all sizes and of the last decade, \
         by which the verdict goes, with 0.1 for noise. Of L the square is attention's; with D the parameters grow as D². \
         A batch is 128 × 128; its rows lie all over the \
         corpus and come from slower caches where that is larger, the second time they do not. For a leak the real loop runs with logs and checkpoints (1 layer, L 16, B 4, D 32, V 512); \
         what counts is growth after a fifth of the run: at most 1 % or 2 MiB."
    )
}

/// The points, one a line, and the leaks.
fn lines(measured: &Measured) -> Result<String> {
    let list = |items: Vec<String>| items.join(",\n  ");
    let points: serde_json::Result<Vec<_>> = measured.points.iter().map(serde_json::to_string).collect();
    let leaks: serde_json::Result<Vec<_>> = measured.leaks.iter().map(serde_json::to_string).collect();
    Ok(format!("{{\"points\": [\n  {}\n], \"leaks\": [\n  {}\n]}}\n", list(points?), list(leaks?)))
}

/// The processor, its cores and the system.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} ({cores} cores), {} {}",
        cpu.map_or("a processor without a name", |(_, name)| name.trim()),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Point, growth};
    use super::*;

    fn points() -> Vec<Point> {
        let values = |seconds: f64| serde_json::json!({ "seconds": seconds, "memory_bytes": 1e6 });
        [(1, 0.001), (16, 0.016), (256, 0.256)]
            .into_iter()
            .map(|(size, seconds)| {
                let serde_json::Value::Object(values) = values(seconds) else { panic!("an object") };
                Point { variable: "B", size, round: 1, values }
            })
            .collect()
    }

    #[test]
    fn the_table_has_exponents_and_verdicts() {
        let table = tables(&growth::growths(&points()), &[]).unwrap();
        let line = table.lines().nth(2).unwrap();
        assert_eq!(
            line,
            "| B, examples in a step (L 32, V 1,024, D 64) | 1 – 256 | time of a step | 1.00 ms – 256 ms | 1.00 | 1.00 | 1 | no faster than linear |"
        );
    }

    #[test]
    fn the_chart_has_a_panel_for_each_quantity_and_no_numbers_that_are_none() {
        let svg = chart(&growth::growths(&points()));
        assert_eq!(svg.matches(" curve\"").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn points_are_json() {
        let measured = Measured { points: points(), leaks: Vec::new() };
        let value: serde_json::Value = serde_json::from_str(&lines(&measured).unwrap()).unwrap();
        assert_eq!(value["points"][2]["size"], 256);
    }
}
